/**
 * A change request to the coordinator and its result: applied, or refused with a reason.
 */
import type { Actor, AdminProblemCode, ProblemExtras } from '../../shared/admin.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import type { Failure, Result } from '../../shared/result.ts';

export type RefusalCode = AdminProblemCode | 'FIELD_VALUE';

/** Why a change was refused. Refusals are expected, so they are values. */
export interface Refusal extends Failure<RefusalCode> {
  /** The invalid field, for FIELD_VALUE. */
  readonly field?: string;
  readonly extras?: ProblemExtras;
  /** When the same request may succeed. */
  readonly retryAfterSeconds?: number;
}
export type ChangeResult<Value> = Result<Value, Refusal>;

export function refuse(code: AdminProblemCode, message: string, extras?: ProblemExtras): Refusal {
  return { ok: false, code, message, ...(extras === undefined ? {} : { extras }) };
}

/** A field of the request is invalid. */
export function refuseField(field: string, message: string): Refusal {
  return { ok: false, code: 'FIELD_VALUE', field, message: `${field} ${message}` };
}

/** The author of changes that the coordinator makes on its own. */
export const SYSTEM_ACTOR: Actor = { name: 'numgate', scopes: [], authority: 'numgate', root: false };

/** A request for a change: its author and reason. */
export interface ChangeRequest {
  readonly actor: Actor;
  readonly reason: string;
  /** The `Idempotency-Key`, and a digest of method, path and body. */
  readonly repeat: { readonly key: string; readonly sha256: string } | null;
}

export interface AppliedChange<Value> {
  readonly value: Value;
  readonly audit: readonly AuditEntry[];
}

export function applied<Value>(
  value: Value,
  audit: readonly AuditEntry[],
): ChangeResult<AppliedChange<Value>> {
  return { ok: true, value: { value, audit } };
}
