/**
 * `numgate blocks`: what was blocked on a day, for clients that record blocks. The numbers are keyed. Only
 * `--reveal` decrypts them, with LIST_KEY.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { SUFFIX_COUNT, toE164 } from '../../shared/numbers/number.ts';
import type { BlockRecord } from '../../shared/screening/block-record.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { adminOfEnvironment, type Page } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { secondsOf } from '../import/dates.ts';
import { keysOf, listKeyRing } from '../secrets.ts';
import { note, writeLine } from '../terminal/output.ts';
import { examples } from './options.ts';

export function addBlocks(program: Command): void {
  program
    .command('blocks')
    .description('export what was blocked on a day as NDJSON, for clients with --record-blocks')
    .argument('<day>', 'a UTC day, such as 2026-11-24', checkDay)
    .option('--reveal', 'show numbers in the clear (they are stored keyed with LIST_KEY)', false)
    .addHelpText('after', examples('blocks 2026-11-24 > blocks.ndjson'))
    .action(async (day: string, { reveal }: { reveal: boolean }) => {
      const admin = adminOfEnvironment();
      const ring = reveal ? await listKeyRing() : null;
      const refused: string[] = [];
      let lines = 0;
      let after: string | null = null;
      do {
        const page: Page = await admin.page('blocks', { day, after });
        if (page.refused !== null) refused.push(page.refused);
        for (const line of page.text.split('\n')) {
          if (line === '') continue;
          lines++;
          await writeLine(ring === null ? line : revealed(line, ring));
        }
        after = page.next;
      } while (after !== null);
      if (refused.length > 0) throw new CommandFailure(refusedMessage(refused));
      if (lines === 0)
        note(`no block records on ${day}: only clients with --record-blocks have block records\n`);
    });
}

function refusedMessage(keys: readonly string[]): string {
  return (
    'the export is incomplete: some values in KV are not records of this service for their key, so someone ' +
    `altered or moved them: ${keys.join(', ')}`
  );
}

function checkDay(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && secondsOf(text) !== null) return text;
  throw new InvalidArgumentError('must be a UTC day, such as 2026-11-24');
}

function revealed(line: string, ring: KeyRing): string {
  const record = JSON.parse(line) as BlockRecord & { readonly keyId?: string };
  // Services that are older than this command do not name the key.
  const { permutation } = record.keyId === undefined ? ring.writer : keysOf({ keyId: record.keyId }, ring);
  const numberOf = (text: string | null): string | null => {
    const [, prefix, suffix] = /^(\d+)-(\d{8})$/.exec(text ?? '') ?? [];
    if (prefix === undefined) return text;
    return toE164(Number(prefix) * SUFFIX_COUNT + permutation.invert(Number(suffix)));
  };
  return JSON.stringify({ ...record, from: numberOf(record.from), to: numberOf(record.to) });
}
