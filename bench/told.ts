/**
 * Types of the results that the measuring Workers of `bench/workers/` return to the benchmarks, which run in
 * Node.
 */

/**
 * The measured lookups, run back to back. With `Alone`, each one depends on the result of the one before.
 * `permutation` is only the first step of `ours` and `floor`.
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

/** ns per lookup, one value per round. */
export type Times = Partial<Record<Side, number[]>>;

/** One KV read, in ms on the clock of the isolate. */
export interface Read {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** The response of the edge, and the KV reads during the request. */
export interface Asked {
  readonly from: number;
  readonly to: number;
  readonly verdicts: readonly string[];
  readonly release: string;
  readonly reads: readonly Read[];
}

/** Results of bodies that took turns, by name: the status, and ms per request, one value per round. */
export type BodyTurns = Readonly<Record<string, { readonly status: number; readonly ms: number[] }>>;

/** Settings of the measuring Worker around the edge. */
export interface Knobs {
  /** Delay added to every KV read, in ms. */
  kvMs: number;
  authorityAnswers: boolean;
  /** How far the clock is ahead, in ms. */
  aheadMs: number;
}
