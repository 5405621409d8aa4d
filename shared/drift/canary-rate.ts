/**
 * Compares the rates of suspicious texts of a candidate and of the release in force. A share of the data centres uses the
 * candidate, and data centres have other clients, whose texts differ more than any two models. So each client is compared
 * with itself: what its texts would have had at its own rate under the release in force adds up to an expected rate.
 *
 * The candidate's rate has jumped if it exceeds the expected one by TEXT_CANARY_RATE_FACTOR, and their Wilson intervals
 * (Wilson 1927) lie apart. The comparison is repeated every minute, so the intervals are wide: 4 standard deviations.
 */
import { TEXT_CANARY_BASE_MIN, TEXT_CANARY_RATE_FACTOR, TEXT_CANARY_TEXTS_MIN } from '../limits/drift.ts';

const DEVIATIONS = 4;

export interface Rate {
  readonly texts: number;
  readonly suspicious: number;
}

/** Texts of one client under both releases. */
export interface ClientRates {
  readonly candidate: Rate;
  readonly current: Rate;
}

export interface CanaryComparison {
  /** Clients and their texts under the candidate that could be compared. */
  readonly clients: number;
  readonly texts: number;
  /** Rates, 0 to 1. */
  readonly rate: number;
  readonly expected: number;
  readonly hasJumped: boolean;
}

/** Null if no client can be compared. */
export function compareCanary(clients: readonly ClientRates[]): CanaryComparison | null {
  const compared = clients.filter(
    ({ candidate, current }) => candidate.texts > 0 && current.texts >= TEXT_CANARY_BASE_MIN,
  );
  if (compared.length === 0) return null;
  let [texts, suspicious, expected, variance] = [0, 0, 0, 0];
  for (const { candidate, current } of compared) {
    texts += candidate.texts;
    suspicious += candidate.suspicious;
    expected += (candidate.texts * current.suspicious) / current.texts;
    variance += candidate.texts ** 2 / current.texts;
  }
  const [rate, expectedRate] = [suspicious / texts, expected / texts];
  // As many texts of one client would give the expected rate the same variance.
  const baseTexts = texts ** 2 / variance;
  const hasJumped =
    texts >= TEXT_CANARY_TEXTS_MIN &&
    rate > TEXT_CANARY_RATE_FACTOR * expectedRate &&
    wilson(rate, texts).low > wilson(expectedRate, baseTexts).high;
  return { clients: compared.length, texts, rate, expected: expectedRate, hasJumped };
}

/** The Wilson interval of a rate. @param count on which it is based */
export function wilson(rate: number, count: number): { readonly low: number; readonly high: number } {
  const square = DEVIATIONS ** 2;
  const centre = rate + square / (2 * count);
  const half = DEVIATIONS * Math.sqrt((rate * (1 - rate)) / count + square / (4 * count ** 2));
  const scale = 1 + square / count;
  return { low: (centre - half) / scale, high: (centre + half) / scale };
}
