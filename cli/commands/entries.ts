/**
 * `lists block`, `unblock`, `clear`, `entries`: the live layer. A change is visible within seconds.
 */
import type {
  EntriesDone,
  EntryChange,
  EntryInfo,
  EntryItem,
  EntryPage,
  ListsInfo,
} from '../../shared/admin.ts';
import { BULK_ENTRIES_MAX, PAGE_MAX, PARTY_CHARS_MAX } from '../../shared/limits.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import { FOLDED_LIST_PREFIX } from '../../shared/release/manifest.ts';
import { parseSource } from '../../shared/sources/source.ts';
import type { Admin } from '../admin.ts';
import { AdminProblem } from '../admin-problem.ts';
import { CommandFailure } from '../failure.ts';
import { count } from '../figures.ts';
import { onInterrupt } from '../interrupt.ts';
import { startProgress } from '../progress.ts';
import { readRows } from '../rows.ts';

/** What is to be done with each item. */
export type EntryWish = Pick<EntryChange, 'op' | 'reason'> &
  Partial<Omit<EntryChange, 'op' | 'reason' | 'items'>>;

/** An item as it is written: with letters it is a source, anything else has to be a number. */
export function itemOf(text: string): EntryItem {
  const item = text.trim();
  // A source that is too long is still one: its beginning decides.
  const party = parseListed(item.slice(0, PARTY_CHARS_MAX));
  // Letters in a number are refused as a source, with the reason.
  const hasLetters = party.kind === 'invalid' && /\p{L}/u.test(item);
  return party.kind === 'source' || hasLetters ? { source: item } : { number: item };
}

/** An item, and where it was written. */
export interface WrittenItem {
  readonly item: EntryItem;
  readonly place: string;
}

export function itemsOfWords(texts: readonly string[]): WrittenItem[] {
  return texts.map((text, index) => ({ item: itemOf(text), place: `item ${index + 1}` }));
}

/** The numbers and sources of a file: CSV, NDJSON, or one a line. */
export async function itemsOfFile(path: string): Promise<WrittenItem[]> {
  const items: WrittenItem[] = [];
  const wrong: WrongItem[] = [];
  await readRows({ path }, ({ line, number, reason, since, until, authority, damage }) => {
    const place = `${path}, line ${line}`;
    if (damage !== null) wrong.push({ place, code: 'ROW_DAMAGED', message: damage });
    else if ([reason, since, until, authority].some((field) => field !== '')) {
      const message = 'only the number of a line is read here; --code, --until and --reason say the rest';
      wrong.push({ place, code: 'ENTRY_INVALID', message });
    } else items.push({ item: itemOf(number), place });
  });
  if (wrong.length > 0) {
    throw wrongItems(wrong, { code: 'ENTRY_INVALID', exitCode: 1, isFirst: true, isPart: true });
  }
  return items;
}

/** The items without those that say the same as one before them. */
export function distinctItems(items: readonly WrittenItem[]): WrittenItem[] {
  const seen = new Set<string>();
  return items.filter(({ item }) => seen.size < seen.add(sameAs(item)).size);
}

/** A text that is the same for all ways to write one number or source. */
function sameAs(item: EntryItem): string {
  if ('source' in item) {
    const parsed = parseSource(item.source);
    return 'source' in parsed ? `${parsed.source.kind} ${parsed.source.name}` : `senderId ${item.source}`;
  }
  const party = parseListed(item.number);
  const isOne = party.kind === 'number' && party.carrierPrefix === null;
  return isOne ? `number ${party.n}` : `text ${item.number}`;
}

/**
 * Change entries, in several operations where there are many: each is made whole or not at all.
 * @throws CommandFailure that says how many were changed before
 */
export async function changeEntries(
  admin: Admin,
  items: readonly WrittenItem[],
  wish: EntryWish,
): Promise<EntriesDone> {
  if (items.length === 0) throw new CommandFailure('name a number or a source, or a --file of them', 2);
  const operations = [...operationsOf(items)];
  // Of one operation, the service finds all that is wrong, and changes nothing.
  if (operations.length > 1) checkSources(items);
  const progress = startProgress(wish.op);
  let done: EntriesDone = { changed: 0, seq: 0 };
  let first = 0;
  let made = 0;
  const stopTelling = onInterrupt(() => {
    const next = count(operations[made]?.length ?? 0);
    return `${soFar(items, first, done)}; of those behind them, the next ${next} may have been${goOn(items, first)}`;
  });
  try {
    for (const some of operations) {
      const { seq, changed } = await admin
        .change<EntriesDone>('POST', 'entries', { ...wish, items: some.map(({ item }) => item) })
        .catch((error: unknown) => {
          throw partly(placed(error, some, first === 0), items, first, done);
        });
      done = { seq, changed: done.changed + changed };
      first += some.length;
      made++;
      progress.update(first / items.length, count(first));
    }
  } finally {
    stopTelling();
    progress.stop();
  }
  return done;
}

/** @param first items of operations that were made; they may make more entries */
function soFar(items: readonly WrittenItem[], first: number, { seq }: EntriesDone): string {
  if (first === 0) return 'nothing was changed before';
  return `the first ${count(first)} were changed (seq ${seq}), up to ${items[first - 1]!.place}`;
}

/** How to change the rest. */
function goOn(items: readonly WrittenItem[], first: number): string {
  if (first === 0) return '';
  return `\nto go on, repeat the command with what is behind ${items[first - 1]!.place}`;
}

/** Cut into what one operation takes: a sender id may make two entries. */
function* operationsOf(items: readonly WrittenItem[]): Generator<readonly WrittenItem[]> {
  let some: WrittenItem[] = [];
  let entries = 0;
  for (const each of items) {
    const own = 'source' in each.item ? 2 : 1;
    if (entries + own > BULK_ENTRIES_MAX) {
      yield some;
      some = [];
      entries = 0;
    }
    some.push(each);
    entries += own;
  }
  yield some;
}

/** A slip is found before anything is changed, also where it stands behind the first operation. */
function checkSources(items: readonly WrittenItem[]): void {
  const wrong = items.flatMap(({ item, place }) => {
    const message = sourceProblem(item);
    return message === null ? [] : [{ place, code: 'ENTRY_INVALID', message }];
  });
  if (wrong.length === 0) return;
  throw wrongItems(wrong, { code: 'ENTRY_INVALID', exitCode: 1, isFirst: true, isPart: true });
}

/** Why a source is none; null for a number, which the service looks at. */
function sourceProblem(item: EntryItem): string | null {
  const parsed = 'source' in item ? parseSource(item.source) : null;
  return parsed !== null && 'problem' in parsed ? parsed.problem : null;
}

interface WrongItem {
  readonly place: string;
  readonly code: string;
  readonly message: string;
}

/** Wrong items that are told, as the service tells them. */
const WRONG_TOLD_MAX = 100;

interface WrongSettings extends Pick<CommandFailure, 'exitCode'> {
  readonly code: string;
  /** Whether no operation before has changed anything. */
  readonly isFirst: boolean;
  /** Whether more may be found wrong once these are corrected. */
  readonly isPart: boolean;
}

function wrongItems(
  items: readonly WrongItem[],
  { code, exitCode, isFirst, isPart }: WrongSettings,
): CommandFailure {
  const told = items.slice(0, WRONG_TOLD_MAX);
  const lines = told.map(({ place, code: what, message }) => `  ${place}: ${what}: ${message}`);
  const many = items.length === 1 ? '1 item is' : `${told.length} items are`;
  const more = items.length < WRONG_TOLD_MAX ? '' : ', or more';
  const first = `${code}: ${many} wrong${isPart ? ' so far' : ''}${more}${isFirst ? '; nothing was changed' : ''}`;
  return new CommandFailure([first, ...lines].join('\n'), exitCode, { code, items: told });
}

/** What the service says of items, by where they were written: it knows only their place in one operation. */
function placed(error: unknown, items: readonly WrittenItem[], isFirst: boolean): unknown {
  if (!(error instanceof AdminProblem) || error.problem.items === undefined) return error;
  const wrong = error.problem.items.map(({ index, code, message }) => {
    const { place, item } = items[index] ?? { place: `item ${index + 1}`, item: null };
    // The service names fields of its own, which nobody has written here.
    return { place, code, message: (item === null ? null : sourceProblem(item)) ?? message };
  });
  const { code, exitCode } = error;
  return wrongItems(wrong, { code, exitCode, isFirst, isPart: false });
}

/** An operation has failed. @param done what those before it have changed */
function partly(error: unknown, items: readonly WrittenItem[], first: number, done: EntriesDone): unknown {
  if (!(error instanceof CommandFailure) || first === 0) return error;
  const before = `${soFar(items, first, done)}; those behind them were not:`;
  const told = { ...error.told, changed: first, seq: done.seq };
  return new CommandFailure(`${before}\n${error.message}${goOn(items, first)}`, error.exitCode, told);
}

/** Texts of a command line that are looked up; more come out of files, whose slips nobody sees one by one. */
const LOOKED_UP_MAX = 20;

/** Those of these that no live entry blocks or lets through: to clear them changes at most what was folded in. */
export async function withoutEntry(admin: Admin, texts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(texts.slice(0, LOOKED_UP_MAX).map((text) => findEntries(admin, text)));
  return texts.filter((_, index) => found[index]?.every(({ op }) => op === 'clear') === true);
}

/** Lists of the current release that let numbers through: a live block does not reach what stands on them. */
export async function allowLists(admin: Admin): Promise<string[]> {
  const { lists } = await admin.get<ListsInfo>('lists');
  const allows = lists.filter(
    ({ effect, name }) => effect === 'allow' && !name.startsWith(FOLDED_LIST_PREFIX),
  );
  return allows.map(({ name }) => name);
}

/** All entries up to one change, by rising seq. */
export async function allEntries(admin: Admin): Promise<{ entries: EntryInfo[]; upTo: number }> {
  const entries: EntryInfo[] = [];
  let upTo: number | null = null;
  let after: string | null = null;
  do {
    const page: EntryPage = await admin.get('entries', { after, upTo, limit: PAGE_MAX });
    entries.push(...page.entries);
    upTo = page.upTo;
    after = page.next;
  } while (after !== null);
  return { entries, upTo };
}

/** What is in force for one number or source, the newest first. */
export async function findEntries(admin: Admin, text: string): Promise<EntryInfo[]> {
  const { entries } = await admin.find<{ entries: EntryInfo[] }>('entries/find', itemOf(text));
  return entries;
}
