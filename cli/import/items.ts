/** Numbers and sources for the live layer, as an admin writes them: words of a command line, or a file. */
import type { EntryItem } from '../../shared/admin/entries.ts';
import { PARTY_CHARS_MAX } from '../../shared/limits/requests.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import { parseSource } from '../../shared/sources/source.ts';
import { CommandFailure, type ExitCode } from '../failure.ts';
import { readRows } from './rows.ts';

/** An item, and where it was written. */
export interface WrittenItem {
  readonly item: EntryItem;
  readonly place: string;
}

/** Parses one item. Text with letters is a source. Anything else must be a number. */
export function itemOf(text: string): EntryItem {
  const item = text.trim();
  // A source that is too long is still a source, so its beginning decides.
  const party = parseListed(item.slice(0, PARTY_CHARS_MAX));
  // A number with letters is rejected as a source, and the error gives the reason.
  const hasLetters = party.kind === 'invalid' && /\p{L}/u.test(item);
  return party.kind === 'source' || hasLetters ? { source: item } : { number: item };
}

export function itemsOfWords(words: readonly string[]): WrittenItem[] {
  return words.map((word, index) => ({ item: itemOf(word), place: `item ${index + 1}` }));
}

/** The numbers and sources of a file: CSV, NDJSON, or one per line. */
export async function itemsOfFile(path: string): Promise<WrittenItem[]> {
  const items: WrittenItem[] = [];
  const invalid: InvalidItem[] = [];
  await readRows({ path }, ({ line, number, reason, since, until, authority, damage }) => {
    const place = `${path}, line ${line}`;
    if (damage !== null) invalid.push({ place, code: 'ROW_DAMAGED', message: damage });
    else if ([reason, since, until, authority].some((field) => field !== '')) {
      const message = 'may only have a number; use --code, --until and --reason for the rest';
      invalid.push({ place, code: 'ENTRY_INVALID', message });
    } else items.push({ item: itemOf(number), place });
  });
  if (invalid.length > 0) throw invalidItems(invalid, { isUnchanged: true, isPartial: true });
  return items;
}

/** The items without duplicates of earlier ones. */
export function distinctItems(items: readonly WrittenItem[]): WrittenItem[] {
  const seen = new Set<string>();
  return items.filter(({ item }) => seen.size < seen.add(identityOf(item)).size);
}

/** The same text for all spellings of one number or source. */
function identityOf(item: EntryItem): string {
  if ('source' in item) {
    const parsed = parseSource(item.source);
    return parsed.ok ? `${parsed.value.kind} ${parsed.value.name}` : `senderId ${item.source}`;
  }
  const party = parseListed(item.number);
  const isOne = party.kind === 'number' && party.carrierPrefix === null;
  return isOne ? `number ${party.n}` : `text ${item.number}`;
}

/** Why a source is invalid. Null for a number, which the service validates. */
export function sourceProblem(item: EntryItem): string | null {
  const parsed = 'source' in item ? parseSource(item.source) : null;
  return parsed === null || parsed.ok ? null : parsed.message;
}

export interface InvalidItem {
  readonly place: string;
  readonly code: string;
  readonly message: string;
}

/** Maximum number of invalid items that are reported, the same limit as in the service. */
const INVALID_SHOWN_MAX = 100;

interface InvalidSettings {
  readonly code?: string;
  readonly exitCode?: ExitCode;
  /** Whether no earlier operation has changed anything. */
  readonly isUnchanged: boolean;
  /** Whether more errors may appear once these are corrected. */
  readonly isPartial: boolean;
}

export function invalidItems(
  items: readonly InvalidItem[],
  { code = 'ENTRY_INVALID', exitCode = 1, isUnchanged, isPartial }: InvalidSettings,
): CommandFailure {
  const shown = items.slice(0, INVALID_SHOWN_MAX);
  const least = isPartial || items.length >= INVALID_SHOWN_MAX ? 'at least ' : '';
  const many = shown.length === 1 ? '1 item is' : `${shown.length} items are`;
  const why = code === 'AUTHORITY_FOREIGN' ? 'of another authority' : 'invalid';
  const lines = shown.map(({ place, code: each, message }) => `  ${place}: ${each}: ${message}`);
  const first = `${code}: ${least}${many} ${why}${isUnchanged ? '; nothing was changed' : ''}`;
  return new CommandFailure([first, ...lines].join('\n'), exitCode, { code, items: shown });
}
