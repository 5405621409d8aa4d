/** Types that the Workers of `bench/workers/` share with the benchmarks, which run in Node. */

/**
 * The structures whose lookups are timed in a loop. With `Dependent`, each lookup depends on the result of the previous one.
 * `permutation` is only the first step of `numgate` and `bitmap`.
 */
export type Structure =
  | 'numgate'
  | 'bitmap'
  | 'numgateDependent'
  | 'bitmapDependent'
  | 'permutation'
  | 'set'
  | 'roaring'
  | 'bloom';

/** ns per lookup, one value per round. */
export type Times = Partial<Record<Structure, number[]>>;

/** One KV read, in ms on the clock of the isolate. */
export interface KvRead {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** The response of the edge to a check, and the KV reads during the request. */
export interface CheckResult {
  readonly from: number;
  readonly to: number;
  readonly verdicts: readonly string[];
  readonly release: string;
  readonly reads: readonly KvRead[];
}

/**
 * Results of bodies that were sent in turns, by name: the status, ms per request with one value per round, and the number of
 * requests, including those to warm up.
 */
export type BodyTimings = Readonly<
  Record<string, { readonly status: number; readonly ms: number[]; readonly requests: number }>
>;

/** Settings of the Worker that runs the edge. */
export interface EdgeSettings {
  /** Delay added to every KV read, in ms. */
  kvMs: number;
  coordinatorResponds: boolean;
  /** How far the clock is ahead, in ms. */
  clockOffsetMs: number;
}

/** What each loop over the same requests does with a request. */
export type CountingLoop = 'read' | 'counted' | 'watched' | 'screened' | 'screenedAndCounted';

/** Kinds of traffic. The last one is the worst order for counters that remember the last name. */
export const COUNTING_KINDS = [
  'recipients only',
  'one sender, every recipient blocked',
  'gateway, senders and operators in turns',
] as const;
export type CountingKind = (typeof COUNTING_KINDS)[number];

/** One turn of a loop. */
export interface CountingTurn {
  /** Number of senders and recipients in the turn. */
  readonly numbers: number;
}

/** What each loop over the same texts does with a text. `parse` does nothing with it. */
export type TextLoop = 'parse' | 'normalize' | 'read' | 'score' | 'scoreAndFingerprint';
