/**
 * What every encoding of a set of numbers answers, whatever its bytes look like.
 * Keys are (head, permuted tail); a set is opened over a slice of that space and asked only inside it.
 */

/** Keys in a full batch of a walk: 8 KB, so that walks over all lists of two releases stay small. */
export const WALK_BATCH_KEYS = 1_024;

/** No entry: the number is not in the set. Otherwise the answer is its `until`. */
export const NOT_LISTED = -1;

export interface NumberSet {
  /** Entries listed. */
  readonly count: number;
  /** Whether the key is listed. Allocates nothing. */
  has(head: number, permutedTail: number): boolean;
  /**
   * Every listed key (head * 10^8 + permuted tail) in rising order, many at a time. A batch is never
   * empty, and holds only until the next one is asked for.
   * @param start first key of the part
   */
  keys(start: number): Iterable<Float64Array>;
}

/** A section was not what its header says: the shard is refused as a whole. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
}
