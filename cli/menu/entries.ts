/**
 * Commands of the live layer: what is changed now, without a release.
 */
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
  withoutEntry,
} from '../commands/entries.ts';
import { entriesChanged, entriesOf } from '../report-service.ts';
import { untilOf } from '../until.ts';
import { example, type Print, printChange, reasoned, type Waiting, waiting } from './options.ts';

interface EntryOptions extends Waiting {
  readonly file?: string;
  readonly code?: Code;
  readonly subject?: Subject;
  readonly until?: string;
  readonly reason: string;
}

const WHAT: Readonly<Record<LiveOp, string>> = {
  block: 'block numbers or sources, from now on',
  unblock: 'let numbers or sources through, whatever a list says (clear takes a block back)',
  clear: 'take live entries back: the release alone decides again',
};

export function addEntries(program: Command, print: Print): void {
  for (const op of ['block', 'unblock', 'clear'] as const) {
    const changing = waiting(reasoned(program.command(op)))
      .description(WHAT[op])
      .argument('[numbers or sources...]', 'as they are written; with letters it is a sender id')
      .option('--file <file>', 'more of them: .csv, .ndjson, or .txt with one a line')
      .addOption(
        new Option('--subject <subject>', 'only as sender or as recipient (default: both)').choices(SUBJECTS),
      );
    if (op === 'block')
      changing.option('--code <code>', 'code of the verdict (default: SENDER_REPORTED)', code);
    if (op !== 'clear')
      changing.option(
        '--until <end>',
        'ends by itself: 2h, 7d, a date (as that day begins in Korea), or a time (RFC 3339)',
      );
    changing.addHelpText('after', HELP[op]);
    changing.action(async (texts: string[], options: EntryOptions) => {
      const written = [
        ...itemsOfWords(texts),
        ...(options.file === undefined ? [] : await itemsOfFile(options.file)),
      ];
      const items = distinctItems(written);
      const { code: said, subject, reason } = options;
      const until = options.until === undefined ? undefined : untilOf(options.until, new Date());
      const admin = adminOfEnvironment();
      // Advice only, this and the next: the change is made, also where the token may not read.
      const unheld = op === 'clear' ? await withoutEntry(admin, texts).catch(() => []) : [];
      const done = await changeEntries(admin, items, {
        op,
        reason,
        ...(said === undefined ? {} : { code: said }),
        ...(subject === undefined ? {} : { subjects: [subject] }),
        ...(until === undefined ? {} : { until }),
      });
      const allowed = op === 'block' ? await allowLists(admin).catch(() => []) : [];
      const change = {
        ...{ op, items: items.map(({ item }) => item), until, allowLists: allowed, unheld },
        repeated: written.length - items.length,
      };
      await printChange(print, entriesChanged(change, done), options);
    });
    example(changing, EXAMPLES[op]);
  }

  const listing = program
    .command('entries')
    .description('show the live entries, or those of one number or source')
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
A sender id that is written like a number (a plus and a digit first, or at least 7 digits and fewer letters) is
taken for a slip and refused: write sender: in front if it is meant.`;
const HELP: Readonly<Record<LiveOp, string>> = {
  block: `${SENDER_IDS}
Emergency and protected numbers are refused. What is on an allow list of the release goes through all the same.`,
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
  throw new InvalidArgumentError(`is one of ${AGAINST_CODES.join(', ')}`);
}
