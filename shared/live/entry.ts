/**
 * A live entry: one change of one number or source, made since the release, for one or both subjects.
 * Of the entries of a number that have not ended, the one with the highest `seq` decides; an entry that
 * is folded into the release (`seq` <= its `foldedSeq`) decides nothing.
 */
import { headOf, tailOf } from '../numbers/number.ts';
import type { Code, Subject } from '../verdict.ts';

/**
 * `clear` takes earlier live entries back: the release alone decides again. Segments hold the place of an
 * operation and of a kind: new ones come at the end.
 */
export const LIVE_OPS = ['block', 'unblock', 'clear'] as const;
export type LiveOp = (typeof LIVE_OPS)[number];

/** Bits of the subjects that an entry is for. */
export const SUBJECT_BIT: Readonly<Record<Subject, number>> = { from: 1, to: 2 };

export const LIVE_KINDS = ['number', 'source'] as const;

/** What is listed: two words of 32 bits, (head, tail) of a number or the halves of a source's fingerprint. */
export interface LiveKey {
  readonly kind: (typeof LIVE_KINDS)[number];
  readonly high: number;
  readonly low: number;
}

export function numberKey(n: number): LiveKey {
  return { kind: 'number', high: headOf(n), low: tailOf(n) };
}

/** @param print of a source: see sources/source.ts */
export function fingerprintKey(print: bigint): LiveKey {
  return { kind: 'source', high: Number(print >> 32n), low: Number(print & 0xffffffffn) };
}

/** The fingerprint of a source in 16 hex digits: what a release holds of it. Null for a number. */
export function fingerprintText({ kind, high, low }: LiveKey): string | null {
  if (kind === 'number') return null;
  return [high, low].map((word) => word.toString(16).padStart(8, '0')).join('');
}

export interface LiveEntry extends LiveKey {
  readonly op: LiveOp;
  /** Sum of SUBJECT_BIT. */
  readonly subjects: number;
  /** The code of a block; null for the other operations. */
  readonly code: Code | null;
  /** Who answers for it. */
  readonly authority: string;
  /** The change of the head that brought it, 1 to 2^32 - 1. */
  readonly seq: number;
  /** Seconds since 1970 at which it ends, or FOREVER. */
  readonly until: number;
}

/** In the order of segments: by kind and key, the newest first. */
export function byLiveKey(a: LiveEntry, b: LiveEntry): number {
  return (
    LIVE_KINDS.indexOf(a.kind) - LIVE_KINDS.indexOf(b.kind) ||
    a.high - b.high ||
    a.low - b.low ||
    b.seq - a.seq
  );
}
