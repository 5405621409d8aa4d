/**
 * `numgate proposals`, `approve`, `reject`: changes that wait for a second person, and break-glass changes that wait
 * for a review.
 */
import { type Command, InvalidArgumentError } from 'commander';
import type { AuditEntry } from '../../shared/audit.ts';
import {
  decisionOf,
  OPEN_STATES,
  type Proposal,
  type ProposalDetails,
  type ProposalInfo,
  type ProposalList,
  type ProposedRequest,
} from '../../shared/proposals.ts';
import type { GuardHit } from '../../shared/release/guard-settings.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText, visible } from '../terminal/visible.ts';
import { examples, requireReason } from './options.ts';

export function addProposals(program: Command): void {
  const proposals = program
    .command('proposals')
    .description('list, show or withdraw changes that wait for a second person');

  proposals
    .command('list')
    .description('list proposals and break-glass changes; waiting ones come first')
    .addHelpText('after', examples('proposals list'))
    .action(async () => {
      print(...formatProposals(await adminOfEnvironment().get<ProposalList>('proposals')));
    });

  proposals
    .command('show')
    .description('show a proposal and what it changes')
    .argument('<id>', 'number of the proposal', proposalId)
    .addHelpText('after', examples('proposals show 12'))
    .action(async (id: number) => print(...formatProposal(await load(id))));

  requireReason(proposals.command('withdraw'))
    .description('withdraw your own proposal')
    .argument('<id>', 'number of the proposal', proposalId)
    .addHelpText('after', examples('proposals withdraw 12 --reason "wrong file"'))
    .action(async (id: number, { reason }: { reason: string }) => {
      const path = `proposals/${id}`;
      print(...formatDecision(await adminOfEnvironment().change<ProposalInfo>('DELETE', path, { reason })));
    });

  program
    .command('approve')
    .description("execute somebody else's proposal, or keep a break-glass change")
    .argument('<id>', 'number of the proposal', proposalId)
    .option('--sha256 <hash>', 'hash that "proposals show" prints (required)')
    .option('--reason <text>', 'reason for the audit log')
    .addHelpText('after', examples('approve 12 --sha256 9f2c…'))
    .action(async (id: number, { sha256, reason }: { sha256?: string; reason?: string }) => {
      if (sha256 === undefined) {
        const advice = `read it first: npx numgate proposals show ${id}\nthen: npx numgate approve ${id} --sha256 <hash>`;
        throw new CommandFailure(`approve needs --sha256, the hash of what you have read\n${advice}`, 2);
      }
      const body = { sha256, ...(reason === undefined ? {} : { reason }) };
      const path = `proposals/${id}/approve`;
      print(...formatDecision(await adminOfEnvironment().change<ProposalInfo>('POST', path, body)));
    });

  requireReason(program.command('reject'))
    .description(
      'reject a proposal (to withdraw your own, use proposals withdraw), or revert a break-glass change now',
    )
    .argument('<id>', 'number of the proposal', proposalId)
    .addHelpText('after', examples('reject 12 --reason "blocks a hospital"'))
    .action(async (id: number, { reason }: { reason: string }) => {
      const path = `proposals/${id}/reject`;
      const done = await adminOfEnvironment().change<ProposalInfo>('POST', path, { reason });
      if (done.state !== 'revertFailed') return print(...formatDecision(done));
      const message = `${formatDecision(done)[0].trim()}\n${remedyOf(done)}`;
      throw new CommandFailure(message, 4, { proposal: done });
    });
}

/** Codes that begin the note of a break-glass change whose revert failed because nothing of it is left. */
const REPLACED = /^(PRECONDITION_FAILED|BASE_MOVED|UNDONE|ENDED):/;

function remedyOf({ id, note: why, sha256 }: ProposalInfo): string {
  const close = `to close it: npx numgate approve ${id} --sha256 ${sha256}`;
  return REPLACED.test(why ?? '')
    ? `a newer change has replaced it, or it has ended: nothing is left to undo\n${close}`
    : `undo by hand whatever is still in force, and then\n${close}`;
}

function proposalId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('must be the number of a proposal');
  return Number(text);
}

function load(id: number): Promise<ProposalDetails> {
  return adminOfEnvironment().get<ProposalDetails>(`proposals/${id}`);
}

export function formatProposals({ proposals }: ProposalList): Report {
  const rows = proposals.map((info) => [
    ...[String(info.id), info.state, info.kinds.join(' '), info.proposer, info.reason],
    OPEN_STATES.includes(info.state) ? `until ${info.endsAt}` : `${info.decidedAt} by ${info.decidedBy}`,
  ]);
  const names = ['proposal', 'state', 'kinds', 'proposer', 'reason', 'when'];
  if (rows.length === 0) return ['no proposals\n', { proposals }];
  return [formatTable(names, rows), { proposals }];
}

/** Shows first what the proposal overrides, then the request and its effects, so that many numbers cannot hide an override. */
export function formatProposal(proposal: ProposalDetails): Report<ProposalDetails> {
  const { id, state, kinds, proposer, organisation, reason, endsAt, sha256, request = null } = proposal;
  const { decidedBy, note: why } = proposal;
  const by = organisation === null ? proposer : `${proposer} of ${organisation}`;
  const ends = { pending: `expires ${endsAt}`, unreviewed: `reverts ${endsAt}` }[state as string];
  const lines = [
    `proposal ${styleText('bold', String(id))} is ${state} (${kinds.join(', ')})`,
    `  by ${by}: ${reason}`,
    ...(ends === undefined ? [] : [`  ${ends}`]),
    ...(decidedBy === null
      ? []
      : [`  it ${decisionOf(proposal)}`, ...(why === null ? [] : [`  note: ${why}`])]),
    `  sha256 ${sha256}`,
    ...overrideLines(proposal),
    ...(request === null ? [] : requestLines(request)),
    // The items say more than their keyed effects.
    ...(request?.items === undefined ? effectLines(proposal) : []),
  ];
  return [`${lines.map(visible).join('\n')}\n`, proposal];
}

/** The guards and authorities that the proposal overrides, with the figures of the guards. */
function overrideLines({ shown }: Proposal): string[] {
  return shown.filter(isOverride).flatMap(({ after }) => {
    const { guards = [], overrideAuthorities = [] } = after as Overridden;
    return [
      ...guards.map(({ guard, message }) => `  overrides the guard ${guard}: ${message}`),
      ...overrideAuthorities.map((name) => `  acts for the authority ${name}`),
    ];
  });
}

/** The field `after` of an audit record about an override. */
interface Overridden {
  readonly guards?: readonly GuardHit[];
  readonly overrideAuthorities?: readonly string[];
}

function isOverride({ action }: AuditEntry): boolean {
  return action === 'entries.override';
}

function requestLines({ command, fields, count: many = 0, items = [] }: ProposedRequest): string[] {
  const rest = many - items.length;
  return [
    `  request ${command}:`,
    ...Object.entries(fields).map(([name, value]) => `    ${name} ${JSON.stringify(value)}`),
    ...(many === 0 ? [] : [`    ${count(many)} item${many === 1 ? '' : 's'}:`]),
    ...items.map((item) => ('number' in item ? `      ${item.number}` : `      source "${item.source}"`)),
    ...(rest > 0 ? [`      and ${count(rest)} more`] : []),
  ];
}

function effectLines({ changes, shown }: Proposal): string[] {
  const rest = changes - shown.length;
  return [
    `  ${count(changes)} change${changes === 1 ? '' : 's'}, as in the audit log, which has keyed names instead of numbers:`,
    ...shown
      .filter((entry) => !isOverride(entry))
      .flatMap(({ action, subject, before, after }) => [
        `    ${action} ${action.startsWith('entries.') ? 'audit name ' : ''}${subject}`,
        `      before ${JSON.stringify(before)}`,
        `      after  ${JSON.stringify(after)}`,
      ]),
    ...(rest > 0 ? [`    and ${count(rest)} more`] : []),
  ];
}

function formatDecision(done: ProposalInfo): Report<ProposalInfo> {
  const { id, state, note: why, seq } = done;
  const where = state === 'approved' && seq !== null ? ` (seq ${seq})` : '';
  const because = state === 'revertFailed' && why !== null ? `: ${visible(why)}` : '';
  return [`proposal ${id} is ${state}${where}${because}\n`, done];
}
