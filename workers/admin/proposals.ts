/**
 * `/v1/admin/approvals` and `/v1/admin/proposals`: which changes wait for a second person, and decisions on the
 * waiting changes.
 */
import { fieldError } from '../../shared/fields.ts';
import { PROPOSALS_LISTED } from '../../shared/limits/control.ts';
import {
  approveSchema,
  type ProposalList,
  putApprovalsSchema,
  rejectSchema,
} from '../../shared/proposals.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';
import { forAdmins, forChanges } from './context.ts';
import { afterEntryChange, terminatedBy } from './number-events.ts';

export const getApprovals = forAdmins('read', async ({ coordinator }) => ok(await coordinator.approvals()));

export const putApprovals = forChanges('root', putApprovalsSchema, ({ coordinator, change, body }) =>
  coordinator.putApprovals(change, body.approvals),
);

export const listProposals = forAdmins('read', async ({ coordinator }) =>
  ok({ proposals: await coordinator.proposals(PROPOSALS_LISTED) } satisfies ProposalList),
);

export const getProposal = forAdmins('read', async ({ coordinator, params }) => {
  const id = idOf(params.id!);
  if (!id.ok) return id;
  const proposal = await coordinator.proposal(id.value);
  return proposal === null ? problem('PROPOSAL_UNKNOWN', 'no proposal has this id') : ok(proposal);
});

export const approve = forChanges('approve', approveSchema, async (context) => {
  const { coordinator, change, params, body, env, ctx } = context;
  const id = idOf(params.id!);
  if (!id.ok) return id;
  const entries = await coordinator.proposedEntries(id.value);
  const done = await coordinator.approve(change, id.value, body.sha256);
  const numbers = done.ok && entries !== null ? terminatedBy(entries) : [];
  if (numbers.length > 0) {
    const control = env as unknown as ControlEnv;
    ctx.waitUntil(afterEntryChange(change, numbers, null, coordinator, control));
  }
  return done;
});

export const reject = forChanges('approve', rejectSchema, async ({ coordinator, change, params }) => {
  const id = idOf(params.id!);
  return id.ok ? coordinator.reject(change, id.value) : id;
});

/** Withdraws a proposal of the caller, who does not need the scope `approve`. */
export const withdraw = forChanges('read', rejectSchema, async ({ coordinator, change, params }) => {
  const id = idOf(params.id!);
  return id.ok ? coordinator.withdraw(change, id.value) : id;
});

function idOf(text: string): Result<number, Problem> {
  return /^[1-9]\d{0,14}$/.test(text)
    ? ok(Number(text))
    : fieldError('FIELD_VALUE', 'id', 'must be the number of a proposal');
}
