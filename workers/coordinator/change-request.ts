/**
 * A change request to the coordinator and its result: applied, or refused with a reason.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { AdminProblemCode, ProblemExtras } from '../../shared/admin/problems.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import type { ApprovalKind, Proposal, ProposalState } from '../../shared/proposals.ts';
import { type Failure, ok, type Result } from '../../shared/result.ts';
import type { Scope } from '../../shared/roles.ts';
import type { Command } from './command.ts';

/** Why a change was refused. workers/http/reply.ts sends it as a problem. */
export interface Refusal extends Failure<AdminProblemCode | 'FIELD_VALUE'> {
  /** The invalid field, for FIELD_VALUE. */
  readonly field?: string;
  readonly extras?: ProblemExtras;
  /** Seconds after which the same request may succeed. */
  readonly retryAfterSeconds?: number;
}

/** A change that is not applied yet: it waits for a second person. admin/context.ts sends the proposal. */
export interface Waiting extends Failure<'APPROVAL_PENDING'> {
  readonly proposal: Proposal;
  readonly extras?: never;
}
/** The result of a check. A check never waits for a second person. */
export type CheckResult<Value = void> = Result<Value, Refusal>;
export type ChangeResult<Value> = Result<Value, Refusal | Waiting>;

export function refuse(
  code: Refusal['code'],
  message: string,
  extra: Pick<Refusal, 'field' | 'extras' | 'retryAfterSeconds'> = {},
): Refusal {
  return { ok: false, code, message, ...extra };
}

/** A field of the request is invalid. @param message continues the sentence after the field name */
export function refuseField(field: string, message: string): Refusal {
  return refuse('FIELD_VALUE', `"${field}" ${message}`, { field });
}

/** The author of changes that the coordinator makes on its own. */
export const SYSTEM_ACTOR: Actor = {
  ...{ name: 'numgate', scopes: [], root: false },
  ...{ organisation: null, authority: SYSTEM_AUTHORITY },
};

/** A request for a change: its author and reason. */
export interface ChangeRequest {
  readonly actor: Actor;
  readonly reason: string;
  /** The `Idempotency-Key`, and a digest of method, path and body. */
  readonly repeat: { readonly key: string; readonly sha256: string } | null;
  /** The scopes that the request needed; `root` is the root token. The proposer must still have them at approval. */
  readonly needs?: readonly (Scope | 'root')[];
  /** Apply the change at once, even if its kind waits for a second person. */
  readonly breakGlass?: boolean;
  /** The proposal that this change executes or reverts. */
  readonly settles?: Settlement;
}

/** The request that records a refusal. It stores no answer for a repeat, and ends no proposal. */
export function refusedRequest({ actor, reason }: ChangeRequest): ChangeRequest {
  return { actor, reason, repeat: null };
}

/** How a proposal ends, in the transaction of the change that it executes or reverts. */
export interface Settlement {
  readonly id: number;
  readonly from: ProposalState;
  readonly to: 'approved' | 'reverted';
  /** The request of the person who decided, or of the service itself if nobody reviewed a break-glass change. */
  readonly decision: ChangeRequest;
}

/** A change that may have to wait for a second person. */
export interface Approvable {
  /** The kinds of the change. A change without a kind never waits. */
  readonly kinds: readonly ApprovalKind[];
  /** Makes the change. */
  readonly command: Command;
  /** Reverts the change; refused if the change is no longer in force. Null if the change cannot be break-glass. */
  readonly revert: Command | null;
}

/** What a change of live entries requires. An undo of its undo requires the same, because it repeats the change. */
export interface Needs {
  /** The kinds of the change that can wait for a second person. */
  readonly kinds: readonly ApprovalKind[];
  /** Other authorities that the change acts for. */
  readonly authorities: readonly string[];
}

/** A change that the coordinator makes on its own. */
export function systemRequest(reason: string): ChangeRequest {
  return { actor: SYSTEM_ACTOR, reason, repeat: null };
}

export interface AppliedChange<Value> {
  readonly value: Value;
  readonly audit: readonly AuditEntry[];
  readonly approvable: Approvable | null;
  /** The last `seq` of a change of the head that uses several; the current `seq` if the change uses none. */
  readonly lastSeq?: number;
}

export function applied<Value>(
  value: Value,
  audit: readonly AuditEntry[],
  approvable: Approvable | null = null,
  lastSeq?: number,
): ChangeResult<AppliedChange<Value>> {
  return ok({ value, audit, approvable, ...(lastSeq === undefined ? {} : { lastSeq }) });
}
