/** `numgate text drift`: how the scores of texts move, and how a canary compares with the release in force. */
import type { Command } from 'commander';
import type { DriftDay, DriftReport } from '../../shared/admin/text-drift.ts';
import { DRIFT_BASE_DAYS, TEXT_CANARY_RATE_FACTOR, TEXT_DRIFT_PSI_MAX } from '../../shared/limits/drift.ts';
import { SCORE_BINS } from '../../shared/limits/text.ts';
import { adminOfEnvironment } from '../admin.ts';
import { count, counted, percent } from '../terminal/figures.ts';
import { print } from '../terminal/output.ts';
import { type Cell, formatTable } from '../terminal/table.ts';
import { visible } from '../terminal/visible.ts';
import { examples } from './options.ts';

interface DriftOptions {
  readonly client?: string | null;
  readonly from?: string | null;
  readonly to?: string | null;
  readonly bins: boolean;
}

const BLOCKS = '▁▂▃▄▅▆▇█';
/** Shown in place of the PSI if there are so few texts that chance alone makes it too large. */
const NO_PSI = 'too few';

export function addTextDrift(text: Command): void {
  text
    .command('drift')
    .description(
      `show how the scores of texts change (default: the last ${DRIFT_BASE_DAYS} days; scope: text)`,
    )
    .option('--client <id>', 'one client (default: all clients together)')
    .option('--from <day>', 'first day in Korea, such as 2026-11-20')
    .option('--to <day>', 'last day, inclusive (default: today)')
    .option('--bins', `print the counts of all ${SCORE_BINS} bins of scores`, false)
    .addHelpText(
      'after',
      `
PSI is the population stability index of the scores of a day against those of the ${DRIFT_BASE_DAYS} days before, by the same
model: the sum over ${SCORE_BINS} bins of (p - q) ln(p / q). Above ${TEXT_DRIFT_PSI_MAX}, an alarm is raised: look at samples, and
train a new model. No PSI is shown for so few texts that chance alone could reach half of that.

A canary is withdrawn if its rate of suspicious texts exceeds the expected rate by a factor of ${TEXT_CANARY_RATE_FACTOR}, and the
counts support this. The expected rate is the rate of the release in force, for the texts of the same clients.`,
    )
    .addHelpText('after', examples('text drift', 'text drift --client relay-07 --from 2026-11-01 --bins'))
    .action(async ({ client = null, from = null, to = null, bins }: DriftOptions) => {
      const report = await adminOfEnvironment().get<DriftReport>('text/drift', { client, from, to });
      print(format(report, bins), report);
    });
}

function format(report: DriftReport, withBins: boolean): string {
  const { days } = report;
  if (days.length === 0) return 'no text was scored on these days\n';
  return [
    formatTable(
      ['day', 'model', 'texts#', 'ordinary', 'review', 'suspicious', 'labelled#', 'PSI', 'scores 0 to 1'],
      days.map((each) => rowOf(each)),
    ),
    ...(withBins ? [`\n${formatBins(days)}`] : []),
    ...formatDrifting(report),
    ...formatCanary(report),
  ].join('');
}

function rowOf({ day, model, texts, bands, labelled, psi, histogram }: DriftDay): Cell[] {
  const share = (of: number): string => (texts === 0 ? '' : percent(of / texts));
  return [
    ...[day, model, texts, share(bands.ordinary), share(bands.review), share(bands.suspicious)],
    ...[labelled, psi === null ? NO_PSI : psi.toFixed(3), sparkline(histogram)],
  ];
}

/** Draws a bar for each bin. Heights follow the square root, so that a few suspicious texts show beside many ordinary ones. */
function sparkline(histogram: readonly number[]): string {
  const most = Math.max(1, ...histogram);
  return histogram
    .map((each) => (each === 0 ? ' ' : BLOCKS[Math.ceil(Math.sqrt(each / most) * BLOCKS.length) - 1]!))
    .join('');
}

function formatBins(days: readonly DriftDay[]): string {
  return formatTable(
    ['day', 'model', 'scores', 'texts#'],
    days.flatMap(({ day, model, histogram }) =>
      histogram.map((texts, bin): Cell[] => [
        ...[day, model, `${(bin / SCORE_BINS).toFixed(2)} to ${((bin + 1) / SCORE_BINS).toFixed(2)}`, texts],
      ]),
    ),
  );
}

function formatDrifting({ drifting, psiMax, to }: DriftReport): string[] {
  if (drifting.length === 0) return [];
  const rows = drifting.map(({ client, model, psi }): Cell[] => [client, model, psi.toFixed(3)]);
  return [`\nPSI above ${psiMax} on ${to}:\n`, formatTable(['client', 'model', 'PSI'], rows)];
}

function formatCanary({ canary }: DriftReport): string[] {
  if (canary === null) return [];
  const { candidate, current, clients, texts, rate, expectedRate } = canary;
  const names = `${visible(candidate)} beside ${visible(current)}`;
  if (rate === null || expectedRate === null)
    return [`\ncanary ${names}: no client has enough texts under both to compare them\n`];
  return [
    `\ncanary ${names}: ${percent(rate)} of ${count(texts)} texts of ${counted(clients, 'client')} are suspicious, `,
    `${percent(expectedRate)} were expected\n`,
  ];
}
