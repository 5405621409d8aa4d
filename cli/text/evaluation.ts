/**
 * Evaluates a model on texts that it was not trained on: the recall of spam at given false-positive rates, for each domain of
 * legitimate text, and the bands of its own thresholds. No result is given for a rate that a sample cannot show.
 */
import type { Interval } from '../../shared/wilson.ts';
import { intervalOf, isSupported, smallestRate } from './proportion.ts';

/** False-positive rates that reports show. */
export const RATES = [0.01, 0.001, 0.0001] as const;

export interface ScoredTexts {
  /** Any score that rises with the probability of spam. */
  readonly scores: Float64Array;
  /** 1 for spam. */
  readonly isSpam: Uint8Array;
  readonly domains: readonly string[];
  /** In seconds since 1970; null if unknown. */
  readonly times: readonly (number | null)[];
}

/** A share of texts, with its 95 % interval (Wilson). */
export interface Share extends Interval {
  readonly found: number;
  readonly of: number;
}

export interface RecallAtRate {
  readonly rate: number;
  /** Null for the threshold of the worst domain, which holds for all domains. */
  readonly domain: string | null;
  /** Number of legitimate texts; of the smallest domain, if `domain` is null. */
  readonly texts: number;
  /** The smallest rate that so many texts can show. */
  readonly smallestRate: number;
  /** Null if the texts cannot show the rate. */
  readonly recall: Share | null;
}

export function shareOf(found: number, of: number): Share {
  return { found, of, ...(of === 0 ? { low: 0, high: 1 } : intervalOf(found, of)) };
}

/** Scores of legitimate texts by domain, in the order of the names. */
export function scoresByDomain({ scores, isSpam, domains }: ScoredTexts): Map<string, Float64Array> {
  const byDomain = new Map<string, number[]>();
  for (const [at, domain] of domains.entries()) {
    if (isSpam[at] === 1) continue;
    const known = byDomain.get(domain);
    if (known === undefined) byDomain.set(domain, [scores[at]!]);
    else known.push(scores[at]!);
  }
  return new Map([...byDomain].sort().map(([domain, values]) => [domain, Float64Array.from(values)]));
}

/** No more texts than the rate allows score above this limit. @param scores of legitimate texts */
export function limitFor(scores: Float64Array, rate: number): number {
  const allowed = Math.floor(rate * scores.length + 1e-9);
  if (allowed >= scores.length) return Number.NEGATIVE_INFINITY;
  return scores.toSorted()[scores.length - 1 - allowed]!;
}

export function recallsAt(scored: ScoredTexts, rates: readonly number[] = RATES): RecallAtRate[] {
  const byDomain = scoresByDomain(scored);
  const spam = scored.scores.filter((_, at) => scored.isSpam[at] === 1);
  const recallAbove = (limit: number): Share =>
    shareOf(
      spam.reduce((sum, score) => sum + Number(score > limit), 0),
      spam.length,
    );
  return rates.flatMap((rate) => {
    const limits: number[] = [];
    const each = [...byDomain].map(([domain, scores]): RecallAtRate => {
      const limit = limitFor(scores, rate);
      limits.push(limit);
      return rowOf(rate, domain, scores.length, () => recallAbove(limit));
    });
    const fewest = Math.min(...each.map(({ texts }) => texts));
    return [...each, rowOf(rate, null, fewest, () => recallAbove(Math.max(...limits)))];
  });
}

function rowOf(rate: number, domain: string | null, texts: number, recall: () => Share): RecallAtRate {
  return {
    ...{ rate, domain, texts, smallestRate: smallestRate(texts) },
    recall: isSupported(rate, texts) ? recall() : null,
  };
}

export interface Thresholds {
  readonly review: number;
  readonly suspicious: number;
}

/** Number of texts, and of texts at or above each threshold. */
export interface BandCounts {
  readonly texts: number;
  readonly review: number;
  readonly suspicious: number;
}

export interface Bands {
  readonly spam: BandCounts;
  readonly domains: readonly ({ readonly domain: string } & BandCounts)[];
}

function countBands(scores: Float64Array, { review, suspicious }: Thresholds): BandCounts {
  const from = (threshold: number): number =>
    scores.reduce((sum, score) => sum + Number(score >= threshold), 0);
  return { texts: scores.length, review: from(review), suspicious: from(suspicious) };
}

/** @param scored with probabilities */
export function bandsOf(scored: ScoredTexts, thresholds: Thresholds): Bands {
  const spam = scored.scores.filter((_, at) => scored.isSpam[at] === 1);
  const domains = [...scoresByDomain(scored)].map(([domain, scores]) => ({
    domain,
    ...countBands(scores, thresholds),
  }));
  return { spam: countBands(spam, thresholds), domains };
}

export interface MonthBands {
  /** Month in Korea, such as 2026-11. */
  readonly month: string;
  readonly spam: BandCounts;
  readonly legitimate: BandCounts;
}

const KOREA_S = 9 * 3_600;

/** Bands by month, for the texts that have a date. @param scored with probabilities */
export function monthsOf(scored: ScoredTexts, thresholds: Thresholds): MonthBands[] {
  const { scores, isSpam, times } = scored;
  const byMonth = Map.groupBy(
    [...times.keys()].filter((at) => times[at] !== null),
    (at) => new Date((times[at]! + KOREA_S) * 1000).toISOString().slice(0, 7),
  );
  return [...byMonth].sort().map(([month, indices]) => {
    const of = (label: number): Float64Array =>
      Float64Array.from(
        indices.filter((at) => isSpam[at] === label),
        (at) => scores[at]!,
      );
    return { month, spam: countBands(of(1), thresholds), legitimate: countBands(of(0), thresholds) };
  });
}
