/**
 * Proposals: changes that wait for a second person. An installation chooses which kinds of change wait. A proposal
 * shows exactly what the change does. Its hash covers the request and its effects, and an approval names the hash.
 * Break-glass changes are applied at once, and are kept as proposals until a second person has reviewed them.
 */
import * as v from 'valibot';
import type { EntryItem } from './admin/entries.ts';
import type { AuditEntry } from './audit.ts';
import {
  APPROVAL_WAIT_SECONDS_DEFAULT,
  APPROVAL_WAIT_SECONDS_MAX,
  APPROVAL_WAIT_SECONDS_MIN,
} from './limits/control.ts';
import { reasonSchema, sha256Schema } from './schemas.ts';

/** Kinds of change that an installation can make wait. docs/operations.md describes each kind. */
export const APPROVAL_KINDS = [
  'guardOverride',
  'actForOthers',
  'policy',
  'guards',
  'fullShare',
  'tokens',
  'signingKeys',
  'qualifications',
  'rules',
] as const;
/** `approvals` weakens these settings. It waits whenever any other kind does, so that nobody can switch them off alone. */
export type ApprovalKind = (typeof APPROVAL_KINDS)[number] | 'approvals';

const waitMessage = `must be from ${APPROVAL_WAIT_SECONDS_MIN} to ${APPROVAL_WAIT_SECONDS_MAX}`;
export const approvalsSchema = v.strictObject({
  /** The kinds that wait. Empty for none. */
  kinds: v.pipe(
    v.array(v.picklist(APPROVAL_KINDS)),
    v.maxLength(APPROVAL_KINDS.length),
    v.transform((kinds) => APPROVAL_KINDS.filter((kind) => kinds.includes(kind))),
  ),
  /** How long a proposal waits before it expires, in seconds. */
  waitSeconds: v.optional(
    v.pipe(
      v.number(),
      v.safeInteger(waitMessage),
      v.minValue(APPROVAL_WAIT_SECONDS_MIN, waitMessage),
      v.maxValue(APPROVAL_WAIT_SECONDS_MAX, waitMessage),
    ),
    APPROVAL_WAIT_SECONDS_DEFAULT,
  ),
});
/** `GET /v1/admin/approvals` */
export type Approvals = v.InferOutput<typeof approvalsSchema>;
export const NO_APPROVALS: Approvals = { kinds: [], waitSeconds: APPROVAL_WAIT_SECONDS_DEFAULT };

/** `PUT /v1/admin/approvals` */
export const putApprovalsSchema = v.strictObject({ approvals: approvalsSchema, reason: reasonSchema });

/** `POST /v1/admin/proposals/{id}/approve` */
export const approveSchema = v.strictObject({
  /** Hash of the proposal that you reviewed. */
  sha256: sha256Schema,
  reason: v.optional(reasonSchema),
});

/** `POST /v1/admin/proposals/{id}/reject` and `DELETE /v1/admin/proposals/{id}` */
export const rejectSchema = v.strictObject({ reason: reasonSchema });

/** The last four are the states of break-glass changes, which are in force already. */
export const PROPOSAL_STATES = [
  'pending',
  'approved',
  'rejected',
  'withdrawn',
  'expired',
  'outdated',
  'unreviewed',
  'reviewed',
  'reverted',
  'revertFailed',
] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** States in which a person still has to act. */
export const OPEN_STATES: readonly ProposalState[] = ['pending', 'unreviewed', 'revertFailed'];

/** A proposal in a list. */
export interface ProposalInfo {
  readonly id: number;
  readonly state: ProposalState;
  readonly kinds: readonly ApprovalKind[];
  /** Name of the actor: `token:<id>`, `access:<email>`, `wrangler`, or `numgate` for new signing keys. */
  readonly proposer: string;
  readonly organisation: string | null;
  readonly reason: string;
  readonly createdAt: string;
  /** When it expires; for a break-glass change, when it reverts. */
  readonly endsAt: string;
  /** Hash of the request and its exact effects. An approval names it. */
  readonly sha256: string;
  /** Number of audit records that the change makes: one per number and source, otherwise one. */
  readonly changes: number;
  readonly decidedAt: string | null;
  readonly decidedBy: string | null;
  /** Why it was rejected, or why it could not be executed or reverted. */
  readonly note: string | null;
  /** The `seq` at which the change became visible; null if it is not in force. */
  readonly seq: number | null;
}

/** `proposal` in the response 202 to a change that waits. */
export interface Proposal extends ProposalInfo {
  /**
   * The first changes, in the form of the audit log, with keyed numbers. The guards that the change overrides come before
   * all others.
   */
  readonly shown: readonly AuditEntry[];
}

/** `GET /v1/admin/proposals/{id}` */
export interface ProposalDetails extends Proposal {
  /** The request, while it waits; null once it is decided, and for a break-glass change. Older services omit it. */
  readonly request?: ProposedRequest | null;
}

/** A waiting request in its original form. Numbers are in clear, and secrets are left out. */
export interface ProposedRequest {
  /** `changeEntries`, `promote`, `putPolicy`, … */
  readonly command: string;
  /** The fields of the request, without the reason and the items. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** For `changeEntries`: how many items there are, and the first 50. */
  readonly count?: number;
  readonly items?: readonly EntryItem[];
}

/** `GET /v1/admin/proposals`: newest first. */
export interface ProposalList {
  readonly proposals: readonly ProposalInfo[];
}

/** `breakGlass` in the response to a change that was made at once, although changes of its kind wait. */
export interface BreakGlassDone {
  readonly proposal: number;
  /** When the change reverts, unless another person has reviewed it. */
  readonly endsAt: string;
}

/** The response 202 to a change that waits: nothing has changed yet. */
export interface PendingChange {
  readonly proposal: Proposal;
}

/**
 * Describes how a proposal ended. The text follows the proposal's number in a sentence.
 * @param already `already ` for a person who decides too late
 */
export function decisionOf({ state, decidedBy, decidedAt }: ProposalInfo, already = ''): string {
  const by = `by ${decidedBy} at ${decidedAt}`;
  switch (state) {
    case 'pending':
      return 'waits for a second person';
    case 'unreviewed':
      return 'is in force and waits for a review';
    case 'expired':
      return `expired at ${decidedAt}, because nobody approved it in time: propose it again`;
    case 'outdated':
      return `could no longer be made as shown when ${decidedBy} approved it at ${decidedAt}: propose it again`;
    case 'reverted':
      return `was ${already}taken back ${by}`;
    case 'revertFailed':
      return `could not be taken back ${by}: approve it to close it`;
    default:
      return `was ${already}${state} ${by}`;
  }
}
