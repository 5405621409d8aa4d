/** Published months: all tables, totals, shares and versions together, and the days while a month was open. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactCells, knowledgeOf } from '../../../bench/lib/published-attack.ts';
import { recoveredCells } from '../../../bench/lib/subtraction-attack.ts';
import { csvFields } from '../../../shared/csv.ts';
import { RANKED_ROWS_MAX } from '../../../shared/limits/statistics.ts';
import type { Counts } from '../../../shared/statistics/counts.ts';
import { isSmall } from '../../../shared/statistics/hidden-cells.ts';
import {
  CSV_COLUMNS,
  csvOf,
  type KeptVersion,
  newVersion,
  openTables,
  type PublishedMonth,
  publishedTables,
  reachedCells,
  tracedCells,
} from '../../../shared/statistics/published.ts';
import { frameOf } from '../../../shared/statistics/tables.ts';
import { TABLE_NAMES } from '../../../shared/statistics/texts.ts';
import { holds } from '../support/properties.ts';

const HOLDERS = [
  { code: 'RELAY1', name: 'Relay 1', isReseller: false },
  { code: 'RELAY2', name: '=2+2', isReseller: false },
  ...Array.from({ length: 60 }, (_, index) => ({
    ...{ code: `SELL${String(index).padStart(2, '0')}`, name: `Seller, "${index}"`, isReseller: true },
  })),
];

/** The facts of one report. A fact that the report does not state is null. */
interface Facts {
  readonly medium: 'text' | 'voice' | 'notSpam';
  readonly source: string;
  readonly kind: string;
  readonly route: string;
  readonly origin: string;
  readonly operator: string | null;
  readonly relay: string | null;
}

function countsOf(reports: readonly { readonly facts: Facts; readonly many: number }[]): Counts {
  const counts: Record<string, number> = {};
  const add = (name: string, many: number): void => {
    if (many > 0) counts[name] = (counts[name] ?? 0) + many;
  };
  for (const { facts, many } of reports) {
    const { medium, source, kind, route, origin, operator, relay } = facts;
    add(`source:${source}`, many);
    if (medium === 'notSpam') {
      add('notSpam', many);
      continue;
    }
    add(`${medium}-kind:${kind}`, many);
    add(`${medium}-route:${route}`, many);
    if (medium === 'voice') continue;
    add(`text-origin:${origin}`, many);
    if (origin === 'overseas' && operator !== null) add(`operator:${operator}`, many);
    if (relay !== null) add(`relay:${relay}`, many);
  }
  return counts;
}

const facts: fc.Arbitrary<Facts> = fc.record({
  medium: fc.constantFrom('text', 'text', 'text', 'voice', 'notSpam'),
  source: fc.constantFrom('subscriber', 'operator', 'honeypot'),
  kind: fc.constantFrom('gambling', 'loan', 'adult', 'other'),
  route: fc.constantFrom('bulk', 'mobile', 'notStated'),
  origin: fc.constantFrom('domestic', 'overseas'),
  operator: fc.constantFrom('45005', '44010', '31026', null),
  relay: fc.constantFrom('RELAY1', 'RELAY2', 'SELL00', 'SELL01', 'SELL02', 'UNKNOWN1', null),
});
const reports = fc.array(
  fc.record({ facts, many: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 60 })) }),
  { maxLength: 14 },
);

function month(rest: Pick<PublishedMonth, 'version' | 'provisional' | 'tables'>): PublishedMonth {
  return {
    ...{
      month: '2026-11',
      at: '2026-12-09T00:00:00.000Z',
      digest: null,
      reason: null,
      timeZone: 'Asia/Seoul',
    },
    ...rest,
  };
}

/** Exact values of all cells, as in a trace with one source. */
function exactOf(kept: KeptVersion): Map<string, number> {
  return exactCells(
    TABLE_NAMES.flatMap((table) =>
      tracedCells(kept, table, [], 0).map(({ key, count }) => ({ table, key, count })),
    ),
  );
}

/** Everything that is published of a month: each day while it is open, and then its versions. */
function publishedMonth(
  days: readonly Counts[],
  closed: readonly Counts[],
): {
  readonly months: PublishedMonth[];
  readonly exact: Map<string, number>[];
  readonly versions: KeptVersion[];
} {
  const frame = frameOf(closed[0]!, HOLDERS);
  const reached = new Map<string, number>();
  const versions: KeptVersion[] = [];
  const months: PublishedMonth[] = [];
  const exact: Map<string, number>[] = [];
  for (const counts of days) {
    for (const [cell, value] of reachedCells(counts))
      reached.set(cell, Math.max(value, reached.get(cell) ?? 0));
    months.push(month({ version: null, provisional: true, tables: openTables(counts) }));
    exact.push(exactOf({ frame, counts, hidden: [], durations: {} }));
  }
  for (const counts of closed) {
    versions.push(newVersion(frame, counts, {}, [...versions], reached));
    const kept = versions.at(-1)!;
    months.push(month({ version: versions.length, provisional: false, tables: publishedTables(kept) }));
    exact.push(exactOf(kept));
  }
  return { months, exact, versions };
}

function expectSafe({ months, exact }: ReturnType<typeof publishedMonth>): void {
  const found = recoveredCells(knowledgeOf(months, exact), exact).filter(({ version, value }) =>
    // In an open month, large counts are only rounded.
    months[version]!.provisional ? isSmall(value) : value > 0,
  );
  expect(found).toEqual([]);
}

const some = (all: Parameters<typeof countsOf>[0], share: number): Counts =>
  countsOf(all.map(({ facts: own, many }) => ({ facts: own, many: Math.floor(many * share) })));

describe('published months', () => {
  it('give no hidden cell back: all tables, the days before, and corrections', () => {
    holds(
      fc.property(
        reports,
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 14, maxLength: 14 }),
        (all, less) => {
          const fewer = all.map(({ facts: own, many }, at) => ({
            facts: own,
            many: Math.max(0, many - less[at]!),
          }));
          const days = [0.3, 0.6, 0.9].map((share) => some(all, share));
          expectSafe(publishedMonth(days, [countsOf(all), countsOf(fewer)]));
        },
      ),
      { numRuns: 20 },
    );
  });

  const PLAIN: Facts = {
    ...{ medium: 'text', source: 'subscriber', kind: 'loan', route: 'bulk', origin: 'domestic' },
    ...{ operator: null, relay: 'RELAY1' },
  };
  const sellers = (most: number) =>
    Array.from({ length: 60 }, (_, index) => ({
      facts: { ...PLAIN, relay: `SELL${String(index).padStart(2, '0')}` },
      many: Math.max(1, most - index),
    }));

  it.each([
    ['the table of resellers is cut among small counts', sellers(53)],
    ['the table of resellers is cut among large counts', sellers(100)],
    ['all resellers have as many', sellers(1).map((each) => ({ ...each, many: 4 }))],
    ['one reseller is beyond the cut', sellers(60).slice(0, RANKED_ROWS_MAX + 1)],
    ['one report is all there is', [{ facts: PLAIN, many: 1 }]],
    [
      'each kind has one report',
      ['loan', 'adult', 'gambling', 'other', 'driver'].map((kind) => ({
        facts: { ...PLAIN, kind },
        many: 1,
      })),
    ],
  ])('give no hidden cell back when %s', (_, all) => {
    const counts = countsOf(all);
    const onlyOneLess = countsOf([{ ...all[0]!, many: all[0]!.many - 1 }, ...all.slice(1)]);
    expectSafe(publishedMonth([some(all, 0.5)], [counts]));
    expectSafe(publishedMonth([], [counts, onlyOneLess]));
    expectSafe(publishedMonth([], [onlyOneLess, counts]));
  });

  it('have one total for all tables of the same reports, and count what is not stated', () => {
    holds(
      fc.property(reports, (all) => {
        const [kept] = publishedMonth([], [countsOf(all)]).versions;
        const exact = exactOf(kept!);
        const sum = all.reduce((before, { many }) => before + many, 0);
        expect(exact.get('reports/total')).toBe(sum);
        for (const table of TABLE_NAMES) {
          const cells = tracedCells(kept!, table, [], 0);
          const total = cells.find(({ key }) => key === 'total');
          const parts = cells.filter(({ key }) => key !== 'total');
          if (total === undefined || parts.length === 0) continue;
          expect([table, parts.reduce((before, { count }) => before + count, 0)]).toEqual([
            table,
            total.count,
          ]);
        }
      }),
    );
  });

  it('show shares only where they add nothing', () => {
    const tables = publishedTables(publishedMonth([], [countsOf(sellers(53))]).versions[0]!);
    for (const { total, rows } of tables)
      for (const { count, share } of rows) {
        const isShown = count !== null && total !== null && total > 0;
        expect(share === null).toBe(!isShown);
      }
    const kinds = tables.find(({ table }) => table === 'text-by-kind')!;
    expect(kinds.rows.find(({ key }) => key === 'loan')!.share).toBe(100);
  });

  it('do not order hidden rows by their counts', () => {
    const many = sellers(60);
    const tables = publishedTables(publishedMonth([], [countsOf(many)]).versions[0]!);
    const { rows } = tables.find(({ table }) => table === 'text-by-reseller')!;
    expect(rows).toHaveLength(RANKED_ROWS_MAX + 1);
    expect(rows.at(-1)!.key).toBe('others');
    const hidden = rows.filter(({ key, count }) => count === null && key !== 'others').map(({ key }) => key);
    expect(hidden).toEqual([...hidden].sort());
    const shown = rows.flatMap(({ key, count }) => (count === null || key === 'others' ? [] : count));
    expect(shown).toEqual(shown.toSorted((one, other) => other - one));
  });

  it('are CSV with one header, names in two languages, and no formulas', () => {
    const [only] = publishedMonth([], [countsOf(sellers(53))]).months;
    const lines = csvOf(only!, only!.tables).split('\n');
    expect(lines.pop()).toBe('');
    expect(csvFields(lines[0]!)).toEqual([...CSV_COLUMNS]);
    const rows = lines.map((line) => csvFields(line)!);
    expect(rows.every((fields) => fields.length === CSV_COLUMNS.length)).toBe(true);
    expect(rows.find((fields) => fields[3] === 'RELAY2')![4]).toBe("'=2+2");
    const total = rows.find((fields) => fields[2] === 'text-by-kind' && fields[3] === 'total');
    expect(total).toEqual(['2026-11', '1', 'text-by-kind', 'total', 'total', '합계', '1438', '100.0', 'no']);
  });
});
