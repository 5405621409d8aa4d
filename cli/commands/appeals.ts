/**
 * `numgate appeals`: decides on the appeals of people whose number or sender ID is blocked. Accepting an appeal lifts the block
 * at once.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { AppealDetails, AppealInfo, AppealPage, AppealSummary } from '../../shared/admin/appeals.ts';
import { REJECTIONS, type Rejection } from '../../shared/appeals/appeal.ts';
import { REJECTION_TEXTS } from '../../shared/appeals/texts.ts';
import { APPEALS_PAGE_MAX } from '../../shared/limits/appeals.ts';
import { LIVE_GUARDS, type LiveGuard } from '../../shared/release/guard-settings.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report, writeLine } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { auditLines } from './audit-lines.ts';
import { addReasonOption, examples, positiveNumber, requireReason, wholeNumber } from './options.ts';
import { overrideOption } from './override.ts';
import { type AuthorityOptions, addAuthorityOption, authorityField } from './override-authority.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

/** Pause between two requests for new appeals, in ms. */
const WATCH_PAUSE_MS = 5_000;
const SHOWN = ['open', 'decided', 'all'] as const;

interface ListOptions {
  readonly show: (typeof SHOWN)[number];
  readonly limit: number;
}

interface AcceptOptions extends WaitOptions, AuthorityOptions {
  readonly override?: readonly LiveGuard[];
  readonly reason: string;
}

interface RejectOptions {
  readonly code?: Rejection;
  readonly reason: string;
}

export function addAppeals(program: Command): void {
  const appeals = program
    .command('appeals')
    .description('decide on the appeals of people who were blocked (scope: appeals)');

  appeals
    .command('list')
    .description('list appeals, oldest first')
    .addOption(new Option('--show <which>', 'which appeals to list').choices(SHOWN).default('open'))
    .option('--limit <rows>', 'maximum number of rows', positiveNumber, APPEALS_PAGE_MAX)
    .addHelpText('after', examples('appeals list', 'appeals list --show decided'))
    .action(async ({ show, limit }: ListOptions) => print(...formatList(await listed(show, limit), show)));

  appeals
    .command('show')
    .description('show an appeal, its statements, and what blocks the number now')
    .argument('<id>', 'number of the appeal', positiveNumber)
    .addHelpText('after', examples('appeals show 17'))
    .action(async (id: number) => {
      print(...formatDetails(await adminOfEnvironment().get<AppealDetails>(`appeals/${id}`)));
    });

  for (const [action, description] of [
    ['claim', 'claim an appeal for an hour, so that nobody else can decide on it'],
    ['release', 'return a claimed appeal to the queue'],
  ] as const) {
    addReasonOption(appeals.command(action))
      .description(description)
      .argument('<id>', 'number of the appeal', positiveNumber)
      .addHelpText('after', examples(`appeals ${action} 17`))
      .action(async (id: number, { reason }: { reason: string }) => {
        print(
          ...formatDone(await adminOfEnvironment().change('POST', `appeals/${id}/${action}`, { reason })),
        );
      });
  }

  addWaitOptions(addAuthorityOption(requireReason(appeals.command('accept'))))
    .description('accept an appeal: the block is lifted at once')
    .argument('<id>', 'number of the appeal', positiveNumber)
    .addOption(overrideOption(LIVE_GUARDS))
    .addHelpText(
      'after',
      `
Unblocks the number or sender ID as numgate unblock does, with the same guards and authorities. If a rule made the block,
the block is lifted, and its reports no longer count. If a campaign of texts is the block, it is revoked for everybody. If
the block no longer exists, the appeal is closed as noLongerBlocked.`,
    )
    .addHelpText('after', examples('appeals accept 17 --reason "the line is the bank\'s own" --wait'))
    .action(async (id: number, options: AcceptOptions) => {
      const { reason, override } = options;
      const overrides = override === undefined ? {} : { overrides: override };
      const body = { reason, ...overrides, ...authorityField(options) };
      const done = await adminOfEnvironment().change<AppealInfo>('POST', `appeals/${id}/accept`, body);
      // Nothing changed, so there is nothing to wait for.
      if (done.seq === null) print(...formatDone(done));
      else await printChange([formatDone(done)[0], { ...done, seq: done.seq }], options);
    });

  requireReason(appeals.command('reject'))
    .description('reject an appeal: the block stays')
    .argument('<id>', 'number of the appeal', positiveNumber)
    .addOption(new Option('--code <code>', 'reason that the appellant sees (required)').choices(REJECTIONS))
    .addHelpText(
      'after',
      `\nCodes:\n${REJECTIONS.map((code) => `  ${code}\n    ${REJECTION_TEXTS[code].en}`).join('\n')}`,
    )
    .addHelpText('after', examples('appeals reject 17 --code HOLDER_UNPROVEN --reason "no document sent"'))
    .action(async (id: number, { code, reason }: RejectOptions) => {
      if (code === undefined) throw new CommandFailure("required option '--code <code>' not specified", 2);
      const body = { code, reason };
      print(...formatDone(await adminOfEnvironment().change('POST', `appeals/${id}/reject`, body)));
    });

  appeals
    .command('summary')
    .description('show how many appeals are waiting, and how long decisions took')
    .addHelpText('after', examples('appeals summary'))
    .action(async () => print(...formatSummary(await adminOfEnvironment().get('appeals/summary'))));

  appeals
    .command('watch')
    .description('print appeals as they come in, until Ctrl-C')
    .addHelpText('after', examples('appeals watch'))
    .action(async () => {
      const admin = adminOfEnvironment();
      for (let after = 0; ; ) {
        const page = await pageOf(admin, 'open', after, APPEALS_PAGE_MAX);
        for (const appeal of page.appeals) print(lineOf(appeal), appeal);
        after = page.appeals.at(-1)?.id ?? after;
        if (page.next === null) await pause(WATCH_PAUSE_MS);
      }
    });

  appeals
    .command('audit')
    .description('write the audit chain of appeals to standard output, as input for audit verify')
    .option('--after <n>', 'only records after record n', wholeNumber, 0)
    .addHelpText('after', examples('appeals audit > appeals.ndjson'))
    .action(async ({ after }: { readonly after: number }) => {
      for await (const line of auditLines(adminOfEnvironment(), after, 'appeals/audit'))
        await writeLine(line);
    });
}

function pageOf(admin: Admin, show: string, after: number, limit: number): Promise<AppealPage> {
  return admin.get<AppealPage>('appeals', { show, after, limit });
}

async function listed(show: string, limit: number): Promise<AppealPage> {
  const admin = adminOfEnvironment();
  const appeals: AppealInfo[] = [];
  let next: number | null = 0;
  while (next !== null && appeals.length < limit) {
    const page: AppealPage = await pageOf(
      admin,
      show,
      next,
      Math.min(limit - appeals.length, APPEALS_PAGE_MAX),
    );
    appeals.push(...page.appeals);
    next = page.next;
  }
  return { appeals, next };
}

/** Whether a campaign blocked the text. Otherwise, the block is on the number or sender ID. */
function isOfCampaign({ code }: AppealInfo): boolean {
  return code === 'TEXT_CAMPAIGN';
}

function subjectOf(appeal: AppealInfo): string {
  return isOfCampaign(appeal) ? 'text' : appeal.subject;
}

function partyOf(appeal: AppealInfo): string {
  return isOfCampaign(appeal) ? `campaign ${appeal.list}` : (appeal.number ?? appeal.source ?? '');
}

function blockOf({ list, entrySeq, authority }: AppealInfo): string {
  return `${list}${entrySeq === null ? '' : ` (seq ${entrySeq})`} of ${authority}`;
}

function formatList({ appeals, next }: AppealPage, show: ListOptions['show']): Report {
  const rows = appeals.map((appeal) => [
    ...[String(appeal.id), appeal.state, subjectOf(appeal), partyOf(appeal), appeal.code, blockOf(appeal)],
    ...[appeal.receivedAt, appeal.claimedBy ?? appeal.decidedBy ?? ''],
  ]);
  const names = [
    'appeal',
    'state',
    'subject',
    'number, sender or campaign',
    'code',
    'block',
    'received',
    'by',
  ];
  const more = next === null ? '' : 'there are more appeals: raise --limit to see them\n';
  const none = {
    ...{ open: 'no open appeals (--show all also lists decided appeals)\n', decided: 'no decided appeals\n' },
    all: 'there are no appeals\n',
  }[show];
  return [rows.length === 0 ? none : formatTable(names, rows) + more, { appeals, next }];
}

function lineOf(appeal: AppealInfo): string {
  const { id, code, receivedAt } = appeal;
  return `${receivedAt}  appeal ${id}: ${subjectOf(appeal)} ${partyOf(appeal)}, ${code}, ${blockOf(appeal)}\n`;
}

function formatDetails(appeal: AppealDetails): Report<AppealDetails> {
  const { statements, appellants, blocks, ruleBlock } = appeal;
  const now =
    blocks === null
      ? ['  the current blocks could not be read']
      : blocks.length === 0
        ? ['  no longer blocked']
        : blocks.map(({ list, code, authority }) => `  now blocked by ${list} of ${authority} (${code})`);
  // Older services do not return the rule block.
  const rule =
    ruleBlock == null
      ? []
      : [
          `  rule block ${ruleBlock.id} of ${ruleBlock.rule} is ${ruleBlock.state}: npx numgate rule-blocks show ${ruleBlock.id}`,
        ];
  const written = statements.flatMap(({ at, statement, contact }) => [
    `  ${at}${contact === null ? '' : `, contact: ${contact}`}`,
    ...statement.split('\n').map((line) => `    ${line}`),
  ]);
  const effect =
    isOfCampaign(appeal) && appeal.decidedAt === null
      ? [
          `  accepting the appeal revokes campaign ${appeal.list} for everybody: see npx numgate text campaigns show ${appeal.list}`,
        ]
      : [];
  const more = appellants - statements.length;
  const others = more > 0 ? [`  and ${counted(more, 'further appeal')} against the same block`] : [];
  return [
    lineOf(appeal) +
      [stateOf(appeal), ...now, ...rule, ...effect, ...written, ...others]
        .map((line) => `${line}\n`)
        .join(''),
    appeal,
  ];
}

function stateOf({
  state,
  claimedBy,
  claimedUntil,
  decidedBy,
  decidedAt,
  rejection,
  seq,
}: AppealInfo): string {
  if (claimedBy !== null) return `  ${state}: claimed by ${claimedBy} until ${claimedUntil}`;
  if (decidedAt === null) return `  ${state}`;
  const detail = rejection === null ? (seq === null ? '' : ` (seq ${seq})`) : ` (${rejection})`;
  return `  ${state} by ${decidedBy} at ${decidedAt}${detail}`;
}

function formatDone(appeal: AppealInfo): Report<AppealInfo> {
  const { id, state, seq } = appeal;
  const accepted =
    state === 'accepted' && isOfCampaign(appeal)
      ? `: campaign ${appeal.list} is revoked for everybody, and texts like it are no longer blocked`
      : '';
  const detail = state === 'noLongerBlocked' ? ': the block had already ended' : accepted;
  return [`appeal ${id} is ${state}${detail}${seq === null ? '' : ` (seq ${seq})`}\n`, appeal];
}

function formatSummary(summary: AppealSummary): Report<AppealSummary> {
  const { open, oldestAt, decided, medianSeconds, p90Seconds } = summary;
  const oldest = oldestAt === null ? '' : `, the oldest since ${oldestAt}`;
  const time = (seconds: number | null): string =>
    seconds === null ? 'none' : `${count(Math.round(seconds))} s`;
  const lines = [
    `${counted(open, 'appeal')} ${open === 1 ? 'is' : 'are'} waiting${oldest}`,
    'decided in the last 30 days:',
    ...Object.entries(decided).map(([state, many]) => `  ${state}: ${count(many)}`),
    `from receipt to decision: median ${time(medianSeconds)}, p90 ${time(p90Seconds)}`,
  ];
  return [`${lines.join('\n')}\n`, summary];
}
