/**
 * The interface of every encoding of a set of numbers.
 * Keys are (prefix, permuted suffix). A set covers a slice of that space and accepts only keys inside it.
 */

/**
 * Keys in a full batch of an iteration: 8 KB, so that reading all lists of two releases takes little memory.
 */
export const WALK_BATCH_KEYS = 1_024;

/** Returned if the number is not in the set, in place of its `until`. */
export const NOT_LISTED = -1;

export interface NumberSet {
  /** Count of listed keys. */
  readonly count: number;
  /** Whether the key is listed. Allocates nothing. */
  has(prefix: number, permutedSuffix: number): boolean;
  /**
   * Every listed key (prefix * 10^8 + permuted suffix) in ascending order, in batches. A batch is never
   * empty, and is valid only until the next one is requested.
   * @param start first key of the part
   */
  keys(start: number): Iterable<Float64Array>;
}

/** A section does not match its header. The whole shard is rejected. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
}
