/** `numgate block`, `unblock`, `clear`: changes of the live layer. A change is visible within seconds. */
import { type Command, Option } from 'commander';
import type { EntriesDone, EntryItem } from '../../shared/admin/entries.ts';
import type { ListsInfo } from '../../shared/admin/releases.ts';
import type { ChangeOp } from '../../shared/live/entry.ts';
import { LIVE_GUARDS, type LiveGuard } from '../../shared/release/guard-settings.ts';
import { FOLDED_LIST_PREFIX } from '../../shared/release/manifest.ts';
import { parseSource, type SourceKind } from '../../shared/sources/source.ts';
import { AGAINST_CODES, type Code, SUBJECTS, type Subject } from '../../shared/verdict.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { untilOf } from '../import/dates.ts';
import { distinctItems, itemOf, itemsOfFile, itemsOfWords, type WrittenItem } from '../import/items.ts';
import { formatGuard } from '../problem.ts';
import { count } from '../terminal/figures.ts';
import { INPUT, linesOfInput } from '../terminal/input.ts';
import { print, type Report } from '../terminal/output.ts';
import { typedCommand } from '../terminal/shell-word.ts';
import { visible } from '../terminal/visible.ts';
import { findEntries } from './entries.ts';
import { changeEntries } from './entry-changes.ts';
import { examples, requireReason } from './options.ts';
import { overrideOption } from './override.ts';
import { type AuthorityOptions, addAuthorityOption, authorityField } from './override-authority.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

interface BlockOptions extends WaitOptions, AuthorityOptions {
  readonly override?: readonly LiveGuard[];
  readonly dryRun: boolean;
  readonly file?: string;
  readonly code?: Code;
  readonly subject?: Subject;
  readonly until?: string;
  readonly reason: string;
}

const WORDS = `
Shell histories and process lists show the words of a command line. To keep numbers out of them, put the numbers into a
file, or pass --file - and write the numbers to standard input, one per line.
Text with letters that looks like a number (it begins with a plus, or has at least 7 digits) is refused, even after
sender:, because no check reads it as a sender ID. Write only the number. If a sender ID begins like a kind of source,
such as operator: or trunk:, put sender: in front of it.`;

const OPERATIONS = {
  block: {
    description: 'block numbers or sources now',
    example: 'block --file - --subject from --until 7d --reason "ticket 4711"',
    help: `
Emergency numbers are refused. Protected numbers are refused unless you override the guard. A number on an allow list of
the release is still allowed.`,
    done: 'blocked',
  },
  unblock: {
    description: 'allow numbers or sources, even if a list blocks them (to undo a block, use clear)',
    example: 'unblock --file - --reason "reported by mistake" --wait',
    help: '',
    done: 'unblocked',
  },
  clear: {
    description: 'remove live entries, so that the release decides again',
    example: 'clear --file numbers.txt --reason "campaign is over"',
    help: '',
    done: 'cleared',
  },
} as const satisfies Record<ChangeOp, object>;

export function addBlock(program: Command): void {
  for (const op of ['block', 'unblock', 'clear'] as const) {
    const { description, example, help } = OPERATIONS[op];
    const command = addWaitOptions(addAuthorityOption(requireReason(program.command(op))))
      .description(description)
      .argument('[numbers or sources...]', 'numbers in any usual form; text with letters is a sender ID')
      .option(
        '--file <file>',
        'read more from a file: .csv, .ndjson, or .txt with one per line; - is standard input, one per line',
      )
      .addOption(
        new Option('--subject <subject>', 'only as sender or only as recipient (default: both)').choices(
          SUBJECTS,
        ),
      )
      .option(
        '--dry-run',
        'show what would change and which guards it would hit, without changing anything',
        false,
      )
      .addOption(overrideOption(LIVE_GUARDS))
      .addHelpText('after', WORDS + help)
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

async function changeLive(op: ChangeOp, words: readonly string[], options: BlockOptions): Promise<void> {
  const { file, code, subject, reason } = options;
  const written = [...itemsOfWords(words), ...(await itemsOf(file))];
  const items = distinctItems(written);
  const until = options.until === undefined ? undefined : untilOf(options.until, new Date());
  const admin = adminOfEnvironment();
  // This lookup and that of the allow lists only add hints. The change is made even if the token may not read.
  const unlisted = op === 'clear' ? await wordsWithoutEntry(admin, words).catch(() => []) : [];
  const operation = {
    op,
    reason,
    ...authorityField(options),
    ...(options.override === undefined ? {} : { overrides: [...options.override] }),
    ...(options.dryRun ? { dryRun: true } : {}),
    ...(code === undefined ? {} : { code }),
    ...(subject === undefined ? {} : { subjects: [subject] }),
    ...(until === undefined ? {} : { until }),
  };
  // Errors must not show numbers, so they repeat the command line only if it names none.
  const done = await changeEntries(admin, items, operation, words.length === 0 ? typedCommand() : null);
  const allowed = op === 'block' ? await allowLists(admin).catch(() => []) : [];
  const overrides = options.override ?? [];
  const change = {
    op,
    items: items.map(({ item }) => item),
    until,
    allowLists: allowed,
    unlisted,
    overrides,
  };
  const report = formatChange({ ...change, duplicates: written.length - items.length }, done);
  if (options.dryRun) print(...report);
  else {
    const isTermination = op === 'block' && options.code === 'NUMBER_TERMINATED';
    const hints = isTermination ? suspendedHint(done.operations) : '';
    await printChange(report, options, undoHint(done.operations) + hints);
  }
}

export async function itemsOf(file: string | undefined): Promise<WrittenItem[]> {
  if (file === undefined) return [];
  if (file !== INPUT) return itemsOfFile(file);
  const lines = await linesOfInput();
  return lines.flatMap((line, index) =>
    // Skip empty lines and comments, as in a .txt file.
    line === '' || line.startsWith('#')
      ? []
      : [{ item: itemOf(line), place: `standard input, line ${index + 1}` }],
  );
}

/**
 * Maximum number of words of a command line that are looked up. Longer inputs come from files, where nobody reviews each
 * item.
 */
const LOOKED_UP_MAX = 20;

/** The words that no live entry blocks or allows. Clearing them changes at most folded entries. */
async function wordsWithoutEntry(admin: Admin, words: readonly string[]): Promise<string[]> {
  const found = await Promise.all(words.slice(0, LOOKED_UP_MAX).map((word) => findEntries(admin, word)));
  return words.filter(
    (_, index) => found[index]?.every(({ op }) => op === 'clear' || op === 'undo') === true,
  );
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
  readonly op: ChangeOp;
  readonly items: readonly EntryItem[];
  /** RFC 3339, as it was sent. */
  readonly until: string | undefined;
  /** Allow lists of the release, which take precedence over a block. */
  readonly allowLists: readonly string[];
  /** Cleared words without a live entry. */
  readonly unlisted: readonly string[];
  /** Guards that the change overrides. */
  readonly overrides?: readonly string[];
  /** Items that were skipped. */
  readonly duplicates: number;
}

export function formatChange<Done extends EntriesDone>(change: EntriesChange, done: Done): Report<Done> {
  const { op, items, until, allowLists: lists, unlisted, duplicates, overrides = [] } = change;
  const { dryRun } = done;
  const what = `${OPERATIONS[op].done}${until === undefined ? '' : ` until ${until}`}`;
  const lines = [
    dryRun === undefined
      ? `${formatKinds(items)} ${what} (seq ${done.seq})`
      : `${formatKinds(items)} would be ${what}; nothing was changed`,
    ...(dryRun === undefined
      ? []
      : [
          `  ${count(dryRun.entries)} entries, of which ${count(dryRun.replaced)} replace others (one per number and subject)`,
          ...dryRun.guards.map((hit) =>
            overrides.includes(hit.override)
              ? `  ${hit.guard}: ${visible(hit.message)}   (overridden)`
              : `  ${formatGuard(hit)}`,
          ),
        ]),
    ...(duplicates === 0 ? [] : [`  skipped ${count(duplicates)} duplicate${duplicates === 1 ? '' : 's'}`]),
    ...(lists.length === 0
      ? []
      : [`  entries of an allow list (${lists.join(', ')}) are still allowed: remove them from the list`]),
    ...(unlisted.length === 0
      ? []
      : [
          `  no live entry for ${unlisted.join(', ')}; entries that were folded into a release are cleared too`,
        ]),
  ];
  return [`${lines.join('\n')}\n`, done];
}

/** A block of terminated numbers suspends registrations, and an undo does not restore them. */
function suspendedHint(operations: readonly number[] = []): string {
  return operations
    .map(
      (operation) =>
        `  to list the registrations that it suspends: npx numgate review suspended ${operation}\n`,
    )
    .join('');
}

/** The commands that undo the operations, the last operation first. */
export function undoHint(operations: readonly number[] = []): string {
  return operations
    .toReversed()
    .map((operation) => `  to undo it: npx numgate undo ${operation} --reason "…"\n`)
    .join('');
}
