/**
 * `numgate usage`: what clients checked, and with which verdicts: all clients of your organisation, or one client by
 * hour, code, list, country, operator or channel.
 */
import { type Command, Option } from 'commander';
import { DIMENSIONS, type Dimension } from '../../shared/usage/counts.ts';
import type { ClientReport, UsageFigures, UsageReport, VerdictCounts } from '../../shared/usage/report.ts';
import { VERDICTS } from '../../shared/verdict.ts';
import { adminOfEnvironment } from '../admin.ts';
import { print, write } from '../terminal/output.ts';
import { type Cell, formatTable } from '../terminal/table.ts';
import { examples } from './options.ts';

interface UsageOptions {
  readonly from?: string | null;
  readonly to?: string | null;
  readonly by?: Dimension | null;
  readonly csv: boolean;
}

export function addUsage(program: Command): void {
  program
    .command('usage')
    .description('show what clients checked, with which verdicts (default: the last 24 hours)')
    .argument('[client]', 'one client, by hour (default: all clients that you may see)')
    .option('--from <time>', 'first UTC day or hour, such as 2026-11-24 or 2026-11-24T03:00Z')
    .option('--to <time>', 'last UTC day or hour, exclusive')
    .addOption(
      new Option('--by <dimension>', 'break down the requests by this dimension').choices(DIMENSIONS),
    )
    .option('--csv', 'print CSV', false)
    .addHelpText(
      'after',
      examples('usage', 'usage relay-07 --from 2026-11-01 --to 2026-12-01 --by code --csv'),
    )
    .action(async (client: string | undefined, { csv, ...options }: UsageOptions) => {
      const report = await readUsage(client ?? null, options);
      const [names, rows] = tableOf(report, client !== undefined);
      if (csv) write([names.map((name) => name.replace('#', '')), ...rows].map(formatCsvRow).join(''));
      else print(rows.length === 0 ? 'nothing was counted\n' : formatTable(names, rows), report);
    });
}

async function readUsage(
  client: string | null,
  { from = null, to = null, by = null }: Omit<UsageOptions, 'csv'>,
): Promise<UsageReport> {
  const admin = adminOfEnvironment();
  const clients: ClientReport[] = [];
  for (let after: string | null = null; ; ) {
    const page: UsageReport = await admin.get('usage', { client, from, to, by, after });
    clients.push(...page.clients);
    if (page.next === null) return { ...page, clients };
    after = page.next;
  }
}

/** Names of the columns, and the rows. A `#` after a name marks a column of numbers. */
function tableOf({ by, clients }: UsageReport, isSingle: boolean): [string[], Cell[][]] {
  const verdicts = VERDICTS.map((verdict) => `${verdict}#`);
  if (by !== null) {
    const rows = clients.flatMap(({ client, names }) =>
      names!.map((each): Cell[] => [client, each.name, ...verdictCells(each)]),
    );
    return [['client', by, ...verdicts], rows];
  }
  const figures = ['requests#', 'errors#', 'numbers#', 'invalid items#', ...verdicts, 'unenforced#'];
  if (isSingle) {
    const rows = clients.flatMap(({ periods = [] }) =>
      periods.map((period): Cell[] => [period.at, period.hours, ...figureCells(period)]),
    );
    return [['from', 'hours#', ...figures], rows];
  }
  const rows = clients.map((client): Cell[] => [
    ...[client.client, client.organisation, client.lastUsedAt ?? 'never'],
    ...figureCells(client),
  ]);
  return [['client', 'organisation', 'last used', ...figures], rows];
}

function figureCells({
  requests,
  errors,
  numbers,
  invalidItems,
  verdicts,
  unenforced,
}: UsageFigures): number[] {
  return [requests, errors, numbers, invalidItems, ...verdictCells(verdicts), unenforced];
}

function verdictCells(counts: VerdictCounts): number[] {
  return VERDICTS.map((verdict) => counts[verdict]);
}

/** One line of CSV (RFC 4180, with `\n`). No cell has a quote, a comma or a line end. */
function formatCsvRow(cells: readonly Cell[]): string {
  return `${cells.join(',')}\n`;
}
