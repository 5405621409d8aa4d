/**
 * An order to the coordinator, and its outcome: done, or refused for a stated reason.
 */
import type { Actor, AdminProblemCode, ProblemExtras } from '../../shared/admin.ts';
import type { AuditEntry } from '../../shared/audit.ts';

export type RefusalCode = AdminProblemCode | 'FIELD_VALUE';

/** Why a change was not made; expected, so a value. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
  /** FIELD_VALUE: which. */
  readonly field?: string;
  readonly extras?: ProblemExtras;
  /** When the same order may be taken. */
  readonly retryAfterSeconds?: number;
}
export type Outcome<Value> = { readonly ok: true; readonly value: Value } | Refusal;

export function refuse(code: AdminProblemCode, message: string, extras?: ProblemExtras): Refusal {
  return { ok: false, code, message, ...(extras === undefined ? {} : { extras }) };
}

/** Of what was sent, a field is not as it must be. */
export function refuseField(field: string, message: string): Refusal {
  return { ok: false, code: 'FIELD_VALUE', field, message: `${field} ${message}` };
}

/** What the authority does by itself. */
export const ITSELF: Actor = { name: 'numgate', scopes: [], authority: 'numgate', root: false };

/** Who asks for a change, and why. */
export interface Order {
  readonly actor: Actor;
  readonly reason: string;
  /** Of the `Idempotency-Key`: the key, and a digest of method, path and body. */
  readonly repeat: { readonly key: string; readonly sha256: string } | null;
}

/** A change that was made. */
export interface Made<Value> {
  readonly value: Value;
  readonly audit: readonly AuditEntry[];
}

export function made<Value>(value: Value, audit: readonly AuditEntry[]): Outcome<Made<Value>> {
  return { ok: true, value: { value, audit } };
}
