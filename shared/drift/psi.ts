/**
 * The population stability index (PSI) of two histograms: the sum over all bins of (p - q) ln(p / q), where p and q are the
 * shares of a bin in each histogram. It is 0 for equal shares. By custom, above 0.1 is a shift, and above 0.25 a major one.
 *
 * Two samples of one population also have a PSI above 0: about a chi-square variable with (bins - 1) degrees of freedom,
 * times (1/n + 1/m) (Yurdakul, Naranjo 2020, "Statistical properties of the population stability index"). psiOf therefore
 * returns null if the counts are too few to tell a shift from chance.
 */
import { DRIFT_NOISE_SHARE, TEXT_DRIFT_PSI_MAX } from '../limits/drift.ts';
import { SCORE_BINS } from '../limits/text.ts';

/** The 99.9 % quantile of chi-square with SCORE_BINS - 1 degrees of freedom. */
const NOISE_QUANTILE = 43.82;
/** Added to each bin, because an empty bin has no logarithm. */
const SMOOTHING = 0.5;

/** Returns the PSI that chance alone exceeds in one of 1,000 cases. @param n texts @param m texts of the base */
export function noiseOf(n: number, m: number): number {
  return NOISE_QUANTILE * (1 / n + 1 / m);
}

/** Returns null if there are too few counts. @param bins counts of SCORE_BINS bins @param base counts to compare with */
export function psiOf(bins: readonly number[], base: readonly number[]): number | null {
  const [n, m] = [sumOf(bins), sumOf(base)];
  if (n === 0 || m === 0 || noiseOf(n, m) > DRIFT_NOISE_SHARE * TEXT_DRIFT_PSI_MAX) return null;
  let psi = 0;
  for (let bin = 0; bin < SCORE_BINS; bin++) {
    const p = (bins[bin]! + SMOOTHING) / (n + SMOOTHING * SCORE_BINS);
    const q = (base[bin]! + SMOOTHING) / (m + SMOOTHING * SCORE_BINS);
    psi += (p - q) * Math.log(p / q);
  }
  return psi;
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
