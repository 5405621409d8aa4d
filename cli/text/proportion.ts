/** Shares in a sample: their intervals, and the smallest share that a sample can show. */
import { RATE_EVENTS_MIN } from '../../shared/limits/text-training.ts';
import { type Interval, wilson } from '../../shared/wilson.ts';

/** Quantile of the normal distribution for intervals of 95 %. */
const Z = 1.959963984540054;

/** The 95 % interval of a share. @param of at least 1 */
export function intervalOf(found: number, of: number): Interval {
  return wilson(found / of, of, Z);
}

/**
 * The difference of two shares of the same texts, with its 95 % interval (Agresti and Min 2005: Wald's, with half a text
 * added to each cell). @param onlyFirst texts that only the first found @param onlySecond that only the second found
 */
export function pairedDifference(
  onlyFirst: number,
  onlySecond: number,
  of: number,
): Interval & { readonly difference: number } {
  const [first, second, all] = [onlyFirst + 0.5, onlySecond + 0.5, of + 2];
  const middle = (first - second) / all;
  const half = (Z / all) * Math.sqrt(first + second - (first - second) ** 2 / all);
  return { difference: (onlyFirst - onlySecond) / of, low: middle - half, high: middle + half };
}

/** The smallest rate that so many texts can show. */
export function smallestRate(texts: number): number {
  return texts === 0 ? 1 : RATE_EVENTS_MIN / texts;
}

export function isSupported(rate: number, texts: number): boolean {
  return texts * rate >= RATE_EVENTS_MIN;
}
