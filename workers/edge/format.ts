/**
 * The wire format of responses, and of the head version that each response names.
 */

import type { FieldError } from '../../shared/fields.ts';
import { flat } from '../../shared/flat.ts';
import { HEAD_STALE_MS } from '../../shared/limits.ts';
import type { CheckResponse } from '../../shared/screening/decision.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import type { Reply } from '../http/reply.ts';

/** The head version that a response was computed from. */
export interface HeadVersion {
  readonly release: string | null;
  readonly seq: number;
  /** RFC 3339, in seconds; null if no head was ever read. */
  readonly asOf: string | null;
  readonly stale: boolean;
}

export function headVersion({ release, seq, asOf, now }: Snapshot): HeadVersion {
  return {
    release: release?.manifest.release ?? null,
    seq,
    asOf: asOf === 0 ? null : flat(new Date(asOf).toISOString().slice(0, 19), 'Z'),
    stale: now - asOf > HEAD_STALE_MS,
  };
}

/** The head version as headers, for responses in plain lines. */
export function addHeadHeaders(reply: Reply, snapshot: Snapshot): void {
  const { release, seq, asOf, stale } = headVersion(snapshot);
  reply.header('numgate-release', release ?? '');
  reply.header('numgate-seq', String(seq));
  reply.header('numgate-as-of', asOf ?? '');
  reply.header('numgate-stale', String(stale));
}

/**
 * `block NUMBER_SUSPENDED to`: the deciding reason on one line, for gateways that cannot parse JSON.
 * `indeterminate` is followed by the client's `failPolicy`: `indeterminate LIST_STALE to open`.
 */
export function formatLine({ verdict, reasons, action }: CheckResponse): string {
  const [first] = reasons;
  if (first === undefined) return verdict;
  return [verdict, first.code, first.subject, ...(action === undefined ? [] : [action])].join(' ');
}

/** An item that could not be screened. */
export function formatItemError({ code, field, message }: FieldError): { error: FieldError } {
  return { error: { code, field, message } };
}
