/** The entropy bound of an exact set. */

/** log2 of the binomial coefficient, divided by n: the minimum bits per number of any exact set. */
export function entropyBits(numbers: number, universe: number): number {
  const p = numbers / universe;
  if (p <= 0 || p >= 1) return 0;
  return (-p * Math.log2(p) - (1 - p) * Math.log2(1 - p)) / p;
}
