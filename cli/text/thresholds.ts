/**
 * Chooses the thresholds of a model: the lowest ones that keep the false positives of every domain of legitimate text within
 * a rate. The worst domain decides. A domain that is too small to show the rate is refused.
 */
import { RATE_EVENTS_MIN } from '../../shared/limits/text-training.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { count, counted, percent } from '../terminal/figures.ts';
import { limitFor, type ScoredTexts, scoresByDomain, type Thresholds } from './evaluation.ts';
import { isSupported, smallestRate } from './proportion.ts';

/** Largest shares of legitimate texts, in any domain, at or above each threshold. */
export type TargetRates = Thresholds;

export const TARGET_DEFAULTS: TargetRates = { review: 0.01, suspicious: 0.001 };

/** Thresholds have nine decimal places, because scores near 1 are that close together. */
const STEPS = 1_000_000_000;

const BANDS = ['review', 'suspicious'] as const;

type ThresholdProblem = 'SAMPLE_TOO_SMALL' | 'NOT_SEPARABLE';

/** Whether every domain has enough texts for the rates. @param sizes number of legitimate texts of each domain */
export function checkDomains(
  sizes: ReadonlyMap<string, number>,
  targets: TargetRates,
): Result<null, Failure<'SAMPLE_TOO_SMALL'>> {
  for (const band of BANDS) {
    for (const [domain, texts] of sizes)
      if (!isSupported(targets[band], texts))
        return fail('SAMPLE_TOO_SMALL', tooSmall(band, targets[band], domain, texts));
  }
  return ok(null);
}

/** @param scored with probabilities, of texts that the model was not trained on */
export function chooseThresholds(
  scored: ScoredTexts,
  targets: TargetRates,
): Result<Thresholds, Failure<ThresholdProblem>> {
  const byDomain = scoresByDomain(scored);
  const sizes = new Map([...byDomain].map(([domain, scores]) => [domain, scores.length]));
  const checked = checkDomains(sizes, targets);
  if (!checked.ok) return checked;
  const chosen = { review: 0, suspicious: 0 };
  for (const band of BANDS) {
    for (const scores of byDomain.values()) {
      const limit = limitFor(scores, targets[band]);
      chosen[band] = Math.max(chosen[band], (Math.floor(limit * STEPS) + 1) / STEPS);
    }
    if (chosen[band] > 1)
      return fail(
        'NOT_SEPARABLE',
        `no threshold keeps ${band} within ${percent(targets[band])}: legitimate texts have the highest score. ` +
          'Look for wrong labels, or allow a higher rate',
      );
  }
  return ok(chosen);
}

function tooSmall(band: keyof Thresholds, rate: number, domain: string, texts: number): string {
  const needed = Math.ceil(RATE_EVENTS_MIN / rate);
  return (
    `domain "${domain}" has ${counted(texts, 'text')} to choose thresholds from, which cannot show a rate below ` +
    `${percent(smallestRate(texts))} (3/n): a rate of ${percent(rate)} needs ${count(needed)} texts. Add legitimate texts of the domain, ` +
    `or accept a higher rate: --${band}-rate ${roundedUp(smallestRate(texts))}`
  );
}

/** Rounds up to two digits. */
function roundedUp(rate: number): number {
  const unit = 10 ** (Math.floor(Math.log10(rate)) - 1);
  return Number((Math.ceil(rate / unit - 1e-9) * unit).toPrecision(2));
}
