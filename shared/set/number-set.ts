/**
 * What every encoding of a set of numbers answers, whatever its bytes look like.
 * Keys are (head, permuted tail); a set is opened over a slice of that space and asked only inside it.
 */

/** No entry: the number is not in the set. Otherwise the answer is its `until`. */
export const NOT_LISTED = -1;

export interface NumberSet {
  /** Entries listed. */
  readonly count: number;
  /** Whether the key is listed. Allocates nothing. */
  has(head: number, permutedTail: number): boolean;
}

/** A section was not what its header says: the shard is refused as a whole. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
}
