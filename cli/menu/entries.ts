/**
 * Commands of the live layer: what is changed now, without a release.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LiveOp } from '../../shared/live/entry.ts';
import { CODES, type Code, SUBJECTS, type Subject } from '../../shared/verdict.ts';
import { adminOfEnvironment } from '../admin.ts';
import { allEntries, changeEntries, findEntries, itemOf, itemsOfFile } from '../commands/entries.ts';
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
  unblock: 'let numbers or sources through, whatever a list says',
  clear: 'take live entries back: the release alone decides again',
};

export function addEntries(program: Command, print: Print): void {
  for (const op of ['block', 'unblock', 'clear'] as const) {
    const changing = waiting(reasoned(program.command(op)))
      .description(WHAT[op])
      .argument('[numbers or sources...]', 'as they are written; with letters it is a source')
      .option('--file <file>', 'more of them: CSV, NDJSON, or one a line')
      .addOption(
        new Option('--subject <subject>', 'only as sender or as recipient (default: both)').choices(SUBJECTS),
      );
    if (op === 'block')
      changing.option('--code <code>', 'code of the verdict (default: SENDER_REPORTED)', code);
    if (op !== 'clear')
      changing.option('--until <end>', 'ends by itself: 2h, 7d, a date, or a time (RFC 3339)');
    changing.action(async (texts: string[], options: EntryOptions) => {
      const items = [
        ...texts.map(itemOf),
        ...(options.file === undefined ? [] : await itemsOfFile(options.file)),
      ];
      const { code: said, subject, until, reason } = options;
      const done = await changeEntries(adminOfEnvironment(), items, {
        op,
        reason,
        ...(said === undefined ? {} : { code: said }),
        ...(subject === undefined ? {} : { subjects: [subject] }),
        ...(until === undefined ? {} : { until: untilOf(until, new Date()) }),
      });
      await printChange(print, entriesChanged(op, done), options);
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

const EXAMPLES: Readonly<Record<LiveOp, string>> = {
  block: 'block 010-2000-5036 PARCEL-KR --subject from --until 7d --reason "ticket 4711"',
  unblock: 'unblock 010-2000-5036 --reason "reported by mistake" --wait',
  clear: 'clear --file numbers.txt --reason "campaign is over"',
};

function code(text: string): string {
  if (CODES.some((known) => known === text)) return text;
  throw new InvalidArgumentError(`is one of ${CODES.join(', ')}`);
}
