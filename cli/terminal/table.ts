/** Formats tables. */
import { createRequire } from 'node:module';
import type { ListInfo } from '../../shared/release/manifest.ts';
import { count } from './figures.ts';

/** Loads the library only for a table that is shown: most commands show none. */
const load = createRequire(import.meta.url);

const PLAIN = {
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  style: { head: [], border: [] },
};

/** Rows under column names. A name that ends with # marks a column of figures. */
export function formatTable(
  names: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const Table = load('cli-table3') as typeof import('cli-table3');
  const table = new Table({
    ...PLAIN,
    head: names.map((name) => name.replace(/#$/, '')),
    colAligns: names.map((name) => (name.endsWith('#') ? 'right' : 'left')),
  });
  for (const row of rows) table.push(row.map((cell) => (typeof cell === 'number' ? count(cell) : cell)));
  return `${table.toString()}\n`;
}

export function formatLists(lists: readonly ListInfo[]): string {
  return formatTable(
    ['list', 'reason', 'effect', 'subjects', 'numbers#', 'dated#', 'ranges#', 'sources#'],
    lists.map(({ name, reason, effect, subjects, numbers, dated, ranges, sources }) => [
      ...[name, reason, effect, subjects.join(' ')],
      ...[numbers, dated, ranges, sources],
    ]),
  );
}
