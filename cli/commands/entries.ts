/** `numgate block`, `unblock`, `clear`, `entries`: the live layer. A change is visible within seconds. */
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
import { readRows } from '../import/rows.ts';
import { count } from '../terminal/figures.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { startProgress } from '../terminal/progress.ts';

/** The operation to apply to each item. */
export type EntryOperation = Pick<EntryChange, 'op' | 'reason'> &
  Partial<Omit<EntryChange, 'op' | 'reason' | 'items'>>;

/** Parses one item. Text with letters is a source. Anything else must be a number. */
export function itemOf(text: string): EntryItem {
  const item = text.trim();
  // A source that is too long is still a source, so its beginning decides.
  const party = parseListed(item.slice(0, PARTY_CHARS_MAX));
  // A number with letters is rejected as a source, and the error gives the reason.
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

/** The numbers and sources of a file: CSV, NDJSON, or one per line. */
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

/** The items without duplicates of earlier ones. */
export function distinctItems(items: readonly WrittenItem[]): WrittenItem[] {
  const seen = new Set<string>();
  return items.filter(({ item }) => seen.size < seen.add(sameAs(item)).size);
}

/** A key that is the same for all spellings of one number or source. */
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
 * Changes entries. Many items are split into several operations, each of which is atomic.
 * @throws CommandFailure that says how many items were changed before the failure
 */
export async function changeEntries(
  admin: Admin,
  items: readonly WrittenItem[],
  operation: EntryOperation,
): Promise<EntriesDone> {
  if (items.length === 0) throw new CommandFailure('name a number or a source, or a --file of them', 2);
  const operations = [...operationsOf(items)];
  // The service validates a single operation as a whole and changes nothing if an item is wrong.
  if (operations.length > 1) checkSources(items);
  const progress = startProgress(operation.op);
  let done: EntriesDone = { changed: 0, seq: 0 };
  let first = 0;
  let created = 0;
  const stopNotice = onInterrupt(() => {
    const next = count(operations[created]?.length ?? 0);
    return `${soFar(items, first, done)}; of those behind them, the next ${next} may have been${goOn(items, first)}`;
  });
  try {
    for (const some of operations) {
      const { seq, changed } = await admin
        .change<EntriesDone>('POST', 'entries', { ...operation, items: some.map(({ item }) => item) })
        .catch((error: unknown) => {
          throw partly(placed(error, some, first === 0), items, first, done);
        });
      done = { seq, changed: done.changed + changed };
      first += some.length;
      created++;
      progress.update(first / items.length, count(first));
    }
  } finally {
    stopNotice();
    progress.stop();
  }
  return done;
}

/** @param first number of items in the completed operations; they may make more entries */
function soFar(items: readonly WrittenItem[], first: number, { seq }: EntriesDone): string {
  if (first === 0) return 'nothing was changed before';
  return `the first ${count(first)} were changed (seq ${seq}), up to ${items[first - 1]!.place}`;
}

/** How to change the rest. */
function goOn(items: readonly WrittenItem[], first: number): string {
  if (first === 0) return '';
  return `\nto go on, repeat the command with what is behind ${items[first - 1]!.place}`;
}

/** Splits the items into operations. A sender ID may make two entries. */
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

/** Finds errors before anything is changed, even in items after the first operation. */
function checkSources(items: readonly WrittenItem[]): void {
  const wrong = items.flatMap(({ item, place }) => {
    const message = sourceProblem(item);
    return message === null ? [] : [{ place, code: 'ENTRY_INVALID', message }];
  });
  if (wrong.length === 0) return;
  throw wrongItems(wrong, { code: 'ENTRY_INVALID', exitCode: 1, isFirst: true, isPart: true });
}

/** Why a source is invalid. Null for a number, which the service validates. */
function sourceProblem(item: EntryItem): string | null {
  const parsed = 'source' in item ? parseSource(item.source) : null;
  return parsed !== null && 'problem' in parsed ? parsed.problem : null;
}

interface WrongItem {
  readonly place: string;
  readonly code: string;
  readonly message: string;
}

/** Wrong items that are reported at most, the same limit as in the service. */
const WRONG_SHOWN_MAX = 100;

interface WrongSettings extends Pick<CommandFailure, 'exitCode'> {
  readonly code: string;
  /** Whether no earlier operation has changed anything. */
  readonly isFirst: boolean;
  /** Whether more errors may appear once these are corrected. */
  readonly isPart: boolean;
}

function wrongItems(
  items: readonly WrongItem[],
  { code, exitCode, isFirst, isPart }: WrongSettings,
): CommandFailure {
  const reported = items.slice(0, WRONG_SHOWN_MAX);
  const lines = reported.map(({ place, code: what, message }) => `  ${place}: ${what}: ${message}`);
  const many = items.length === 1 ? '1 item is' : `${reported.length} items are`;
  const more = items.length < WRONG_SHOWN_MAX ? '' : ', or more';
  const first = `${code}: ${many} wrong${isPart ? ' so far' : ''}${more}${isFirst ? '; nothing was changed' : ''}`;
  return new CommandFailure([first, ...lines].join('\n'), exitCode, { code, items: reported });
}

/**
 * Maps the service's errors to where the items were written. The service knows only their index in one
 * operation.
 */
function placed(error: unknown, items: readonly WrittenItem[], isFirst: boolean): unknown {
  if (!(error instanceof AdminProblem) || error.problem.items === undefined) return error;
  const wrong = error.problem.items.map(({ index, code, message }) => {
    const { place, item } = items[index] ?? { place: `item ${index + 1}`, item: null };
    // The service names fields of its own, which the admin did not write.
    return { place, code, message: (item === null ? null : sourceProblem(item)) ?? message };
  });
  const { code, exitCode } = error;
  return wrongItems(wrong, { code, exitCode, isFirst, isPart: false });
}

/** An operation has failed. @param done what the operations before it have changed */
function partly(error: unknown, items: readonly WrittenItem[], first: number, done: EntriesDone): unknown {
  if (!(error instanceof CommandFailure) || first === 0) return error;
  const before = `${soFar(items, first, done)}; those behind them were not:`;
  const reported = { ...error.details, changed: first, seq: done.seq };
  return new CommandFailure(`${before}\n${error.message}${goOn(items, first)}`, error.exitCode, reported);
}

/**
 * Items of a command line that are looked up at most. Longer inputs come from files, where nobody reviews
 * each item.
 */
const LOOKED_UP_MAX = 20;

/** The items that no live entry blocks or allows. Clearing them changes at most folded entries. */
export async function itemsWithoutEntry(admin: Admin, texts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(texts.slice(0, LOOKED_UP_MAX).map((text) => findEntries(admin, text)));
  return texts.filter((_, index) => found[index]?.every(({ op }) => op === 'clear') === true);
}

/** Allow lists of the current release. A live block does not affect numbers on them. */
export async function allowLists(admin: Admin): Promise<string[]> {
  const { lists } = await admin.get<ListsInfo>('lists');
  const allows = lists.filter(
    ({ effect, name }) => effect === 'allow' && !name.startsWith(FOLDED_LIST_PREFIX),
  );
  return allows.map(({ name }) => name);
}

/** All entries up to one change, by ascending seq. */
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

/** The entries in force for one number or source, newest first. */
export async function findEntries(admin: Admin, text: string): Promise<EntryInfo[]> {
  const { entries } = await admin.find<{ entries: EntryInfo[] }>('entries/find', itemOf(text));
  return entries;
}
