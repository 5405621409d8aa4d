/** The error of a request without a verdict. */
import type { RegistrationReason } from './registration-types.ts';

/** Codes of this client. All others are problem codes of the service (docs/api.md). */
export type LocalCode =
  /** No response arrived in time. */
  | 'TIMEOUT'
  /** The connection failed or broke. */
  | 'UNREACHABLE'
  /** The response is truncated or not from numgate. */
  | 'RESPONSE_INVALID'
  /** An HTTP error without a problem of numgate: something in front of numgate responded. */
  | 'HTTP_ERROR'
  /** `from` or `to` exceeds the limit of the service. No request was sent. */
  | 'NUMBER_TOO_LONG'
  /** An event or a snapshot of the feed was altered, left out or moved, or is not for your key. None of it was used. */
  | 'FEED_ALTERED'
  /** A holder key or its claims are not valid; `field` names the fault. Nothing was signed. */
  | 'SIGNING_INVALID';

/** What is known about the failure in addition to its code. */
export interface ErrorDetails {
  /** HTTP status, or null without a response. */
  readonly status?: number | null;
  /** The `x-correlator` of the response, or the one that you sent. */
  readonly correlator?: string | null;
  /** The field that the service rejects. */
  readonly field?: string | null;
  /** What is wrong with a registration. */
  readonly reasons?: readonly RegistrationReason[];
}

/** Why a request got no verdict. No property ever contains a number. */
export class NumgateError extends Error {
  override readonly name = 'NumgateError';
  /** One of {@link LocalCode}, or a problem code of the service, such as `QUOTA_EXCEEDED`. */
  readonly code: string;
  /** HTTP status, or null without a response. */
  readonly status: number | null;
  /** Identifies the request in the log of the service. Null if there is none. */
  readonly correlator: string | null;
  /** The field that the service rejects, or null. */
  readonly field: string | null;
  /** On `REGISTRATION_INVALID`: what is wrong or missing, by field. Otherwise empty. */
  readonly reasons: readonly RegistrationReason[];

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.status = details.status ?? null;
    this.correlator = details.correlator ?? null;
    this.field = details.field ?? null;
    this.reasons = details.reasons ?? [];
  }
}

/** Makes an error with a code of this client. */
export function localError(code: LocalCode, message: string, details?: ErrorDetails): NumgateError {
  return new NumgateError(code, message, details);
}
