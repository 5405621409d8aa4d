/** `numgate partners`: shows partners with their records, and withdraws all reports of a partner. */
import type { Command } from 'commander';
import type { PartnerInfo } from '../../shared/admin/rule-blocks.ts';
import { adminOfEnvironment } from '../admin.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { examples, requireReason } from './options.ts';
import { time } from './registration-options.ts';

interface WithdrawOptions {
  readonly since?: string;
  readonly reason: string;
}

export function addPartners(program: Command): void {
  const partners = program
    .command('partners')
    .description(
      'show the partners that report spam, and withdraw the reports of a partner (scope: reports)',
    );

  partners
    .command('list')
    .description('list partners with their weights and records')
    .addHelpText('after', examples('partners list'))
    .action(async () => {
      const found = await adminOfEnvironment().get<{ readonly partners: readonly PartnerInfo[] }>('partners');
      print(...formatPartners(found.partners));
    });

  partners
    .command('show')
    .description('show a partner with its reports, and the progress of a withdrawal')
    .argument('<organisation>')
    .addHelpText('after', examples('partners show skt'))
    .action(async (id: string) => print(...formatPartner(await adminOfEnvironment().get(pathOf(id)))));

  requireReason(partners.command('withdraw'))
    .description('withdraw all reports of a partner, and lift the blocks that rested on them')
    .argument('<organisation>')
    .option('--since <date>', 'only reports received since: 2026-11-24 (in Korea), or a time', time)
    .addHelpText(
      'after',
      `
First have the keys of the partner removed (numgate clients remove, scope clients). Reports that arrive later are not
withdrawn, so withdraw again after that. Blocks that other reports support stay, and so do blocks that a person confirmed.
To follow the progress, use numgate partners show.`,
    )
    .addHelpText(
      'after',
      examples('partners withdraw skt --since 2026-11-24T09:00:00Z --reason "its key leaked"'),
    )
    .action(async (id: string, { since, reason }: WithdrawOptions) => {
      const body = { ...(since === undefined ? {} : { since }), reason };
      print(
        ...formatPartner(
          await adminOfEnvironment().change<PartnerInfo>('POST', `${pathOf(id)}/withdraw`, body),
        ),
      );
    });
}

function pathOf(organisation: string): string {
  return `partners/${encodeURIComponent(organisation)}`;
}

const NAMES = [
  'partner',
  'kind',
  'weight#',
  'record#',
  'effective#',
  'confirmed#',
  'appealed#',
  'withdrawal',
];

function rowOf(partner: PartnerInfo): (string | number)[] {
  const { organisation, kind, mock, weight, record, effectiveWeight, withdrawal } = partner;
  const { confirmed, appealed } = partner;
  return [
    ...[organisation, mock ? `${kind} (mock)` : kind, decimal(weight), decimal(record)],
    ...[decimal(effectiveWeight), confirmed, appealed, withdrawal?.state ?? ''],
  ];
}

function formatPartners(partners: readonly PartnerInfo[]): Report {
  const none =
    'no organisation is a partner: make one with numgate organisations set <id> --partner-kind <kind>\n';
  return [partners.length === 0 ? none : formatTable(NAMES, partners.map(rowOf)), { partners }];
}

function formatPartner(partner: PartnerInfo): Report<PartnerInfo> {
  const { withdrawal, reports } = partner;
  const counts =
    reports == null
      ? styleText('yellow', 'its reports cannot be counted now')
      : `${counted(reports.acknowledged, 'report')}, ${count(reports.withdrawn)} withdrawn, ` +
        `${count(reports.overBudget)} beyond the budgets of their reporters, ${count(reports.waiting)} not counted yet`;
  const lines = [counts];
  if (withdrawal !== null) {
    const { since, requestedAt, by, reason, state, withdrawn } = withdrawal;
    const what = since === null ? 'all reports' : `reports since ${since}`;
    const progress = withdrawn === null ? '' : `, ${count(withdrawn)} so far`;
    // The intakes have withdrawn the reports, but the counts do not reflect that yet.
    const isBehind = state === 'done' && (reports?.waiting ?? 0) > 0;
    const now = isBehind ? 'withdrawn; the counts follow within seconds' : state;
    lines.push(`withdrawal of ${what}: ${now}${progress}; requested by ${by} at ${requestedAt}: ${reason}`);
  }
  return [`${formatTable(NAMES, [rowOf(partner)])}${lines.join('\n')}\n`, partner];
}

function decimal(value: number): string {
  return String(Number(value.toFixed(3)));
}
