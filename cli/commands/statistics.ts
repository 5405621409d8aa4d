/**
 * `numgate statistics`: shows the tables of a month, the closed months, and the sources of a table. Corrects a closed month.
 */
import { type Command, Option } from 'commander';
import {
  type Correction,
  csvOf,
  type MonthPage,
  type MonthVersions,
  type PublishedMonth,
  type PublishedTable,
  type Trace,
} from '../../shared/statistics/published.ts';
import { TABLE_NAMES, type TableName } from '../../shared/statistics/texts.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { print, type Report, write } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { examples, positiveNumber } from './options.ts';

interface StatisticsOptions {
  readonly table?: TableName;
  readonly ofVersion?: number;
  readonly csv: boolean;
  readonly korean: boolean;
  readonly trace: boolean;
  readonly correct: boolean;
  readonly reason?: string;
}

export function addStatistics(program: Command): void {
  program
    .command('statistics')
    .description('show the tables of a month, or which months are closed (scope: statistics)')
    .argument('[month]', 'a month in Korea, such as 2026-11 (default: list the closed months)')
    .addOption(new Option('--table <name>', 'only this table').choices(TABLE_NAMES))
    .option('--of-version <n>', 'an earlier version (default: the newest)', positiveNumber)
    .option('--csv', 'print CSV, with names in English and Korean', false)
    .option('--korean', 'show the names in Korean', false)
    .option('--trace', 'show which objects counted each cell of --table (scope: evidence)', false)
    .option('--correct', 'count the reports of a closed month again (scope: reports)', false)
    .option('--reason <text>', 'reason for the audit log, with --correct')
    .addHelpText(
      'after',
      `
A hidden count is shown as a dash. The counts of a month that is not closed are whole tens, which change once a day. A month
is closed 8 days after its end. After that, only a correction can change it, which makes a new version.`,
    )
    .addHelpText(
      'after',
      examples(
        'statistics',
        'statistics 2026-11 --table text-by-kind',
        'statistics 2026-11 --csv > 2026-11.csv',
      ),
    )
    .action(async (month: string | undefined, options: StatisticsOptions) => {
      if (month === undefined) {
        const { table, ofVersion, csv, trace, correct } = options;
        if (table !== undefined || ofVersion !== undefined || csv || trace || correct)
          throw new CommandFailure("missing argument 'month': these options need a month", 2);
        print(...formatMonths(await listed()));
      } else if (options.correct) print(...(await corrected(month, options)));
      else if (options.trace) print(...formatTrace(await traced(month, options)));
      else await show(month, options);
    });
}

async function listed(): Promise<MonthPage> {
  const admin = adminOfEnvironment();
  let page = await admin.get<MonthPage>('../statistics', {});
  const months = [...page.months];
  while (page.next !== null) {
    page = await admin.get<MonthPage>('../statistics', { before: page.next });
    months.push(...page.months);
  }
  return { ...page, months };
}

function formatMonths(page: MonthPage): Report<MonthPage> {
  const rows = page.months.map(({ month, version, at, digest }) => [month, version, at, digest]);
  const open = `not closed: ${page.current} (whole tens, updated once a day); the first month is ${page.first}\n`;
  const table = formatTable(['month', 'version#', 'closed or corrected', 'digest'], rows);
  return [rows.length === 0 ? `no month is closed yet\n${open}` : table + open, page];
}

async function show(month: string, { table, ofVersion, csv, korean }: StatisticsOptions): Promise<void> {
  const admin = adminOfEnvironment();
  const version = ofVersion ?? null;
  const path = `../statistics/${encodeURIComponent(month)}`;
  const shown =
    table === undefined
      ? await admin.get<PublishedMonth>(path, { version })
      : monthOf(await admin.get<OneTable>(`${path}/${table}`, { version }));
  if (csv) write(csvOf(shown, shown.tables));
  else print(formatMonth(shown, korean), shown);
}

type OneTable = Omit<PublishedMonth, 'tables'> & PublishedTable;

function monthOf({ table, title, total, rows, durations, ...info }: OneTable): PublishedMonth {
  return {
    ...info,
    tables: [{ table, title, total, rows, ...(durations === undefined ? {} : { durations }) }],
  };
}

/** A dash stands for a hidden count. */
function formatCount(value: number | null): string {
  return value === null ? '-' : count(value);
}

function formatMonth(shown: PublishedMonth, korean: boolean): string {
  const { month, version, provisional, at, tables } = shown;
  const language = korean ? 'ko' : 'en';
  const head = provisional
    ? `${month} (Asia/Seoul) is not closed: whole tens, counted at ${at}\n`
    : `${month} (Asia/Seoul), version ${version} of ${at}\n`;
  const columns = korean ? ['항목', '건수#', '비율#'] : ['row', 'count#', 'share#'];
  const all = tables.map(({ table, title, total, rows, durations }) => {
    const own = rows.map(({ name, count: value, share }) => [
      ...[name[language], formatCount(value), share === null ? '' : `${share.toFixed(1)} %`],
    ]);
    const isSingle = rows.length === 1;
    const sum = isSingle ? [] : [[korean ? '합계' : 'total', formatCount(total), '']];
    const time =
      durations == null ? '' : `  median ${durations.medianSeconds} s, p90 ${durations.p90Seconds} s\n`;
    return `\n${title[language]} (${table})\n${formatTable(columns, [...own, ...sum])}${time}`;
  });
  return head + all.join('');
}

async function traced(month: string, { table, ofVersion }: StatisticsOptions): Promise<Trace> {
  if (table === undefined) throw new CommandFailure('--trace shows one table: add --table', 2);
  const path = `../statistics/${encodeURIComponent(month)}/${table}/trace`;
  return adminOfEnvironment().get<Trace>(path, { version: ofVersion ?? null });
}

function formatTrace(trace: Trace): Report<Trace> {
  const rows = trace.cells.flatMap(({ key, count: value, hidden, sources, further }) => [
    [key, count(value), hidden ? 'hidden' : '', ''],
    ...sources.map((source) => ['', count(source.count), '', source.source]),
    ...(further === 0 ? [] : [['', count(further), '', 'further sources']]),
  ]);
  return [formatTable(['row', 'count#', 'published', 'source'], rows), trace];
}

async function corrected(
  month: string,
  { reason }: StatisticsOptions,
): Promise<Report<Correction | MonthVersions>> {
  if (reason === undefined) throw new CommandFailure("required option '--reason <text>' not specified", 2);
  const path = `statistics/${encodeURIComponent(month)}/corrections`;
  const done = await adminOfEnvironment().change<Correction>('POST', path, { reason });
  const text = `the reports of ${month} are counted again: if any changed, version ${done.version + 1} follows within minutes\n`;
  return [text, done];
}
