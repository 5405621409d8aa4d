/** Commands of the live layer: changes that take effect now, without a release. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LiveOp } from '../../shared/live/entry.ts';
import { AGAINST_CODES, type Code, SUBJECTS, type Subject } from '../../shared/verdict.ts';
import { adminOfEnvironment } from '../admin.ts';
import {
  allEntries,
  allowLists,
  changeEntries,
  distinctItems,
  findEntries,
  itemsOfFile,
  itemsOfWords,
  itemsWithoutEntry,
} from '../commands/entries.ts';
import { untilOf } from '../import/until.ts';
import { entriesChanged, entriesOf } from '../report-service.ts';
import {
  addReasonOption,
  addWaitOptions,
  example,
  type Print,
  printChange,
  type Waiting,
} from './options.ts';

interface EntryOptions extends Waiting {
  readonly file?: string;
  readonly code?: Code;
  readonly subject?: Subject;
  readonly until?: string;
  readonly reason: string;
}

const WHAT: Readonly<Record<LiveOp, string>> = {
  block: 'block numbers or sources now',
  unblock: 'allow numbers or sources, whatever a list says (to undo a block, use clear)',
  clear: 'remove live entries, so that the release decides again',
};

export function addEntries(program: Command, print: Print): void {
  for (const op of ['block', 'unblock', 'clear'] as const) {
    const changing = addWaitOptions(addReasonOption(program.command(op)))
      .description(WHAT[op])
      .argument('[numbers or sources...]', 'numbers in any usual form; text with letters is a sender ID')
      .option('--file <file>', 'read more from a file: .csv, .ndjson, or .txt with one per line')
      .addOption(
        new Option('--subject <subject>', 'only as sender or only as recipient (default: both)').choices(
          SUBJECTS,
        ),
      );
    if (op === 'block') changing.option('--code <code>', 'reason code (default: SENDER_REPORTED)', code);
    if (op !== 'clear')
      changing.option(
        '--until <end>',
        'when the entry expires: 2h, 7d, a date (start of that day in Korea), or a time (RFC 3339)',
      );
    changing.addHelpText('after', HELP[op]);
    changing.action(async (texts: string[], options: EntryOptions) => {
      const written = [
        ...itemsOfWords(texts),
        ...(options.file === undefined ? [] : await itemsOfFile(options.file)),
      ];
      const items = distinctItems(written);
      const { code: cliOptions, subject, reason } = options;
      const until = options.until === undefined ? undefined : untilOf(options.until, new Date());
      const admin = adminOfEnvironment();
      // This lookup and the next are only advice. The change is made even if the token may not read.
      const unlisted = op === 'clear' ? await itemsWithoutEntry(admin, texts).catch(() => []) : [];
      const done = await changeEntries(admin, items, {
        op,
        reason,
        ...(cliOptions === undefined ? {} : { code: cliOptions }),
        ...(subject === undefined ? {} : { subjects: [subject] }),
        ...(until === undefined ? {} : { until }),
      });
      const allowed = op === 'block' ? await allowLists(admin).catch(() => []) : [];
      const change = {
        ...{ op, items: items.map(({ item }) => item), until, allowLists: allowed, unheld: unlisted },
        repeated: written.length - items.length,
      };
      await printChange(print, entriesChanged(change, done), options);
    });
    example(changing, EXAMPLES[op]);
  }

  const listing = program
    .command('entries')
    .description('list live entries, or those of one number or source')
    .argument('[number or source]')
    .action(async (text: string | undefined) => {
      const admin = adminOfEnvironment();
      print(
        ...entriesOf(text === undefined ? (await allEntries(admin)).entries : await findEntries(admin, text)),
      );
    });
  example(listing, 'entries 010-2000-5036');
}

const SENDER_IDS = `
A sender ID that looks like a number (a plus and a digit first, or at least 7 digits and fewer letters) is
refused as a likely mistake. Write sender: in front of it if you mean a sender ID.`;
const HELP: Readonly<Record<LiveOp, string>> = {
  block: `${SENDER_IDS}
Emergency and protected numbers are refused. A number on an allow list of the release is still allowed.`,
  unblock: SENDER_IDS,
  clear: SENDER_IDS,
};

const EXAMPLES: Readonly<Record<LiveOp, string>> = {
  block: 'block 010-2000-5036 PARCEL-KR --subject from --until 7d --reason "ticket 4711"',
  unblock: 'unblock 010-2000-5036 --reason "reported by mistake" --wait',
  clear: 'clear --file numbers.txt --reason "campaign is over"',
};

function code(text: string): string {
  if (AGAINST_CODES.some((known) => known === text)) return text;
  throw new InvalidArgumentError(`must be one of ${AGAINST_CODES.join(', ')}`);
}
