/**
 * How answers look on the wire, and the head that each of them names.
 */
import { HEAD_STALE_MS } from '../shared/limits.ts';
import type { FieldError } from '../shared/question.ts';
import type { Answer, Snapshot } from '../shared/screen.ts';

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
    asOf: asOf === 0 ? null : `${new Date(asOf).toISOString().slice(0, 19)}Z`,
    stale: now - asOf > HEAD_STALE_MS,
  };
}

/** `block NUMBER_SUSPENDED to`: the deciding reason in one line, for gateways that cannot read JSON. */
export function answerLine({ verdict, reasons }: Answer): string {
  const [first] = reasons;
  return first === undefined ? verdict : `${verdict} ${first.code} ${first.subject}`;
}

/** An item that could not be judged. */
export function itemError({ code, field, message }: FieldError): { error: FieldError } {
  return { error: { code, field, message } };
}
