/**
 * Published statistics under attack. Random months have days, versions and small counts; an attack solves all tables together.
 * Measures how many hidden cells it recovers, and how long it takes to decide which cells to hide.
 */
import type { Counts } from '../../shared/statistics/counts.ts';
import {
  type KeptVersion,
  newVersion,
  openTables,
  type PublishedMonth,
  publishedTables,
  reachedCells,
  tracedCells,
} from '../../shared/statistics/published.ts';
import { frameOf } from '../../shared/statistics/tables.ts';
import { TABLE_NAMES } from '../../shared/statistics/texts.ts';
import type { BenchOptions } from '../lib/options.ts';
import { exactCells, knowledgeOf } from '../lib/published-attack.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { recoveredCells } from '../lib/subtraction-attack.ts';
import { type Row, row, withCommas } from '../lib/table.ts';

const MONTHS = 20;
const MONTHS_SMALL = 2;
const SELLERS = 120;
const HOLDERS = [
  ...Array.from({ length: 10 }, (_, index) => ({
    code: `RELAY${index}`,
    name: `relay ${index}`,
    isReseller: false,
  })),
  ...Array.from({ length: SELLERS }, (_, index) => ({
    code: `SELL${index}`,
    name: `seller ${index}`,
    isReseller: true,
  })),
];

export async function sharingStatistics({ seed, small }: BenchOptions): Promise<Row[]> {
  const next = randomFrom(seed);
  const random = (): number => next() / 2 ** 32;
  const months = small ? MONTHS_SMALL : MONTHS;
  let [hidden, recovered, shown] = [0, 0, 0];
  const times: number[] = [];
  for (let index = 0; index < months; index++) {
    const { published, exact, ms } = randomMonth(random, 20 * 10 ** (index % 4));
    times.push(ms);
    recovered += recoveredCells(knowledgeOf(published, exact), exact).filter(
      ({ version, value }) => value > 0 && !published[version]!.provisional,
    ).length;
    for (const { provisional, tables } of published) {
      if (provisional) continue;
      const counts = tables.flatMap(({ rows }) => rows.map(({ count }) => count));
      hidden += counts.filter((count) => count === null).length;
      shown += counts.filter((count) => count !== null).length;
    }
  }
  const what = `statistics: ${withCommas(months)} months, 2 days and 2 versions each`;
  const longest = Math.max(...times);
  return [
    row(
      `${what}: hidden cells recovered of ${withCommas(hidden)} (${withCommas(shown)} shown)`,
      recovered,
      'cells',
      '',
      null,
      0,
    ),
    row(`${what}: longest decision on what is hidden in a version`, longest, 'ms'),
  ];
}

interface Published {
  readonly published: PublishedMonth[];
  readonly exact: Map<string, number>[];
  /** Time of the slower version. */
  readonly ms: number;
}

function randomMonth(random: () => number, reports: number): Published {
  const of = <Item>(all: readonly Item[]): Item => all[Math.floor(random() ** 2 * all.length)]!;
  const days: Record<string, number>[] = [{}, {}, {}, {}];
  for (let n = 0; n < reports; n++) {
    const names = randomReport(random, of);
    // Some reports come after each of the two days, and some are withdrawn after the first version.
    const since = Math.floor(random() * 2.2);
    const until = random() < 0.01 ? 3 : 4;
    for (let at = since; at < until; at++)
      for (const name of names) days[at]![name] = (days[at]![name] ?? 0) + 1;
  }
  const [one, two, first, corrected] = days as [Counts, Counts, Counts, Counts];
  const frame = frameOf(first, HOLDERS);
  const reached = new Map<string, number>();
  for (const day of [one, two])
    for (const [cell, value] of reachedCells(day)) reached.set(cell, Math.max(value, reached.get(cell) ?? 0));
  const versions: KeptVersion[] = [];
  let ms = 0;
  for (const counts of [first, corrected]) {
    const start = performance.now();
    versions.push(newVersion(frame, counts, {}, [...versions], reached));
    ms = Math.max(ms, performance.now() - start);
  }
  const month = (tables: PublishedMonth['tables'], version: number | null): PublishedMonth => ({
    ...{ month: '2026-11', at: '', digest: null, reason: null, timeZone: 'Asia/Seoul' },
    ...{ tables, version, provisional: version === null },
  });
  const exactOf = (kept: KeptVersion): Map<string, number> =>
    exactCells(
      TABLE_NAMES.flatMap((table) =>
        tracedCells(kept, table, [], 0).map(({ key, count }) => ({ table, key, count })),
      ),
    );
  return {
    published: [
      ...[one, two].map((day) => month(openTables(day), null)),
      ...versions.map((kept, index) => month(publishedTables(kept), index + 1)),
    ],
    exact: [
      ...[one, two].map((counts) => exactOf({ frame, counts, hidden: [], durations: {} })),
      ...versions.map(exactOf),
    ],
    ms,
  };
}

/** The counts that one random report adds to. Some values are much more frequent than others. */
function randomReport(random: () => number, of: <Item>(all: readonly Item[]) => Item): string[] {
  const source = `source:${of(['subscriber', 'operator', 'model', 'honeypot'])}`;
  const share = random();
  if (share < 0.02) return [source, 'notSpam'];
  const medium = share < 0.8 ? 'text' : 'voice';
  const kind = of(['gambling', 'finance', 'loan', 'adult', 'other', 'phishing', 'medicine', 'driver']);
  const route = of(['bulk', 'mobile', 'notStated', 'voip', 'fixed']);
  const names = [source, `${medium}-kind:${kind}`, `${medium}-route:${route}`];
  if (medium === 'voice') return names;
  const origin = of(['domestic', 'overseas']);
  const code =
    random() < 0.6 ? `RELAY${Math.floor(random() ** 2 * 11)}` : `SELL${Math.floor(random() ** 2 * SELLERS)}`;
  return [
    ...names,
    ...[`text-origin:${origin}`, ...(random() < 0.9 ? [`relay:${code}`] : [])],
    ...(origin === 'overseas' && random() < 0.8
      ? [`operator:450${10 + Math.floor(random() ** 2 * 80)}`]
      : []),
  ];
}
