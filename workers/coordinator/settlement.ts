/**
 * The checks that end a proposal, in the transaction of the change that it executes or reverts: whether the proposal is
 * still open, whether both persons may still act, and whether the change does exactly what was shown.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { UndoDone } from '../../shared/admin/entries.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { decisionOf, type ProposalInfo, type ProposalState } from '../../shared/proposals.ts';
import { ok } from '../../shared/result.ts';
import type { AuditLog } from './audit-log.ts';
import {
  type AppliedChange,
  type ChangeRequest,
  type CheckResult,
  type Refusal,
  refuse,
  type Settlement,
} from './change-request.ts';
import { digestOf } from './proposal-records.ts';
import type { ProposalStore, StoredProposal } from './proposal-store.ts';

/** Runs after the change, in its transaction. `before` is the `seq` before the change, and `after` the current one. */
export function settle(
  request: ChangeRequest,
  { id, from, to, decision }: Settlement,
  { value, audit, approvable }: AppliedChange<unknown>,
  { before, after: seq }: { readonly before: number; readonly after: number },
  proposals: ProposalStore,
  log: AuditLog,
): CheckResult<{ readonly audit: AuditEntry; readonly info: ProposalInfo }> {
  const stored = proposals.get(id)!;
  const open = checkOpen(stored.info, from, Date.now());
  if (!open.ok) return open;
  const { actor, reason } = decision;
  if (to === 'approved') {
    const allowed = checkApprover(stored, actor, proposals, log);
    if (!allowed.ok) return allowed;
    const proposer = proposerNow(stored, proposals, log);
    // The proposer's organisation may have got another authority since the work began.
    if (!proposer.ok || JSON.stringify(proposer.value) !== JSON.stringify(request.actor))
      return PROPOSER_GONE;
    const digest = approvable === null ? null : digestOf(request, approvable, audit, before);
    if (digest !== stored.info.sha256) {
      return refuse('PROPOSAL_OUTDATED', 'the change would no longer do what was shown: propose it again');
    }
  }
  const visible = to === 'approved' ? { seq } : {};
  // Entries that were changed since stay as they are. A person must review them: they may have been changed to keep them.
  const { skipped = 0 } = value as Partial<UndoDone>;
  const isPartial = to === 'reverted' && skipped > 0;
  const note = isPartial
    ? `${skipped} entries were changed in the meantime, and were not taken back`
    : reason || null;
  const state = isPartial ? 'revertFailed' : to;
  const record = proposals.close(stored.info, state, actor.name, { note, ...visible });
  const { shown: _, ...info } = proposals.get(id)!.info;
  return ok({ audit: record, info });
}

const PROPOSER_GONE = refuse(
  'PROPOSAL_OUTDATED',
  'its proposer may no longer make this change: propose it again with another token',
);

/** The proposer with its current rights; refused if these no longer suffice. Only persons are checked. */
export function proposerNow(
  { actor, needs, audited }: StoredProposal,
  { people }: ProposalStore,
  log: AuditLog,
): CheckResult<Actor> {
  if (!isPerson(actor.name)) return ok(actor);
  const now = people.find(actor.name);
  // A token that was removed and added again counts as somebody else's.
  const subject = actor.name.replace(/^token:/, '');
  if (log.hasChange(audited, { action: 'tokens.remove', subject })) return PROPOSER_GONE;
  const has = (need: string): boolean =>
    need === 'root' ? now?.root === true : now?.scopes.some((scope) => scope === need) === true;
  // Under another authority, the proposer would make a different change from the one shown.
  const isSame = now?.organisation === actor.organisation && now.authority === actor.authority;
  return isSame && needs.every(has) ? ok(now) : PROPOSER_GONE;
}

/** Whether the actor is a person. `wrangler` and `numgate` are not. */
function isPerson(name: string): boolean {
  return /^(token|access):/.test(name);
}

/** @param from the state that the proposal must have @param now ms since 1970 */
export function checkOpen(info: ProposalInfo, from: ProposalState, now: number): CheckResult {
  const { id, state, endsAt } = info;
  if (state !== from) return decided(`proposal ${id} ${decisionOf(info, 'already ')}`);
  if (state === 'pending' && Date.parse(endsAt) <= now)
    return decided(`proposal ${id} expired at ${endsAt}: propose it again`);
  return ok(undefined);
}

function decided(message: string): Refusal {
  return refuse('PROPOSAL_DECIDED', message);
}

/** Refuses an approver who is not a second person: the proposer, or a token that the proposer has made or changed since. */
export function checkApprover(
  { info: { proposer }, audited }: StoredProposal,
  { name }: Actor,
  { people }: ProposalStore,
  log: AuditLog,
): CheckResult {
  if (name === proposer)
    return refuse('APPROVER_REFUSED', 'you proposed this: a second person must approve it');
  const now = people.find(name);
  if (now === null || !now.scopes.includes('approve'))
    return refuse('APPROVER_REFUSED', 'you no longer have the scope "approve"');
  if (
    log.hasChange(audited, { actor: proposer, action: 'tokens.put', subject: name.replace(/^token:/, '') })
  ) {
    const message = `${proposer} has changed your token since the proposal: another person must approve it`;
    return refuse('APPROVER_REFUSED', message);
  }
  return ok(undefined);
}
