/**
 * How answers look on the wire, and the head that each of them names.
 */

import type { Answer } from '../shared/decision.ts';
import type { FieldError } from '../shared/fields.ts';
import { flat } from '../shared/flat.ts';
import { HEAD_STALE_MS } from '../shared/limits.ts';
import type { Snapshot } from '../shared/snapshot.ts';
import type { Reply } from './http.ts';

/** Which head an answer was made from. */
export interface HeadNames {
  readonly release: string | null;
  readonly seq: number;
  /** RFC 3339, seconds; null if no head was ever seen. */
  readonly asOf: string | null;
  readonly stale: boolean;
}

export function headNames({ release, seq, asOf, now }: Snapshot): HeadNames {
  return {
    release: release?.manifest.release ?? null,
    seq,
    asOf: asOf === 0 ? null : flat(new Date(asOf).toISOString().slice(0, 19), 'Z'),
    stale: now - asOf > HEAD_STALE_MS,
  };
}

/** The same in headers, for answers that are lines. */
export function nameHead(reply: Reply, snapshot: Snapshot): void {
  const { release, seq, asOf, stale } = headNames(snapshot);
  reply.header('numgate-release', release ?? '');
  reply.header('numgate-seq', String(seq));
  reply.header('numgate-as-of', asOf ?? '');
  reply.header('numgate-stale', String(stale));
}

/**
 * `block NUMBER_SUSPENDED to`: the deciding reason in one line, for gateways that cannot read JSON.
 * `indeterminate` is followed by the client's own policy: `indeterminate LIST_STALE to open`.
 */
export function answerLine({ verdict, reasons, action }: Answer): string {
  const [first] = reasons;
  if (first === undefined) return verdict;
  return [verdict, first.code, first.subject, ...(action === undefined ? [] : [action])].join(' ');
}

/** An item that could not be judged. */
export function itemError({ code, field, message }: FieldError): { error: FieldError } {
  return { error: { code, field, message } };
}
