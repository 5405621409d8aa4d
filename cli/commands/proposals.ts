/**
 * `numgate proposals`, `approve`, `reject`: changes that wait for a second person, and break-glass changes that wait
 * for a review.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { OPEN_STATES, type Proposal, type ProposalInfo, type ProposalList } from '../../shared/proposals.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { note, print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText, visible } from '../terminal/visible.ts';
import { examples, requireReason } from './options.ts';

export function addProposals(program: Command): void {
  const proposals = program
    .command('proposals')
    .description('list, show or withdraw changes that wait for a second person');

  proposals
    .command('list')
    .description('list proposals and break-glass changes; those that wait come first')
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
    .description('execute a proposal of somebody else, or keep a break-glass change')
    .argument('<id>', 'number of the proposal', proposalId)
    .option('--sha256 <hash>', 'only if the proposal has this hash (default: the one that is shown now)')
    .option('--reason <text>', 'reason for the audit log')
    .addHelpText('after', examples('approve 12 --sha256 9f2c…'))
    .action(async (id: number, { sha256, reason }: { sha256?: string; reason?: string }) => {
      const proposal = await load(id);
      note(formatProposal(proposal)[0]);
      const body = { sha256: sha256 ?? proposal.sha256, ...(reason === undefined ? {} : { reason }) };
      const path = `proposals/${id}/approve`;
      print(...formatDecision(await adminOfEnvironment().change<ProposalInfo>('POST', path, body)));
    });

  requireReason(program.command('reject'))
    .description('reject a proposal, or take back a break-glass change now')
    .argument('<id>', 'number of the proposal', proposalId)
    .addHelpText('after', examples('reject 12 --reason "blocks a hospital"'))
    .action(async (id: number, { reason }: { reason: string }) => {
      const path = `proposals/${id}/reject`;
      const done = await adminOfEnvironment().change<ProposalInfo>('POST', path, { reason });
      if (done.state !== 'revertFailed') return print(...formatDecision(done));
      const message = `${formatDecision(done)[0].trim()}\nwhat is left is still in force: make the opposite change yourself`;
      throw new CommandFailure(message, 4, { proposal: done });
    });
}

function proposalId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('must be the number of a proposal');
  return Number(text);
}

function load(id: number): Promise<Proposal> {
  return adminOfEnvironment().get<Proposal>(`proposals/${id}`);
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

export function formatProposal(proposal: Proposal): Report<Proposal> {
  const { id, state, kinds, proposer, organisation, reason, endsAt, sha256, changes, shown } = proposal;
  const { decidedBy, decidedAt, note: why } = proposal;
  const by = organisation === null ? proposer : `${proposer} of ${organisation}`;
  const ends = { pending: `expires ${endsAt}`, unreviewed: `reverts ${endsAt}` }[state as string];
  const rest = changes - shown.length;
  const lines = [
    `proposal ${styleText('bold', String(id))} is ${state} (${kinds.join(', ')})`,
    `  by ${by}: ${reason}`,
    ...(ends === undefined ? [] : [`  ${ends}`]),
    ...(decidedBy === null
      ? []
      : [`  ${state} by ${decidedBy} at ${decidedAt}${why === null ? '' : `: ${why}`}`]),
    `  sha256 ${sha256}`,
    `  ${count(changes)} change${changes === 1 ? '' : 's'}:`,
    ...shown.flatMap(({ action, subject, before, after }) => [
      `    ${action} ${subject}`,
      `      before ${JSON.stringify(before)}`,
      `      after  ${JSON.stringify(after)}`,
    ]),
    ...(rest > 0 ? [`    and ${count(rest)} more`] : []),
  ];
  return [`${lines.map(visible).join('\n')}\n`, proposal];
}

function formatDecision(done: ProposalInfo): Report<ProposalInfo> {
  const { id, state, note: why, seq } = done;
  const where = state === 'approved' && seq !== null ? ` (seq ${seq})` : '';
  const because = state === 'revertFailed' && why !== null ? `: ${visible(why)}` : '';
  return [`proposal ${id} is ${state}${where}${because}\n`, done];
}
