/**
 * What the measuring Workers of `bench/workers/` tell the benches, which run in Node.
 */

/**
 * What answers a query, many in a row; `Alone`: each behind the one before. `permutation` is only the first
 * step of `ours` and `floor`.
 */
export type Side =
  | 'ours'
  | 'floor'
  | 'oursAlone'
  | 'floorAlone'
  | 'permutation'
  | 'set'
  | 'roaring'
  | 'bloom';

/** ns a query, a round each. */
export type Times = Partial<Record<Side, number[]>>;

/** One read of KV, in ms on the clock of the isolate. */
export interface Read {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** What the edge answered, and what it read meanwhile. */
export interface Asked {
  readonly from: number;
  readonly to: number;
  readonly verdicts: readonly string[];
  readonly release: string;
  readonly reads: readonly Read[];
}

/** What came of bodies that took turns, by name: the status, and ms a request, a round each. */
export type BodyTurns = Readonly<Record<string, { readonly status: number; readonly ms: number[] }>>;

/** What may be set in the Worker around the edge. */
export interface Knobs {
  /** Every read of KV takes so much longer, in ms. */
  kvMs: number;
  authorityAnswers: boolean;
  /** The clock is so far ahead, in ms. */
  aheadMs: number;
}
