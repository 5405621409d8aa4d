/** What readers learn from published months when they combine the tables. The cells have the names that the tables use. */
import type { PublishedMonth } from '../../shared/statistics/published.ts';
import type { Interval, Knowledge, KnownCells, KnownOrder, KnownSum } from './subtraction-attack.ts';

/** Totals that are the same as a cell of another table, or as each other. */
const SAME: Readonly<Record<string, string>> = {
  'reports-by-source/total': 'reports/total',
  ...{ 'text-by-kind/total': 'reports/text', 'text-by-route/total': 'reports/text' },
  ...{ 'text-by-origin/total': 'reports/text', 'text-by-relay/total': 'reports/text' },
  ...{ 'voice-by-kind/total': 'reports/voice', 'voice-by-route/total': 'reports/voice' },
  'text-from-abroad-by-operator/total': 'text-by-origin/overseas',
  'text-by-reseller/total': 'text-by-relay/resellers',
  ...Object.fromEntries(
    ['reason', 'list', 'operator', 'country', 'hour'].map((by) => [
      `blocks-by-${by}/total`,
      'blocks-by-channel/total',
    ]),
  ),
};

/** Larger than any count. */
const LARGE = 1_000_000;
/** Figures of open months are whole tens. */
const STEP = 10;

function cellOf(table: string, key: string): string {
  const name = `${table}/${key}`;
  return SAME[name] ?? name;
}

/** A table with one row gives no sum. */
function cellsIn({ tables }: PublishedMonth): [cell: string, count: number | null][] {
  return tables.flatMap(({ table, total, rows }) => {
    const own = rows.map(({ key, count }) => [cellOf(table, key), count] as [string, number | null]);
    return rows.length === 1 ? own : [...own, [cellOf(table, 'total'), total] as [string, number | null]];
  });
}

function sumsIn(months: readonly PublishedMonth[]): KnownSum[] {
  const sums = new Map<string, KnownSum>();
  for (const { tables } of months)
    for (const { table, rows } of tables) {
      if (rows.length === 1) continue;
      const parts = rows.map(({ key }) => cellOf(table, key));
      sums.set(table, { total: cellOf(table, 'total'), parts });
    }
  return [...sums.values()];
}

function intervalOf(count: number | null, provisional: boolean, wasHidden: boolean): Interval {
  if (provisional)
    return count === null ? { least: 0, most: STEP - 1 } : { least: count, most: count + STEP - 1 };
  if (count !== null) return { least: count, most: count };
  return { least: wasHidden ? 0 : 1, most: LARGE };
}

/**
 * @param months everything that was published of one month, in order: days while it was open, then its versions
 * @param exact values by cell for each element of `months`, to find which versions have smaller counts
 */
export function knowledgeOf(
  months: readonly PublishedMonth[],
  exact: readonly ReadonlyMap<string, number>[],
): Knowledge {
  const hidden = new Set<string>();
  const versions = months.map((month): KnownCells => {
    const cells = new Map(
      cellsIn(month).map(([cell, count]) => [cell, intervalOf(count, month.provisional, hidden.has(cell))]),
    );
    if (!month.provisional) for (const [cell, count] of cellsIn(month)) if (count === null) hidden.add(cell);
    return cells;
  });
  const orders = exact.flatMap((one, more) =>
    exact.flatMap((other, fewer): KnownOrder[] => {
      const isFewer = [...other].every(([cell, value]) => value <= (one.get(cell) ?? value));
      return more !== fewer && isFewer ? [{ fewer, more }] : [];
    }),
  );
  return { versions, sums: sumsIn(months), orders };
}

/** Exact values under the cell names of this file. @param values of each table, by key; the key of a sum is `total` */
export function exactCells(
  values: readonly { table: string; key: string; count: number }[],
): Map<string, number> {
  return new Map(values.map(({ table, key, count }) => [cellOf(table, key), count]));
}
