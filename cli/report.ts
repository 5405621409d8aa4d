/** Formats outcomes: text for people, an object for `--json`. No logic is here. */
import Table from 'cli-table3';
import { CommanderError } from 'commander';
import colours from 'picocolors';
import type { ListInfo } from '../shared/release/manifest.ts';
import { type BuildResult, writtenRejects } from './commands/build.ts';
import type { ProveResult } from './commands/prove.ts';
import { CommandFailure, describeFileError } from './failure.ts';
import { count } from './terminal/figures.ts';

/** Text and object of one outcome. */
export type Report<Value extends object = object> = [text: string, value: Value];

const PLAIN = {
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  style: { head: [], border: [] },
};

/** Rows under column names. A name that ends with # marks a column of figures. */
export function tableOf(names: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const table = new Table({
    ...PLAIN,
    head: names.map((name) => name.replace(/#$/, '')),
    colAligns: names.map((name) => (name.endsWith('#') ? 'right' : 'left')),
  });
  for (const row of rows) table.push(row.map((cell) => (typeof cell === 'number' ? count(cell) : cell)));
  return `${table.toString()}\n`;
}

export function listTable(lists: readonly ListInfo[]): string {
  return tableOf(
    ['list', 'reason', 'effect', 'subjects', 'numbers#', 'dated#', 'ranges#', 'sources#'],
    lists.map(({ name, reason, effect, subjects, numbers, dated, ranges, sources }) => [
      ...[name, reason, effect, subjects.join(' ')],
      ...[numbers, dated, ranges, sources],
    ]),
  );
}

export function buildReport({ folder, manifest, inputs, rejectsNotWritten, bytes }: BuildResult): Report {
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
    (rejected > 0
      ? `rejected lines: ${writtenRejects(`${folder.path}/rejects.csv`, rejectsNotWritten)}\n`
      : '');
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
      rejectsNotWritten,
    },
  ];
}

export function proofReport({
  release,
  asked,
  wrong,
  complete,
  universe,
  elsewhere,
  manifest,
}: ProveResult): Report {
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

/** A failure, as text for people and as an object for programs. */
export interface FailureReport {
  readonly exitCode: number;
  /** For standard error. Empty if it was written already. */
  readonly text: string;
  /** Null if nothing failed, because help was requested. */
  readonly value: { readonly error: object } | null;
}

/** Exit code of a bug (EX_SOFTWARE of sysexits.h). */
const BUG = 70;

export function failureReport(error: unknown): FailureReport {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { exitCode: 0, text: '', value: null };
    const message =
      error.code === 'commander.help' ? 'no command is named' : error.message.replace(/^error: /, '');
    return { exitCode: 2, text: '', value: { error: { code: 'USAGE', message, exitCode: 2 } } };
  }
  if (error instanceof CommandFailure)
    return failedWith('error', error.message, error.exitCode, error.details);
  // System errors: no permission, no space, not a folder.
  if (error instanceof Error && 'syscall' in error) {
    const { path } = error as NodeJS.ErrnoException;
    return failedWith('error', `${path === undefined ? '' : `${path}: `}${describeFileError(error)}`, 1);
  }
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return failedWith('bug', words, BUG);
}

function failedWith(
  kind: 'error' | 'bug',
  message: string,
  exitCode: number,
  reported?: object,
): FailureReport {
  const code = kind === 'bug' ? 'BUG' : 'FAILED';
  return {
    exitCode,
    text: `${colours.red(kind)}: ${message}\n`,
    value: { error: reported ?? { code, message, exitCode } },
  };
}
