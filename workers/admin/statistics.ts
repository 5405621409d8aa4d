/**
 * `/v1/statistics`: the tables of each month, with small cells hidden, as JSON or CSV. `/v1/admin/statistics`: the
 * progress of counting, and corrections. A trace has exact counts, so it needs the scope `evidence`.
 */
import * as v from 'valibot';
import { oneOf } from '../../shared/fields.ts';
import { MONTHS_PAGE_MAX } from '../../shared/limits/statistics.ts';
import { ok, type Result } from '../../shared/result.ts';
import { reasonSchema } from '../../shared/schemas.ts';
import { isMonth } from '../../shared/statistics/month.ts';
import { csvOf, type PublishedMonth } from '../../shared/statistics/published.ts';
import { TABLE_NAMES, type TableName } from '../../shared/statistics/texts.ts';
import type { ControlEnv } from '../env.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { StatisticsStore } from '../statistics/statistics-store.ts';
import { STATISTICS_NAME } from '../storage/statistics-port.ts';
import { type AdminContext, forAdmins, forChanges } from './context.ts';

/** The store's methods as RPC calls. */
type StatisticsStub = {
  [Name in keyof StatisticsStore]: StatisticsStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

const FORMATS = ['json', 'csv'] as const;

function storeOf({ env }: AdminContext): StatisticsStub {
  return (env as unknown as ControlEnv).STATISTICS.getByName(STATISTICS_NAME) as unknown as StatisticsStub;
}

export const statisticsStatus = forAdmins('statistics', async (context) =>
  ok(await storeOf(context).status()),
);

/** Closed months, the newest first. */
export const listMonths = forAdmins('statistics', async (context) => {
  const parameters = parametersOf(context.url, { before: 'text', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { before = null } = parameters.value.text;
  if (before !== null && !isMonth(before)) {
    return problem('FIELD_VALUE', '"before" must be a month such as 2026-11', { field: 'before' });
  }
  const limit = Math.max(1, Math.min(parameters.value.number.limit ?? MONTHS_PAGE_MAX, MONTHS_PAGE_MAX));
  return ok(await storeOf(context).page(before, limit));
});

export const monthVersions = forAdmins('statistics', async (context) =>
  storeOf(context).versions(context.params.month!),
);

interface Shown {
  readonly month: PublishedMonth;
  readonly isCsv: boolean;
}

/** All tables of a month, or one of them. */
export const getMonth = forAdmins('statistics', shownMonth, (reply, { month, isCsv }) =>
  isCsv ? reply.csv(csvOf(month, month.tables)) : reply.json(month),
);

export const getTable = forAdmins(
  'statistics',
  async (context) => {
    const table = tableOf(context);
    if (!table.ok) return table;
    const shown = await shownMonth(context);
    if (!shown.ok) return shown;
    const tables = shown.value.month.tables.filter((each) => each.table === table.value);
    if (tables.length > 0) return ok({ ...shown.value, month: { ...shown.value.month, tables } });
    const message = `"${table.value}" is available after the month is closed: until then, only the tables of reports are`;
    return problem('MONTH_NOT_OVER', message);
  },
  (reply, { month, isCsv }) => {
    if (isCsv) return reply.csv(csvOf(month, month.tables));
    const { tables, ...info } = month;
    return reply.json({ ...info, ...tables[0]! });
  },
);

export const traceTable = forAdmins('evidence', async (context) => {
  const table = tableOf(context);
  if (!table.ok) return table;
  const parameters = parametersOf(context.url, { version: 'number' });
  if (!parameters.ok) return parameters;
  return storeOf(context).tracedTable(
    context.params.month!,
    parameters.value.number.version ?? null,
    table.value,
  );
});

const correctSchema = v.strictObject({ reason: reasonSchema });

/** Counts the reports of a closed month again. Responds 200 at once; if anything changed, a version follows in minutes. */
export const correctMonth = forChanges('reports', correctSchema, async (context) =>
  storeOf(context).correct(context.change, context.params.month!),
);

async function shownMonth(context: AdminContext): Promise<Result<Shown, Problem>> {
  const parameters = parametersOf(context.url, { version: 'number', format: 'text' });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const accepted = context.request.headers.get('accept')?.includes('text/csv') === true ? 'csv' : 'json';
  const format = oneOf(FORMATS, 'format', text.format ?? accepted);
  if (!format.ok) return format;
  const month = await storeOf(context).published(context.params.month!, number.version ?? null);
  return month.ok ? ok({ month: month.value, isCsv: format.value === 'csv' }) : month;
}

function tableOf({ params }: AdminContext): Result<TableName, Problem> {
  const table = TABLE_NAMES.find((name) => name === params.table);
  if (table !== undefined) return ok(table);
  return problem('TABLE_UNKNOWN', `there is no such table; the tables are ${TABLE_NAMES.join(', ')}`);
}
