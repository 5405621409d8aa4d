/**
 * A change request to the coordinator and its result: applied, or refused with a reason.
 */
import type { Actor } from '../../shared/admin.ts';
import type { AdminProblemCode, ProblemExtras } from '../../shared/admin-problems.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { type Failure, ok, type Result } from '../../shared/result.ts';

/** Why a change was refused. workers/http/reply.ts sends it as a problem. */
export interface Refusal extends Failure<AdminProblemCode | 'FIELD_VALUE'> {
  /** The invalid field, for FIELD_VALUE. */
  readonly field?: string;
  readonly extras?: ProblemExtras;
  /** When the same request may succeed. */
  readonly retryAfterSeconds?: number;
}
export type ChangeResult<Value> = Result<Value, Refusal>;

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
}

/** A change that the coordinator makes on its own. */
export function systemRequest(reason: string): ChangeRequest {
  return { actor: SYSTEM_ACTOR, reason, repeat: null };
}

export interface AppliedChange<Value> {
  readonly value: Value;
  readonly audit: readonly AuditEntry[];
  /** The last `seq` of a change of the head that takes more than one. */
  readonly lastSeq?: number;
}

export function applied<Value>(
  value: Value,
  audit: readonly AuditEntry[],
  lastSeq?: number,
): ChangeResult<AppliedChange<Value>> {
  return ok({ value, audit, ...(lastSeq === undefined ? {} : { lastSeq }) });
}
