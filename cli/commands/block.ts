/** `numgate block`, `unblock`, `clear`: changes of the live layer. A change is visible within seconds. */
import { type Command, Option } from 'commander';
import type { EntriesDone, EntryChange, EntryItem, ListsInfo } from '../../shared/admin.ts';
import type { ProblemExtras } from '../../shared/admin-problems.ts';
import { BULK_ENTRIES_MAX } from '../../shared/limits.ts';
import type { LiveOp } from '../../shared/live/entry.ts';
import { FOLDED_LIST_PREFIX } from '../../shared/release/manifest.ts';
import { parseSource, type SourceKind } from '../../shared/sources/source.ts';
import { AGAINST_CODES, type Code, SUBJECTS, type Subject } from '../../shared/verdict.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { untilOf } from '../import/dates.ts';
import {
  distinctItems,
  invalidItems,
  itemsOfFile,
  itemsOfWords,
  sourceProblem,
  type WrittenItem,
} from '../import/items.ts';
import { count } from '../terminal/figures.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { findEntries } from './entries.ts';
import { examples, requireReason } from './options.ts';
import { type AuthorityOptions, addAuthorityOption, authorityField } from './override-authority.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

interface BlockOptions extends WaitOptions, AuthorityOptions {
  readonly file?: string;
  readonly code?: Code;
  readonly subject?: Subject;
  readonly until?: string;
  readonly reason: string;
}

const SENDER_IDS = `
Text with letters that looks like a number (a plus in front, or at least 7 digits) is refused, also after
sender:, because no check reads it as a sender ID. Write the number alone. Write sender: in front of a sender
ID that begins like a kind of source, such as operator: or trunk:.`;

const OPERATIONS = {
  block: {
    description: 'block numbers or sources now',
    example: 'block 010-2000-5036 PARCEL-KR --subject from --until 7d --reason "ticket 4711"',
    help: `
Emergency and protected numbers are refused. A number on an allow list of the release is still allowed.`,
    done: 'blocked',
  },
  unblock: {
    description: 'allow numbers or sources, even if a list blocks them (to undo a block, use clear)',
    example: 'unblock 010-2000-5036 --reason "reported by mistake" --wait',
    help: '',
    done: 'unblocked',
  },
  clear: {
    description: 'remove live entries, so that the release decides again',
    example: 'clear --file numbers.txt --reason "campaign is over"',
    help: '',
    done: 'cleared',
  },
} as const satisfies Record<LiveOp, object>;

export function addBlock(program: Command): void {
  for (const op of ['block', 'unblock', 'clear'] as const) {
    const { description, example, help } = OPERATIONS[op];
    const command = addWaitOptions(addAuthorityOption(requireReason(program.command(op))))
      .description(description)
      .argument('[numbers or sources...]', 'numbers in any usual form; text with letters is a sender ID')
      .option('--file <file>', 'read more from a file: .csv, .ndjson, or .txt with one per line')
      .addOption(
        new Option('--subject <subject>', 'only as sender or only as recipient (default: both)').choices(
          SUBJECTS,
        ),
      )
      .addHelpText('after', SENDER_IDS + help)
      .addHelpText('after', examples(example))
      .action((words: string[], options: BlockOptions) => changeLive(op, words, options));
    if (op === 'block') {
      const code = new Option('--code <code>', 'reason code (default: SENDER_REPORTED)');
      command.addOption(code.choices(AGAINST_CODES));
    }
    if (op !== 'clear') {
      const words =
        'when the entry expires: 2h, 7d, a date (start of that day in Korea), or a time (RFC 3339)';
      command.option('--until <end>', words);
    }
  }
}

async function changeLive(op: LiveOp, words: readonly string[], options: BlockOptions): Promise<void> {
  const { file, code, subject, reason } = options;
  const written = [...itemsOfWords(words), ...(file === undefined ? [] : await itemsOfFile(file))];
  const items = distinctItems(written);
  const until = options.until === undefined ? undefined : untilOf(options.until, new Date());
  const admin = adminOfEnvironment();
  // This lookup and the next are only advice. The change is made even if the token may not read.
  const unlisted = op === 'clear' ? await wordsWithoutEntry(admin, words).catch(() => []) : [];
  const done = await changeEntries(admin, items, {
    op,
    reason,
    ...authorityField(options),
    ...(code === undefined ? {} : { code }),
    ...(subject === undefined ? {} : { subjects: [subject] }),
    ...(until === undefined ? {} : { until }),
  });
  const allowed = op === 'block' ? await allowLists(admin).catch(() => []) : [];
  const change = { op, items: items.map(({ item }) => item), until, allowLists: allowed, unlisted };
  await printChange(formatChange({ ...change, duplicates: written.length - items.length }, done), options);
}

/** The operation to apply to each item. */
type EntryOperation = Pick<EntryChange, 'op' | 'reason'> &
  Partial<Omit<EntryChange, 'op' | 'reason' | 'items'>>;

/**
 * Changes entries. Many items are split into several operations, each of which is atomic.
 * @throws CommandFailure that says how many items were changed before the failure
 */
export async function changeEntries(
  admin: Admin,
  items: readonly WrittenItem[],
  operation: EntryOperation,
): Promise<EntriesDone> {
  if (items.length === 0) throw new CommandFailure('give a number or a source, or a file with --file', 2);
  const operations = [...operationsOf(items)];
  // The service validates a single operation as a whole and changes nothing if an item is invalid.
  if (operations.length > 1) checkSources(items);
  const progress = startProgress(operation.op);
  let done: EntriesDone = { changed: 0, seq: 0 };
  let first = 0;
  let sent: readonly WrittenItem[] = [];
  const stopNotice = onInterrupt(
    () =>
      `${soFar(items, first, done)}; the next ${count(sent.length)} may have been changed${howToContinue(items, first)}`,
  );
  try {
    for (sent of operations) {
      const { seq, changed } = await admin
        .change<EntriesDone>('POST', 'entries', { ...operation, items: sent.map(({ item }) => item) })
        .catch((error: unknown) => {
          throw withProgress(withPlaces(error, sent, first === 0), items, first, done);
        });
      done = { seq, changed: done.changed + changed };
      first += sent.length;
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
  return `the first ${count(first)} items were changed (seq ${seq}), up to ${items[first - 1]!.place}`;
}

function howToContinue(items: readonly WrittenItem[], first: number): string {
  return first === 0
    ? ''
    : `\nto continue, repeat the command with the items after ${items[first - 1]!.place}`;
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
  const invalid = items.flatMap(({ item, place }) => {
    const message = sourceProblem(item);
    return message === null ? [] : [{ place, code: 'ENTRY_INVALID', message }];
  });
  if (invalid.length > 0) throw invalidItems(invalid, { isUnchanged: true, isPartial: true });
}

/**
 * Maps the service's errors to where the items were written. The service knows only their index in one
 * operation.
 */
function withPlaces(error: unknown, sent: readonly WrittenItem[], isUnchanged: boolean): unknown {
  if (!(error instanceof CommandFailure)) return error;
  const { items, authorities = [] } = error.extras as ProblemExtras;
  if (items === undefined) return error;
  const invalid = items.map(({ index, code: each, message }) => {
    const { place, item } = sent[index] ?? { place: `item ${index + 1}`, item: null };
    // The service names fields of its own, which the admin did not write.
    const isForeign = each === 'AUTHORITY_FOREIGN';
    const ownWords = item === null || isForeign ? null : sourceProblem(item);
    return { place, code: each, message: ownWords ?? message };
  });
  const code = String(error.details.code);
  const settings = { code, exitCode: error.exitCode, isUnchanged, isPartial: false };
  const { message, exitCode, details } = invalidItems(invalid, settings);
  const hints = authorities.map((name) => `\nto act for it: --override-authority ${name}`);
  return new CommandFailure(message + hints.join(''), exitCode, { ...details, authorities });
}

/** An operation has failed. @param done what the operations before it have changed */
function withProgress(
  error: unknown,
  items: readonly WrittenItem[],
  first: number,
  done: EntriesDone,
): unknown {
  if (!(error instanceof CommandFailure) || first === 0) return error;
  const message = `${soFar(items, first, done)}; the items after it were not:\n${error.message}`;
  const extras = { ...error.details, changed: first, seq: done.seq };
  return new CommandFailure(message + howToContinue(items, first), error.exitCode, extras);
}

/**
 * Words of a command line that are looked up at most. Longer inputs come from files, where nobody reviews
 * each item.
 */
const LOOKED_UP_MAX = 20;

/** The words that no live entry blocks or allows. Clearing them changes at most folded entries. */
async function wordsWithoutEntry(admin: Admin, words: readonly string[]): Promise<string[]> {
  const found = await Promise.all(words.slice(0, LOOKED_UP_MAX).map((word) => findEntries(admin, word)));
  return words.filter((_, index) => found[index]?.every(({ op }) => op === 'clear') === true);
}

/** Allow lists of the current release. A live block does not affect numbers on them. */
export async function allowLists(admin: Admin): Promise<string[]> {
  const { lists } = await admin.get<ListsInfo>('lists');
  const allows = lists.filter(
    ({ effect, name }) => effect === 'allow' && !name.startsWith(FOLDED_LIST_PREFIX),
  );
  return allows.map(({ name }) => name);
}

const KINDS: Readonly<Record<'number' | SourceKind, string>> = {
  number: 'number',
  senderId: 'sender ID',
  operator: 'operator',
  trunk: 'trunk',
  smsc: 'SMSC',
};

/** Counts by kind, so that a number mistaken for a sender ID is visible: `2 numbers, 1 sender ID`. */
function formatKinds(items: readonly EntryItem[]): string {
  const counts = new Map<string, number>();
  for (const item of items) {
    const parsed = 'source' in item ? parseSource(item.source) : null;
    const kind = KINDS[parsed?.ok === true ? parsed.value.kind : 'number'];
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, many]) => `${count(many)} ${kind}${many === 1 ? '' : 's'}`).join(', ');
}

interface EntriesChange {
  readonly op: LiveOp;
  readonly items: readonly EntryItem[];
  /** RFC 3339, as it was sent. */
  readonly until: string | undefined;
  /** Allow lists of the release, which take precedence over a block. */
  readonly allowLists: readonly string[];
  /** Cleared words without a live entry. */
  readonly unlisted: readonly string[];
  /** Items that were skipped. */
  readonly duplicates: number;
}

export function formatChange(change: EntriesChange, done: EntriesDone): Report<EntriesDone> {
  const { op, items, until, allowLists: lists, unlisted, duplicates } = change;
  const lines = [
    `${formatKinds(items)} ${OPERATIONS[op].done}${until === undefined ? '' : ` until ${until}`} (seq ${done.seq})`,
    ...(duplicates === 0 ? [] : [`  skipped ${count(duplicates)} duplicate${duplicates === 1 ? '' : 's'}`]),
    ...(lists.length === 0
      ? []
      : [`  entries of an allow list (${lists.join(', ')}) are still allowed: remove them from the list`]),
    ...(unlisted.length === 0
      ? []
      : [`  no live entry for ${unlisted.join(', ')}; an entry that a release has folded in is cleared too`]),
  ];
  return [`${lines.join('\n')}\n`, done];
}
