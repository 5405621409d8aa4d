/**
 * The entropy bound of an exact set.
 */

/** log2 of the binomial coefficient over n: the least bits a number that any exact set needs. */
export function entropyBits(numbers: number, universe: number): number {
  const p = numbers / universe;
  if (p <= 0 || p >= 1) return 0;
  return (-p * Math.log2(p) - (1 - p) * Math.log2(1 - p)) / p;
}
