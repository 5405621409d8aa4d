/**
 * The tables of one month: their cells, and the meaning of each cell. A table of names without a fixed list shows the
 * highest names, and sums the others in one row. Reports without a name have their own row, so that all tables of the
 * same reports have the same total.
 *
 * A frame fixes the names when a month is closed. Corrections use the same frame, because a name that moved between the
 * rows of two versions would reveal how many reports it has.
 */
import { RANKED_ROWS_MAX, SMALL_COUNT } from '../limits/statistics.ts';
import { type Counts, groupOf } from './counts.ts';
import type { Sum } from './hidden-cells.ts';
import * as texts from './texts.ts';
import { NOT_STATED, OTHERS, type TableName, type Text } from './texts.ts';

/** An organisation with a sender code. */
export interface CodeHolder {
  readonly code: string;
  readonly name: string;
}

/** Tables whose rows are the highest names of a group. */
const RANKED = {
  'text-from-abroad-by-operator': 'operator',
  'text-by-reseller': 'relay',
  'blocks-by-reason': 'block-code',
  'blocks-by-list': 'block-list',
  'blocks-by-operator': 'block-operator',
  'blocks-by-country': 'block-country',
} as const satisfies Partial<Record<TableName, string>>;
export type RankedTable = keyof typeof RANKED;
const RANKED_TABLES = Object.keys(RANKED) as readonly RankedTable[];

export interface Frame {
  readonly relays: readonly CodeHolder[];
  readonly resellers: readonly CodeHolder[];
  /** Names with a row of their own. */
  readonly shown: Readonly<Record<RankedTable, readonly string[]>>;
}

export interface Row {
  /** Such as `loan`, or a sender code. */
  readonly key: string;
  readonly name: Text;
  readonly cell: string;
}

export interface Table {
  readonly name: TableName;
  /** Null if the rows have no total. */
  readonly total: string | null;
  readonly rows: readonly Row[];
  /** Whether rows are sorted by their counts. */
  readonly isRanked: boolean;
}

/** @param organisations with a sender code */
export function frameOf(
  counts: Counts,
  organisations: readonly (CodeHolder & { readonly isReseller: boolean })[],
): Frame {
  const holders = (wanted: boolean): CodeHolder[] =>
    organisations
      .filter(({ isReseller }) => isReseller === wanted)
      .map(({ code, name }) => ({ code, name }))
      .sort((one, other) => (one.code < other.code ? -1 : 1));
  const [relays, resellers] = [holders(false), holders(true)];
  const codes = new Set(resellers.map(({ code }) => code));
  const highest = (table: RankedTable): string[] =>
    [...groupOf(counts, RANKED[table])]
      .filter(
        ([name, count]) =>
          name !== '' && count >= SMALL_COUNT && (table !== 'text-by-reseller' || codes.has(name)),
      )
      .sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1))
      .slice(0, RANKED_ROWS_MAX)
      .map(([name]) => name);
  const shown = Object.fromEntries(RANKED_TABLES.map((table) => [table, highest(table)]));
  return { relays, resellers, shown: shown as unknown as Frame['shown'] };
}

function fixed(table: TableName, rows: Readonly<Record<string, Text>>): Row[] {
  return Object.entries(rows).map(([key, name]) => ({ key, name, cell: `${table}/${key}` }));
}

function ranked(
  table: RankedTable,
  names: readonly string[],
  nameOf: (name: string) => string,
  rest: Row[],
): Row[] {
  return [
    ...names.map((key) => ({ key, name: { en: nameOf(key), ko: nameOf(key) }, cell: `${table}/=${key}` })),
    { key: 'others', name: OTHERS, cell: `${table}/others` },
    ...rest,
  ];
}

const HOURS = Object.fromEntries(
  Array.from({ length: 24 }, (_, hour) => {
    const key = String(hour).padStart(2, '0');
    return [key, { en: `${key}:00`, ko: `${key}시` }];
  }),
);

/** All tables of a frame, in their order. */
export function tablesOf(frame: Frame): readonly Table[] {
  const table = (name: TableName, total: string | null, rows: readonly Row[], isRanked = false): Table => ({
    name,
    total,
    rows,
    isRanked,
  });
  const notStated = (name: TableName): Row => ({
    key: 'notStated',
    name: NOT_STATED,
    cell: `${name}/notStated`,
  });
  const plain = (name: string): string => name;
  const blocks = (name: RankedTable): Table =>
    table(name, 'blocks', ranked(name, frame.shown[name], plain, [notStated(name)]), true);
  const resellers = new Map(frame.resellers.map(({ code, name }) => [code, name]));
  const single = (name: TableName): Table =>
    table(name, null, [{ key: 'total', name: texts.TOTAL, cell: name }]);
  const relays = frame.relays.map(
    ({ code, name }): Row => ({
      ...{ key: code, name: { en: name, ko: name }, cell: `text-by-relay/=${code}` },
    }),
  );
  return [
    table('reports', 'all', [
      ...(['text', 'voice', 'notSpam'] as const).map((key) => ({
        key,
        name: texts.REPORT_ROWS[key],
        cell: key,
      })),
    ]),
    table('reports-by-source', 'all', fixed('reports-by-source', texts.SOURCE_ROWS)),
    table('text-by-kind', 'text', fixed('text-by-kind', texts.KIND_ROWS)),
    table('text-by-route', 'text', fixed('text-by-route', texts.ROUTE_ROWS)),
    table('text-by-origin', 'text', fixed('text-by-origin', texts.ORIGIN_ROWS)),
    table(
      'text-from-abroad-by-operator',
      'text-by-origin/overseas',
      ranked('text-from-abroad-by-operator', frame.shown['text-from-abroad-by-operator'], plain, [
        notStated('text-from-abroad-by-operator'),
      ]),
      true,
    ),
    table('voice-by-route', 'voice', fixed('voice-by-route', texts.ROUTE_ROWS)),
    table('voice-by-kind', 'voice', fixed('voice-by-kind', texts.KIND_ROWS)),
    table('text-by-relay', 'text', [...relays, ...fixed('text-by-relay', texts.RELAY_REST)]),
    table(
      'text-by-reseller',
      'text-by-relay/resellers',
      ranked('text-by-reseller', frame.shown['text-by-reseller'], (code) => resellers.get(code) ?? code, []),
      true,
    ),
    table('blocks-by-channel', 'blocks', fixed('blocks-by-channel', texts.CHANNEL_ROWS)),
    ...(['blocks-by-reason', 'blocks-by-list', 'blocks-by-operator', 'blocks-by-country'] as const).map(
      blocks,
    ),
    table('blocks-by-hour', 'blocks', [...fixed('blocks-by-hour', HOURS), notStated('blocks-by-hour')]),
    single('appeals-filed'),
    table('appeals', 'appeals', fixed('appeals', texts.APPEAL_ROWS)),
    single('rule-blocks-begun'),
    table('rule-blocks', 'rule-blocks', fixed('rule-blocks', texts.RULE_BLOCK_ROWS)),
    ...(['notices', 'notices-delivered', 'notices-answered'] as const).map((name) =>
      table(name, name, fixed(name, texts.NOTICE_ROWS)),
    ),
    single('subscribers-informed'),
    // The register is public, so no cell of these tables is hidden.
    table('certification', 'certification', fixed('certification', texts.QUALIFICATION_ROWS)),
    single('inspections-due'),
  ];
}

/** Tables from public registers. None of their cells is hidden. */
export const PUBLIC_TABLES: readonly TableName[] = ['certification', 'inspections-due'];

/** The values of all cells. They are linear in the counts, so the values of several sources add up. */
export function cellsOf(counts: Counts, frame: Frame): Map<string, number> {
  const cells = new Map<string, number>();
  const sum = (values: Iterable<number>): number => [...values].reduce((all, value) => all + value, 0);
  const fill = (table: TableName, rows: object, group: string): number => {
    const found = groupOf(counts, group);
    for (const key of Object.keys(rows)) cells.set(`${table}/${key}`, found.get(key) ?? 0);
    return sum(found.values());
  };
  const rank = (table: RankedTable, wanted: (name: string) => boolean): number => {
    const found = [...groupOf(counts, RANKED[table])].filter(([name]) => wanted(name));
    const shown = frame.shown[table];
    for (const name of shown) cells.set(`${table}/=${name}`, 0);
    for (const [name, count] of found) if (shown.includes(name)) cells.set(`${table}/=${name}`, count);
    const all = sum(found.map(([, count]) => count));
    cells.set(`${table}/others`, sum(found.flatMap(([name, count]) => (shown.includes(name) ? [] : count))));
    return all;
  };
  const any = (): boolean => true;
  cells.set('all', fill('reports-by-source', texts.SOURCE_ROWS, 'source'));
  cells.set('notSpam', counts.notSpam ?? 0);
  const text = fill('text-by-kind', texts.KIND_ROWS, 'text-kind');
  cells.set('text', text);
  fill('text-by-route', texts.ROUTE_ROWS, 'text-route');
  fill('text-by-origin', texts.ORIGIN_ROWS, 'text-origin');
  const abroad = cells.get('text-by-origin/overseas')!;
  const named = rank('text-from-abroad-by-operator', any);
  cells.set('text-from-abroad-by-operator/notStated', abroad - named);
  cells.set('voice', fill('voice-by-kind', texts.KIND_ROWS, 'voice-kind'));
  fill('voice-by-route', texts.ROUTE_ROWS, 'voice-route');
  const codes = groupOf(counts, 'relay');
  for (const { code } of frame.relays) cells.set(`text-by-relay/=${code}`, codes.get(code) ?? 0);
  const relays = sum(frame.relays.map(({ code }) => codes.get(code) ?? 0));
  const resellerCodes = new Set(frame.resellers.map(({ code }) => code));
  const resellers = rank('text-by-reseller', (name) => resellerCodes.has(name));
  cells.set('text-by-relay/resellers', resellers);
  const stated = sum(codes.values());
  cells.set('text-by-relay/unregistered', stated - relays - resellers);
  cells.set('text-by-relay/notStated', text - stated);
  const blocks = fill('blocks-by-channel', texts.CHANNEL_ROWS, 'block-channel');
  cells.set('blocks', blocks);
  for (const table of [
    'blocks-by-reason',
    'blocks-by-list',
    'blocks-by-operator',
    'blocks-by-country',
  ] as const)
    cells.set(`${table}/notStated`, blocks - rank(table, any));
  cells.set('blocks-by-hour/notStated', blocks - fill('blocks-by-hour', HOURS, 'block-hour'));
  for (const name of ['appeals-filed', 'rule-blocks-begun', 'subscribers-informed', 'inspections-due'])
    cells.set(name, counts[name] ?? 0);
  cells.set('appeals', fill('appeals', texts.APPEAL_ROWS, 'appeals'));
  cells.set('rule-blocks', fill('rule-blocks', texts.RULE_BLOCK_ROWS, 'rule-blocks'));
  for (const name of ['notices', 'notices-delivered', 'notices-answered'] as const)
    cells.set(name, fill(name, texts.NOTICE_ROWS, name));
  cells.set('certification', fill('certification', texts.QUALIFICATION_ROWS, 'certification'));
  return cells;
}

/** Cells that are summed in rows "others", their sums, and the largest value that readers can assume. */
export interface Unnamed {
  readonly sums: readonly Sum[];
  readonly values: ReadonlyMap<string, number>;
  readonly atMost: ReadonlyMap<string, number>;
}

export function unnamedOf(counts: Counts, frame: Frame): Unnamed {
  const values = new Map<string, number>();
  const atMost = new Map<string, number>();
  const sums = RANKED_TABLES.map((table): Sum => {
    const shown = frame.shown[table];
    const found = groupOf(counts, RANKED[table]);
    const isOfResellers = table === 'text-by-reseller';
    // The list of resellers is public. For other names, readers cannot know how many there are.
    const names = isOfResellers
      ? frame.resellers.map(({ code }) => code)
      : [...found.keys(), '(one)', '(another)'];
    const hidden = names.filter((name) => !shown.includes(name));
    const lowest = Math.min(...shown.map((name) => found.get(name) ?? 0));
    const most = shown.length < RANKED_ROWS_MAX ? SMALL_COUNT - 1 : lowest;
    const parts = hidden.map((name) => {
      const cell = `${table}/~${name}`;
      values.set(cell, found.get(name) ?? 0);
      atMost.set(cell, most);
      return cell;
    });
    return { total: `${table}/others`, parts };
  });
  return { sums, values, atMost };
}

/** The sums of tables. */
export function sumsOf(tables: readonly Table[]): Sum[] {
  return tables.flatMap(({ total, rows }) =>
    total === null ? [] : [{ total, parts: rows.map(({ cell }) => cell) }],
  );
}
