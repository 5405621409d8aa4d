/** Options of a benchmark. No benchmark is tuned to one size, seed or density. */

/** Bitmaps take 12.5 MB per prefix, and a place across all prefixes must be below 2^31. */
export const PREFIXES_MAX = 16;

export interface BenchOptions {
  /** Uses small sizes, for CI. This shows that the benchmark runs, not that it reaches its targets. */
  readonly small: boolean;
  /** Seed of the random lists and requests. */
  readonly seed: number;
  /** Sizes of the lists, instead of the benchmark's own. */
  readonly numbers: readonly number[] | null;
  /** Number of prefixes that a list spreads over. Its density is numbers / (prefixes x 10^8). */
  readonly prefixes: number;
  /** Share of the looked-up numbers that are listed, 0 to 1. */
  readonly hits: number;
}

/** The sizes to measure. @param full default sizes @param small sizes with `--small` */
export function sizesOf(
  options: BenchOptions,
  full: readonly number[],
  small: readonly number[],
): readonly number[] {
  return options.numbers ?? (options.small ? small : full);
}
