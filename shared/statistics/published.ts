/**
 * Tables as they are published: JSON and CSV, shared with the CLI. A hidden count is null. A share is given only if the
 * count and the total are, so it reveals nothing more.
 */
import { csvLine } from '../csv.ts';
import { OPEN_MONTH_STEP, SMALL_COUNT } from '../limits/statistics.ts';
import type { Counts, Durations } from './counts.ts';
import { hiddenCells, type Version } from './hidden-cells.ts';
import {
  cellsOf,
  type Frame,
  frameOf,
  PUBLIC_TABLES,
  sumsOf,
  type Table,
  tablesOf,
  unnamedOf,
} from './tables.ts';
import { TABLE_TITLES, type TableName, type Text, TOTAL } from './texts.ts';

export interface PublishedRow {
  readonly key: string;
  readonly name: Text;
  /** Null if the count is hidden. */
  readonly count: number | null;
  /** Share of the total, in percent with one decimal; null if the count or the total is hidden, or the total is 0. */
  readonly share: number | null;
}

export interface PublishedTable {
  readonly table: TableName;
  readonly title: Text;
  /** Null if the total is hidden, or if the rows have no total. */
  readonly total: number | null;
  readonly rows: readonly PublishedRow[];
  /** Durations of the cases of this table, if they are measured; null with fewer than SMALL_COUNT cases. */
  readonly durations?: Durations | null;
}

/** A version of a month: when and why it was made, and its digest. */
export interface MonthInfo {
  /** `2026-11`, in Asia/Seoul. */
  readonly month: string;
  /** Null for a month that is not closed. */
  readonly version: number | null;
  /** Counts are rounded down to whole tens, and change once a day. */
  readonly provisional: boolean;
  /** When it was closed or corrected. For a provisional month, the time up to which reports are counted. RFC 3339. */
  readonly at: string;
  /** SHA-256 of the published tables, hex, as in the audit log; null if provisional. */
  readonly digest: string | null;
  /** Why it was corrected; null for the first version. */
  readonly reason: string | null;
}

export interface PublishedMonth extends MonthInfo {
  readonly timeZone: 'Asia/Seoul';
  readonly tables: readonly PublishedTable[];
}

/** A version as it is stored: its counts, and the cells that are hidden. */
export interface KeptVersion {
  readonly frame: Frame;
  readonly counts: Counts;
  readonly hidden: readonly string[];
  /** Durations by table. */
  readonly durations: Readonly<Partial<Record<TableName, Durations>>>;
}

/**
 * The next version of a month.
 * @param frame of the first version @param reached cells of the month while it was open
 */
export function newVersion(
  frame: Frame,
  counts: Counts,
  durations: KeptVersion['durations'],
  earlier: readonly KeptVersion[],
  reached: ReadonlyMap<string, number>,
): KeptVersion {
  const tables = tablesOf(frame).filter(({ name }) => !PUBLIC_TABLES.includes(name));
  const unnamed = unnamedOf(counts, frame);
  const versionOf = (kept: KeptVersion): Version => ({
    values: new Map([...cellsOf(kept.counts, frame), ...unnamedOf(kept.counts, frame).values]),
    hidden: new Set(kept.hidden),
  });
  const used = new Set(tables.flatMap(({ total, rows }) => [total, ...rows.map(({ cell }) => cell)]));
  const values = new Map([
    ...[...cellsOf(counts, frame)].filter(([cell]) => used.has(cell)),
    ...unnamed.values,
  ]);
  const hidden = hiddenCells({
    ...{ sums: [...sumsOf(tables), ...unnamed.sums], values, unnamed: unnamed.atMost, reached },
    earlier: earlier.map(versionOf),
  });
  return { frame, counts, hidden: [...hidden].sort(), durations };
}

/** The tables of a version, with their hidden cells. */
export function publishedTables({ frame, counts, hidden, durations }: KeptVersion): PublishedTable[] {
  const cells = cellsOf(counts, frame);
  const secret = new Set(hidden);
  const shown = (cell: string): number | null => (secret.has(cell) ? null : cells.get(cell)!);
  return tablesOf(frame).map((table) => {
    const measured = durations[table.name];
    const cases = table.total === null ? table.rows[0] && shown(table.rows[0].cell) : shown(table.total);
    const isMeasured = measured !== undefined && typeof cases === 'number' && cases >= SMALL_COUNT;
    return {
      ...formOf(table, shown),
      ...(measured === undefined ? {} : { durations: isMeasured ? measured : null }),
    };
  });
}

/** Tables of an open month: of reports, with fixed rows. Rows of names would reveal which names are about to get a row. */
const OPEN_TABLES: readonly TableName[] = [
  ...(['reports', 'reports-by-source', 'text-by-kind', 'text-by-route', 'text-by-origin'] as const),
  ...(['voice-by-route', 'voice-by-kind'] as const),
];

const NO_FRAME: Frame = frameOf({}, []);

/** Counts rounded down to multiples of OPEN_MONTH_STEP, hidden below it, so that daily changes show no single report. */
export function openTables(counts: Counts): PublishedTable[] {
  const reached = reachedCells(counts);
  return tablesOf(NO_FRAME)
    .filter(({ name }) => OPEN_TABLES.includes(name))
    .map((table) => {
      const form = formOf(table, (cell) => reached.get(cell) ?? null);
      return { ...form, rows: form.rows.map((row) => ({ ...row, share: null })) };
    });
}

/** The values that readers of an open month know: whole multiples of OPEN_MONTH_STEP, by cell. */
export function reachedCells(counts: Counts): Map<string, number> {
  const tables = tablesOf(NO_FRAME).filter(({ name }) => OPEN_TABLES.includes(name));
  const shown = new Set(tables.flatMap(({ total, rows }) => [total, ...rows.map(({ cell }) => cell)]));
  return new Map(
    [...cellsOf(counts, NO_FRAME)].flatMap(([cell, value]) => {
      const reached = Math.floor(value / OPEN_MONTH_STEP) * OPEN_MONTH_STEP;
      return reached > 0 && shown.has(cell) ? [[cell, reached] as const] : [];
    }),
  );
}

function formOf(table: Table, shown: (cell: string) => number | null): PublishedTable {
  const total = table.total === null ? null : shown(table.total);
  const rows = table.rows.map(({ key, name, cell }): PublishedRow => {
    const count = shown(cell);
    const isKnown = count !== null && total !== null && total > 0;
    return { key, name, count, share: isKnown ? Math.round((count / total) * 1_000) / 10 : null };
  });
  return {
    ...{ table: table.name, title: TABLE_TITLES[table.name], total },
    rows: table.isRanked ? rankedRows(rows) : rows,
  };
}

/** Sorts by count, highest first. Hidden rows follow, because their place would reveal their size. Sums come last. */
function rankedRows(rows: readonly PublishedRow[]): PublishedRow[] {
  const isSum = ({ key }: PublishedRow): boolean => key === 'others' || key === 'notStated';
  const place = ({ count }: PublishedRow): number => count ?? -1;
  const named = rows.filter((row) => !isSum(row));
  return [
    ...named.toSorted((one, other) => place(other) - place(one) || (one.key < other.key ? -1 : 1)),
    ...rows.filter(isSum),
  ];
}

export const CSV_COLUMNS = [
  'month',
  'version',
  'table',
  'key',
  'name',
  'name_ko',
  'count',
  'share',
  'hidden',
] as const;

/** RFC 4180 in UTF-8 with `\n`, and a header. A hidden count is empty, and `hidden` says so. */
export function csvOf({ month, version }: MonthInfo, tables: readonly PublishedTable[]): string {
  const lines = tables.flatMap(({ table, total, rows }) => {
    const own = rows.map(({ key, name, count, share }) => [key, name.en, name.ko, count, share] as const);
    const isSingle = rows.length === 1 && rows[0]!.key === 'total';
    const sum = [['total', TOTAL.en, TOTAL.ko, total, total === null || total === 0 ? null : 100] as const];
    return [...own, ...(isSingle ? [] : sum)].map(([key, en, ko, count, share]) =>
      csvLine([
        ...[month, version === null ? 'provisional' : String(version), table, key, safe(en), safe(ko)],
        ...[count === null ? '' : String(count), share === null ? '' : share.toFixed(1)],
        count === null ? 'yes' : 'no',
      ]),
    );
  });
  return [csvLine([...CSV_COLUMNS]), ...lines].map((line) => `${line}\n`).join('');
}

/** A name of an organisation must not become a formula in a spreadsheet. */
function safe(name: string): string {
  return /^[=+\-@\t\r]/.test(name) ? `'${name}` : name;
}

/** The amount that one source adds to one cell. */
export interface TracedSource {
  /** Such as `reports kisa/0`: an object and its name. */
  readonly source: string;
  readonly count: number;
}

export interface TracedCell {
  readonly key: string;
  readonly count: number;
  readonly hidden: boolean;
  /** Sources with the highest counts first, at most TRACE_SOURCES_MAX. */
  readonly sources: readonly TracedSource[];
  /** Sum of the counts of all further sources. */
  readonly further: number;
}

/** Where the cells of a table come from: the counts of the sources of a cell add up to its exact value. */
export interface Trace extends MonthInfo {
  readonly table: TableName;
  /** Salt of the digest of the exact counts in the audit log. */
  readonly salt: string;
  readonly exactDigest: string;
  readonly cells: readonly TracedCell[];
}

/** Closed months, the newest first. */
export interface MonthPage {
  /** The first month with figures. */
  readonly first: string;
  /** The month that is not over. */
  readonly current: string;
  readonly timeZone: 'Asia/Seoul';
  readonly months: readonly {
    readonly month: string;
    readonly version: number;
    readonly at: string;
    readonly digest: string;
  }[];
  /** `before` of the next page; null on the last one. */
  readonly next: string | null;
}

export interface MonthVersions {
  readonly month: string;
  readonly versions: readonly {
    readonly version: number;
    readonly at: string;
    readonly digest: string;
    readonly reason: string | null;
    /** Who made this version; null for the service. */
    readonly by: string | null;
  }[];
  /** Whether the reports of the month are being counted again. */
  readonly isCorrecting: boolean;
}

/** A correction that has begun. */
export interface Correction {
  readonly month: string;
  /** The version that is published now. */
  readonly version: number;
  readonly isCorrecting: boolean;
}

export function tracedCells(
  { frame, hidden, counts }: KeptVersion,
  name: TableName,
  readings: readonly { readonly source: string; readonly counts: Counts }[],
  sourcesMax: number,
): TracedCell[] {
  const table = tablesOf(frame).find((each) => each.name === name)!;
  const exact = cellsOf(counts, frame);
  const bySource = readings.map(({ source, counts: own }) => ({ source, cells: cellsOf(own, frame) }));
  const rows = table.rows.map(({ key, cell }) => ({ key, cell }));
  const isSingle = rows.length === 1 && rows[0]!.key === 'total';
  const all = table.total === null || isSingle ? rows : [...rows, { key: 'total', cell: table.total }];
  return all.map(({ key, cell }) => {
    const sources = bySource
      .map(({ source, cells }): TracedSource => ({ source, count: cells.get(cell)! }))
      .filter(({ count }) => count !== 0)
      .sort((one, other) => other.count - one.count);
    const further = sources.slice(sourcesMax).reduce((sum, { count }) => sum + count, 0);
    return {
      ...{ key, count: exact.get(cell)!, hidden: hidden.includes(cell) },
      ...{ sources: sources.slice(0, sourcesMax), further },
    };
  });
}
