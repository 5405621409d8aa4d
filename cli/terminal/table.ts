/** Formats tables. */
import { createRequire } from 'node:module';
import type { ListInfo, RegisteredInfo } from '../../shared/release/manifest.ts';
import { count, counted } from './figures.ts';
import { visible } from './visible.ts';

/** Loads the library only for a table that is shown: most commands show none. */
const load = createRequire(import.meta.url);

const PLAIN = {
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  style: { head: [], border: [] },
};

/** A figure, or text. An array is several lines. */
export type Cell = string | number | readonly string[];

/** Rows under column names. A name that ends with # marks a column of figures. */
export function formatTable(names: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const Table = load('cli-table3') as typeof import('cli-table3');
  const table = new Table({
    ...PLAIN,
    head: names.map((name) => name.replace(/#$/, '')),
    colAligns: names.map((name) => (name.endsWith('#') ? 'right' : 'left')),
  });
  for (const row of rows) table.push(row.map(formatCell));
  return `${table.toString()}\n`;
}

/** Escapes text before the layout, which measures it. */
function formatCell(cell: Cell): string {
  if (typeof cell === 'number') return count(cell);
  return typeof cell === 'string' ? visible(cell) : cell.map(visible).join('\n');
}

/** Formats counts of registered senders. A number of two clients counts twice, as in the limits. */
export function formatRegistered({ pairs, own, ranges, clients, short }: RegisteredInfo): string {
  // Releases of older versions do not count short ranges separately.
  const { rows, ...single } = short ?? { rows: 0, numbers: 0, own: 0 };
  const numbers = `${counted(pairs + single.numbers, 'number')} (${count(own + single.own)} own)`;
  return `${numbers} and ${counted(ranges - rows, 'range')} of ${counted(clients, 'client')}`;
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
