/**
 * A request to a store, and how it fails. The fields are those of requests to the coordinator, so admin/context.ts makes
 * both.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { AdminProblemCode, ProblemExtras } from '../../shared/admin/problems.ts';
import type { Failure, Result } from '../../shared/result.ts';

export interface StoreRequest {
  readonly actor: Actor;
  readonly reason: string;
  /** The `Idempotency-Key`, and a digest of method, path and body. */
  readonly repeat: { readonly key: string; readonly sha256: string } | null;
}

export interface StoreRefusal
  extends Failure<AdminProblemCode | 'FIELD_VALUE' | 'NOT_CONFIGURED' | 'UNAVAILABLE'> {
  /** The invalid field, for FIELD_VALUE. */
  readonly field?: string;
  /** Seconds until the same request may succeed. */
  readonly retryAfterSeconds?: number;
  readonly extras?: ProblemExtras;
}
export type StoreResult<Value> = Result<Value, StoreRefusal>;

export function refuse(code: StoreRefusal['code'], message: string, extras?: ProblemExtras): StoreRefusal {
  return { ok: false, code, message, ...(extras === undefined ? {} : { extras }) };
}

/** A field of the request is invalid. @param message continues the sentence after the field name */
export function refuseField(field: string, message: string): StoreRefusal {
  return { ok: false, code: 'FIELD_VALUE', field, message: `"${field}" ${message}` };
}

/** The request for a change that the service itself makes. */
export function systemRequest(reason: string): StoreRequest {
  const actor = { name: 'numgate', scopes: [], root: false, organisation: null, authority: null };
  return { actor, reason, repeat: null };
}
