/**
 * The entropy bound in bits: log2 of the number of sets of `count` out of `universe`. No encoding of all such
 * sets can be smaller on average.
 */

/** ln of n!, by Stirling's series: exact to 10^-10 from n = 20 on. */
function logFactorial(n: number): number {
  if (n < 20) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
}

export function entropyBits(count: number, universe: number): number {
  return (logFactorial(universe) - logFactorial(count) - logFactorial(universe - count)) / Math.LN2;
}
