/**
 * Commands that look on: status, watch, the audit log; and the guards that pushes are held to.
 */
import { type Command, InvalidArgumentError } from 'commander';
import type { KnownRecord } from '../../shared/audit.ts';
import { adminOfEnvironment } from '../admin.ts';
import { auditLines, trimAudit, verifyFile, verifyService } from '../commands/audit.ts';
import { blockLines } from '../commands/blocks.ts';
import { getGuards, setGuards } from '../commands/guards.ts';
import { status } from '../commands/status.ts';
import { watchChanges, watchUntil } from '../commands/watch.ts';
import { secondsOf } from '../dates.ts';
import { CommandFailure } from '../failure.ts';
import { writeLine } from '../output.ts';
import { guardsOf, seenLine, statusOf, verified } from '../report-service.ts';
import { listKeys } from '../secrets.ts';
import { edges, example, type Print, reasoned, urlsOf, WAIT_SECONDS, wholeNumber } from './options.ts';

interface WatchOptions {
  readonly url: string[];
  readonly seq?: number;
  readonly timeout?: number;
}

export function addService(program: Command, print: Print): void {
  const showing = edges(program.command('status'))
    .description('show what is current, and what edges answer from')
    .action(async ({ url }: { url: string[] }) => {
      const shown = await status(adminOfEnvironment(), urlsOf(url));
      print(...statusOf(shown));
      const silent = shown.edges.filter(({ health }) => health === null).map((edge) => edge.url);
      if (silent.length > 0) throw new CommandFailure(`no answer from ${silent.join(', ')}`);
    });
  example(showing, 'status --url https://edge-1.example --url https://edge-2.example');

  const watching = edges(program.command('watch'))
    .description('follow what edges answer from: until they show a change, or every change until Ctrl-C')
    .option('--seq <number>', 'until they show this change', wholeNumber)
    .option('--timeout <seconds>', `with --seq: when to give up (default: ${WAIT_SECONDS})`, wholeNumber)
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
    .description('what was blocked on a day, for clients with --record-blocks, as NDJSON')
    .argument('<day>', 'a day of UTC, as in 2026-11-24', day)
    .option('--reveal', 'tell the numbers, which are kept keyed with LIST_KEY', false)
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
  throw new InvalidArgumentError('is a day, as in 2026-11-24');
}

function addAudit(program: Command, print: Print): void {
  const audit = program.command('audit').description('the log of every change, and whether it is whole');

  const exporting = audit
    .command('export')
    .description('write the log as NDJSON to standard output')
    .option('--after <n>', 'only what stands behind this record', wholeNumber, 0)
    .action(async ({ after }: { after: number }) => {
      for await (const line of auditLines(adminOfEnvironment(), after)) await writeLine(line);
    });
  example(exporting, 'audit export > audit.ndjson');

  const verifying = audit
    .command('verify')
    .description(
      'follow the chain of hashes, of a file or of the service; tell the first record that is wrong',
    )
    .argument('[file]', 'what audit export wrote (default: ask the service)')
    .option('--after <n>', 'begin behind this record, and believe what stands before it', wholeNumber, 0)
    .option(
      '--known <n:hash>',
      'a record that was kept elsewhere, at --after or behind it: it must have this hash',
      known,
    )
    .action(async (file: string | undefined, options: { after: number; known?: KnownRecord }) => {
      const settings = { after: options.after, known: options.known === undefined ? [] : [options.known] };
      const outcome = await (file === undefined
        ? verifyService(adminOfEnvironment(), settings)
        : verifyFile(file, settings));
      print(...verified(outcome));
      if (outcome.broken !== null) throw new CommandFailure('the audit log is not what it was');
    });
  example(verifying, 'audit verify audit.ndjson --known 1200:9f2c…');

  const trimming = reasoned(audit.command('trim'))
    .description(
      'remove from the service the records of an export that are older than a week; for the token root',
    )
    .argument('<file>', 'what audit export wrote: it is verified first, and then holds the only copy')
    .action(async (file: string, { reason }: { reason: string }) => {
      const done = await trimAudit(adminOfEnvironment(), file, reason);
      print(`the log begins behind record ${done.trimmedTo}: keep ${file}\n`, done);
    });
  example(trimming, "audit trim audit.ndjson --reason 'kept in the archive of 2026'");
}

function known(text: string): KnownRecord {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null) throw new InvalidArgumentError('is a place and a hash, as audit verify prints them');
  return { n: Number(match[1]), hash: match[2]! };
}

function addGuards(program: Command, print: Print): void {
  const guards = program.command('guards').description('what a push must not do without being told to');

  const showing = guards
    .command('show')
    .description('show the settings')
    .action(async () => print(...guardsOf(await getGuards(adminOfEnvironment()))));
  example(showing, 'guards show');

  const setting = reasoned(guards.command('set'))
    .description('change settings; those that are not named stay')
    .argument('<name=value...>', 'values are written as JSON')
    .action(async (pairs: string[], { reason }: { reason: string }) =>
      print(...guardsOf(await setGuards(adminOfEnvironment(), pairs, reason))),
    );
  setting.addHelpText(
    'after',
    `
protectedNumbers are all of them, each as an integer. They stop a push that would list one, and a block of one;
a live block of one that is in force already stays until it is cleared.`,
  );
  example(setting, "guards set addShare=0.5 --reason 'first import of the year'");
}
