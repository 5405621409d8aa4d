/**
 * A live entry: one change to one number or source since the release, for one or both subjects. Among the
 * unexpired entries of a number, the entry with the highest `seq` decides. An entry that is folded into the
 * release (its `seq` is at most the release's `foldedSeq`) decides nothing.
 */
import { prefixOf, suffixOf } from '../numbers/number.ts';
import type { Code, RuleMark, Subject } from '../verdict.ts';

/**
 * `clear` lifts earlier live entries and folded entries, so that the other lists of the release decide again. `undo`
 * marks the undo of an operation that replaced nothing. It decides as if there were no entry, so folded entries count.
 * Segments store indexes into LIVE_OPS and LIVE_KINDS, so append new values at the end.
 */
export const LIVE_OPS = ['block', 'unblock', 'clear', 'undo'] as const;
export type LiveOp = (typeof LIVE_OPS)[number];

/** The operations that a request can apply to entries. */
export const CHANGE_OPS = ['block', 'unblock', 'clear'] as const satisfies readonly LiveOp[];
export type ChangeOp = (typeof CHANGE_OPS)[number];

/** Bit of each subject in `subjects`. */
export const SUBJECT_BIT: Readonly<Record<Subject, number>> = { from: 1, to: 2 };

export const LIVE_KINDS = ['number', 'source'] as const;

/** Key of an entry, as two 32-bit words: prefix and suffix of a number, or the halves of a fingerprint. */
export interface LiveKey {
  readonly kind: (typeof LIVE_KINDS)[number];
  readonly high: number;
  readonly low: number;
}

export function numberKey(n: number): LiveKey {
  return { kind: 'number', high: prefixOf(n), low: suffixOf(n) };
}

/** @param print fingerprint of a source: see shared/sources/source.ts */
export function fingerprintKey(print: bigint): LiveKey {
  return { kind: 'source', high: Number(print >> 32n), low: Number(print & 0xffffffffn) };
}

/** Returns the fingerprint of a source in 16 hex digits, the form in releases. Returns null for a number. */
export function fingerprintText({ kind, high, low }: LiveKey): string | null {
  if (kind === 'number') return null;
  return [high, low].map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** A live entry. It has `rule` and `stage` if a rule made the block. */
export interface LiveEntry extends LiveKey, Partial<RuleMark> {
  readonly op: LiveOp;
  /** Sum of SUBJECT_BIT values. */
  readonly subjects: number;
  /** The code of a block; null for the other operations. */
  readonly code: Code | null;
  /** The authority that vouches for the entry. */
  readonly authority: string;
  /** The `seq` of the head that introduced the entry, 1 to 2^32 - 1. */
  readonly seq: number;
  /** Expiry in seconds since 1970, or FOREVER. */
  readonly until: number;
}

/** Sort order of segments: by kind and key, newest first. */
export function byLiveKey(a: LiveEntry, b: LiveEntry): number {
  return (
    LIVE_KINDS.indexOf(a.kind) - LIVE_KINDS.indexOf(b.kind) ||
    a.high - b.high ||
    a.low - b.low ||
    b.seq - a.seq
  );
}
