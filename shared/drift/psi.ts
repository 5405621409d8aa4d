/**
 * The population stability index (PSI) of two histograms: the sum over all bins of (p - q) ln(p / q), p and q being the
 * shares of a bin in both. 0 for equal shares; by custom, above 0.1 is a shift, and above 0.25 a major one.
 *
 * Samples of one population have a PSI above 0, too: about a chi-square variable with (bins - 1) degrees of freedom, times
 * (1/n + 1/m) (Yurdakul, Naranjo 2020, "Statistical properties of the population stability index"). So there is none for
 * counts that are too few to tell a shift from chance.
 */
import { DRIFT_NOISE_SHARE, TEXT_DRIFT_PSI_MAX } from '../limits/drift.ts';
import { SCORE_BINS } from '../limits/text.ts';

/** The 99.9 % quantile of chi-square with SCORE_BINS - 1 degrees of freedom. */
const NOISE_QUANTILE = 43.82;
/** Added to each bin: an empty one has no logarithm. */
const SMOOTHING = 0.5;

/** A PSI that chance alone exceeds in one of 1,000 cases. @param n texts @param m texts of the base */
export function noiseOf(n: number, m: number): number {
  return NOISE_QUANTILE * (1 / n + 1 / m);
}

/** Null if the counts do not support one. @param bins counts of SCORE_BINS bins @param base those to compare with */
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
