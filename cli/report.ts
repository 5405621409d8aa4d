/**
 * How outcomes look: text for people, an object for `--json`. Nothing here decides anything.
 */
import Table from 'cli-table3';
import { CommanderError } from 'commander';
import colours from 'picocolors';
import type { Client } from '../shared/clients.ts';
import type { ListInfo } from '../shared/release/manifest.ts';
import type { BuildOutcome } from './commands/build.ts';
import type { ProveOutcome } from './commands/prove.ts';
import type { PushOutcome } from './commands/push.ts';
import type { Status } from './commands/status.ts';
import { CommandFailure } from './failure.ts';

/** Text and object of one outcome. */
type Outcome = [text: string, value: object];

const PLAIN = {
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  style: { head: [], border: [] },
};

function count(value: number): string {
  return value.toLocaleString('en');
}

function listTable(lists: readonly ListInfo[]): string {
  const table = new Table({
    ...PLAIN,
    head: ['list', 'reason', 'effect', 'subjects', 'numbers', 'dated', 'ranges', 'sources'],
    colAligns: ['left', 'left', 'left', 'left', 'right', 'right', 'right', 'right'],
  });
  for (const list of lists) {
    const { name, reason, effect, subjects, numbers, dated, ranges, sources } = list;
    table.push([
      name,
      reason,
      effect,
      subjects.join(' '),
      count(numbers),
      count(dated),
      count(ranges),
      count(sources),
    ]);
  }
  return `${table.toString()}\n`;
}

/** log2 of the binomial coefficient over n: the least bits a number that any exact set needs. */
export function entropyBits(numbers: number, universe: number): number {
  const p = numbers / universe;
  if (p <= 0 || p >= 1) return 0;
  return (-p * Math.log2(p) - (1 - p) * Math.log2(1 - p)) / p;
}

export function built({ folder, manifest, inputs, bytes }: BuildOutcome): Outcome {
  const numbers = manifest.lists.reduce((sum, list) => sum + list.numbers + list.dated, 0);
  const bitsPerNumber = numbers === 0 ? 0 : (bytes * 8) / numbers;
  const rejected = inputs.reduce((sum, input) => sum + input.rejected, 0);
  const lines = inputs.map(({ file, rows, accepted, expired, rejected: bad }) => {
    const rest = [
      expired > 0 ? `${count(expired)} ended` : '',
      bad > 0 ? colours.yellow(`${count(bad)} rejected`) : '',
    ];
    return `  ${file}: ${[`${count(accepted)} of ${count(rows)} lines`, ...rest].filter((part) => part !== '').join(', ')}\n`;
  });
  const values =
    manifest.shards.length + (manifest.ranges === null ? 0 : 1) + (manifest.sources === null ? 0 : 1);
  const text =
    `${colours.bold(manifest.release)} in ${folder.path}\n${lines.join('')}${listTable(manifest.lists)}` +
    `${count(bytes)} bytes in ${values} values: ${bitsPerNumber.toFixed(2)} bits a number\n` +
    (rejected > 0 ? `rejected lines: ${folder.path}/rejects.csv\n` : '');
  return [
    text,
    {
      release: manifest.release,
      folder: folder.path,
      bytes,
      values,
      bitsPerNumber,
      lists: manifest.lists,
      inputs,
    },
  ];
}

export function proven({
  release,
  asked,
  wrong,
  complete,
  universe,
  elsewhere,
  manifest,
}: ProveOutcome): Outcome {
  const verdict =
    wrong === 0 ? colours.green('0 wrong answers') : colours.red(`${count(wrong)} WRONG ANSWERS`);
  const lists = manifest.lists.length;
  const all = complete ? 'all ' : '';
  const text =
    `${colours.bold(release)}: ${verdict}\n` +
    `  ${all}${count(universe)} numbers of 010, and ${count(elsewhere)} listed ones elsewhere or with dates,\n` +
    `  on each of ${lists} lists: ${count(asked)} questions\n`;
  return [text, { release, wrong, complete, asked, universe, elsewhere, lists }];
}

export function pushed(outcome: PushOutcome): Outcome {
  const { release, seq, uploaded, uploadedBytes, values } = outcome;
  const text =
    `${colours.bold(release)} is current (seq ${seq})\n` +
    `  ${uploaded} of ${values} values uploaded, ${count(uploadedBytes)} bytes; the others were there\n`;
  return [text, outcome];
}

export function statusOf(status: Status): Outcome {
  const { head, manifest, service, url } = status;
  const current =
    head === null || manifest === null
      ? 'no release is current: npm run lists -- build, prove, push\n'
      : `${colours.bold(head.release)}, seq ${head.seq}, current since ${head.promotedAt}\n${listTable(manifest.lists)}`;
  const answering =
    service === null
      ? `${url} does not answer\n`
      : `${url} answers from ${String(service.release ?? 'nothing')} (${String(service.status)})\n`;
  return [current + answering, { head, lists: manifest?.lists ?? [], service, url }];
}

export function clientsOf(clients: readonly Client[]): Outcome {
  const table = new Table({
    ...PLAIN,
    head: ['client', 'rights', 'mode', 'on indeterminate', 'max stale', 'items a minute', 'keys'],
  });
  for (const client of clients) {
    const { id, rights, mode, failPolicy, maxStaleSeconds, quotaItems, secretSha256 } = client;
    table.push([
      id,
      rights.join(' '),
      mode,
      failPolicy,
      `${maxStaleSeconds} s`,
      count(quotaItems),
      String(secretSha256.length),
    ]);
  }
  const shown = clients.map(({ secretSha256, ...client }) => ({ ...client, keys: secretSha256.length }));
  return [`${table.toString()}\n`, { clients: shown }];
}

/** Tell an error as a sentence. @returns the exit code */
export function failure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandFailure) {
    process.stderr.write(`${colours.red('error')}: ${error.message}\n`);
    return error.exitCode;
  }
  // Of the system: no permission, no space, not a folder.
  if (error instanceof Error && 'syscall' in error) {
    process.stderr.write(`${colours.red('error')}: ${error.message}\n`);
    return 1;
  }
  process.stderr.write(
    `${colours.red('bug')}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 70;
}
