/**
 * What a bench is told: nothing is tuned to one size, one seed or one density.
 */

export interface BenchOptions {
  /** Small sizes, for CI: shows that the bench runs, not what it promises. */
  readonly small: boolean;
  /** Seed of the random lists and questions. */
  readonly seed: number;
  /** Sizes of the lists, instead of the bench's own. */
  readonly numbers: readonly number[] | null;
  /** Heads over which a list is spread: numbers / (heads x 10^8) is its density. */
  readonly heads: number;
  /** Share of the asked numbers that are listed, 0 to 1. */
  readonly hits: number;
}

/** The sizes to measure. @param full of the bench itself @param small of its quick form */
export function sizesOf(
  options: BenchOptions,
  full: readonly number[],
  small: readonly number[],
): readonly number[] {
  return options.numbers ?? (options.small ? small : full);
}
