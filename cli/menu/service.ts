/** Commands for monitoring: status, watch, the audit log, and the guards for pushes. */
import { type Command, InvalidArgumentError } from 'commander';
import type { KnownRecord } from '../../shared/audit.ts';
import { adminOfEnvironment } from '../admin.ts';
import { auditLines, trimAudit, verifyFile, verifyService } from '../commands/audit.ts';
import { blockLines } from '../commands/blocks.ts';
import { getGuards, setGuards } from '../commands/guards.ts';
import { status } from '../commands/status.ts';
import { watchChanges, watchUntil } from '../commands/watch.ts';
import { CommandFailure } from '../failure.ts';
import { secondsOf } from '../import/dates.ts';
import { guardsOf, seenLine, statusOf, verified } from '../report-service.ts';
import { listKeys } from '../secrets.ts';
import { writeLine } from '../terminal/output.ts';
import { addReasonOption, edges, example, type Print, urlsOf, WAIT_SECONDS, wholeNumber } from './options.ts';

interface WatchOptions {
  readonly url: string[];
  readonly seq?: number;
  readonly timeout?: number;
}

export function addService(program: Command, print: Print): void {
  const showing = edges(program.command('status'))
    .description('show the current state, and the state each edge answers from')
    .action(async ({ url }: { url: string[] }) => {
      const shown = await status(adminOfEnvironment(), urlsOf(url));
      print(...statusOf(shown));
      const silent = shown.edges.filter(({ health }) => health === null).map((edge) => edge.url);
      if (silent.length > 0) throw new CommandFailure(`no answer from ${silent.join(', ')}`);
    });
  example(showing, 'status --url https://edge-1.example --url https://edge-2.example');

  const watching = edges(program.command('watch'))
    .description('follow the state of edges, until they show a change or until Ctrl-C')
    .option('--seq <number>', 'stop when every edge shows this change', wholeNumber)
    .option(
      '--timeout <seconds>',
      `with --seq: give up after this long (default: ${WAIT_SECONDS})`,
      wholeNumber,
    )
    .action(async ({ url, seq, timeout }: WatchOptions) => {
      const urls = urlsOf(url);
      if (seq === undefined && timeout !== undefined) throw new CommandFailure('--timeout needs --seq', 2);
      if (seq === undefined) {
        await watchChanges(urls, (seen) => print(seenLine(seen), seen));
        return;
      }
      const visible = await watchUntil(urls, seq, (timeout ?? WAIT_SECONDS) * 1000);
      print(visible.map(seenLine).join(''), { seq, visible });
    });
  example(watching, 'watch --seq 1842');

  const blocks = program
    .command('blocks')
    .description('export what was blocked on a day as NDJSON, for clients with --record-blocks')
    .argument('<day>', 'a UTC day, such as 2026-11-24', day)
    .option('--reveal', 'show numbers in the clear (they are stored keyed with LIST_KEY)', false)
    .action(async (asked: string, { reveal }: { reveal: boolean }) => {
      const permutation = reveal ? (await listKeys()).permutation : null;
      for await (const line of blockLines(adminOfEnvironment(), asked, permutation)) await writeLine(line);
    });
  example(blocks, 'blocks 2026-11-24 > blocks.ndjson');

  addAudit(program, print);
  addGuards(program, print);
}

function day(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && secondsOf(text) !== null) return text;
  throw new InvalidArgumentError('must be a UTC day, such as 2026-11-24');
}

function addAudit(program: Command, print: Print): void {
  const audit = program.command('audit').description('export, verify and trim the audit log');

  const exporting = audit
    .command('export')
    .description('write the audit log to standard output as NDJSON')
    .option('--after <n>', 'only records after this one', wholeNumber, 0)
    .action(async ({ after }: { after: number }) => {
      for await (const line of auditLines(adminOfEnvironment(), after)) await writeLine(line);
    });
  example(exporting, 'audit export > audit.ndjson');

  const verifying = audit
    .command('verify')
    .description('verify the hash chain of a file or of the service, and show the first wrong record')
    .argument('[file]', 'a file from audit export (default: the log of the service)')
    .option('--after <n>', 'start after this record, and trust the records before it', wholeNumber, 0)
    .option(
      '--known <n:hash>',
      'a record noted elsewhere, at or after --after, that must have this hash',
      known,
    )
    .action(async (file: string | undefined, options: { after: number; known?: KnownRecord }) => {
      const settings = { after: options.after, known: options.known === undefined ? [] : [options.known] };
      const result = await (file === undefined
        ? verifyService(adminOfEnvironment(), settings)
        : verifyFile(file, settings));
      print(...verified(result));
      if (result.broken !== null) throw new CommandFailure('audit log verification failed');
    });
  example(verifying, 'audit verify audit.ndjson --known 1200:9f2c…');

  const trimming = addReasonOption(audit.command('trim'))
    .description('remove exported records older than a week from the service (only the token root may)')
    .argument('<file>', 'a file from audit export; it is verified first, and is the only copy afterwards')
    .action(async (file: string, { reason }: { reason: string }) => {
      const done = await trimAudit(adminOfEnvironment(), file, reason);
      print(`the log begins behind record ${done.trimmedTo}: keep ${file}\n`, done);
    });
  example(trimming, "audit trim audit.ndjson --reason 'kept in the archive of 2026'");
}

function known(text: string): KnownRecord {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('must be a record number and a hash, as audit verify prints them');
  return { n: Number(match[1]), hash: match[2]! };
}

function addGuards(program: Command, print: Print): void {
  const guards = program
    .command('guards')
    .helpGroup('Policy:')
    .description('show or change guards, the bounds on what a push may change');

  const showing = guards
    .command('show')
    .description('show the guards')
    .action(async () => print(...guardsOf(await getGuards(adminOfEnvironment()))));
  example(showing, 'guards show');

  const setting = addReasonOption(guards.command('set'))
    .description('change guards; those that are not named stay as they are')
    .argument('<name=value...>', 'values as JSON')
    .action(async (pairs: string[], { reason }: { reason: string }) =>
      print(...guardsOf(await setGuards(adminOfEnvironment(), pairs, reason))),
    );
  setting.addHelpText(
    'after',
    `
protectedNumbers replaces the whole list; write each number as an integer. A push that lists a protected number, or
a block of one, is refused. A live block that is already in force stays until it is cleared.`,
  );
  example(setting, "guards set addShare=0.5 --reason 'first import of the year'");
}
