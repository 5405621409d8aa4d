/**
 * The audit records of a proposal, and its hash.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { AuditEntry } from '../../shared/audit.ts';
import { toHex, utf8 } from '../../shared/bytes.ts';
import type { Proposal, ProposalState } from '../../shared/proposals.ts';
import type { Approvable, ChangeRequest } from './change-request.ts';

/** The verb of the audit action for each state. */
export const VERBS: Readonly<Record<ProposalState, string>> = {
  pending: 'open',
  approved: 'approve',
  rejected: 'reject',
  withdrawn: 'withdraw',
  expired: 'expire',
  outdated: 'outdate',
  unreviewed: 'apply',
  reviewed: 'review',
  reverted: 'revert',
  revertFailed: 'fail',
};

export function proposalRecord(verb: string, info: Proposal, before: ProposalState | null): AuditEntry {
  const { id, state, kinds, proposer, sha256: digest, endsAt, changes, decidedBy, note } = info;
  const decided = decidedBy === null ? {} : { decidedBy, note };
  return {
    action: `proposals.${verb}`,
    subject: `proposal ${id}`,
    before: before === null ? null : { state: before },
    after: { state, kinds, proposer, sha256: digest, changes, endsAt, ...decided },
  };
}

/** Fields of audit records that contain a `seq`, which differs each time a change runs. */
const SEQ_FIELDS = ['seq', 'version'];

/**
 * The hash of a change over its author, reason, request and exact effects.
 * @param before `seq` before the change. Later ones count relative to it, because they differ each time the change runs
 */
export function digestOf(
  { actor, reason }: ChangeRequest,
  { kinds, command }: Approvable,
  audit: readonly AuditEntry[],
  before: number,
): string {
  // The guards that a change hits depend on the hour, and the request names the guards that it overrides.
  const made = audit.filter(({ action }) => action !== 'entries.override');
  const effects = JSON.stringify(made, (key, value: unknown) =>
    // Omit the operation number, which differs each time the change runs.
    key === 'operation'
      ? undefined
      : SEQ_FIELDS.includes(key) && typeof value === 'number' && value > before
        ? `+${value - before}`
        : value,
  );
  const text = JSON.stringify([actor.name, reason.toWellFormed(), kinds, command, effects]);
  return toHex(sha256(utf8(text)));
}

const REMEDY =
  'give the scope "approve" to at least two of the tokens of active organisations, the token "root" and ' +
  'Cloudflare Access, for example with npx numgate tokens add';
export const IMPOSSIBLE = ['APPROVAL_IMPOSSIBLE', `no second person could approve this: ${REMEDY}`] as const;
