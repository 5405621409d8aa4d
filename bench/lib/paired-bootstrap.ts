/**
 * Confidence interval of the difference between two classifiers on the same texts. Texts of one campaign are not independent,
 * so it resamples whole groups of near-duplicates (cluster bootstrap, Efron and Tibshirani 1993).
 */
import { randomFrom } from './random-lists.ts';

/** Scores of texts by one classifier. */
export interface Ranking {
  readonly scores: Float64Array;
  /** 1 for spam. */
  readonly isSpam: Uint8Array;
}

const DRAWS = 2_000;

/** The share of spam above the score that at most the share `rate` of legitimate texts exceeds. @param weights of the texts */
export function recallAt({ scores, isSpam }: Ranking, rate: number, weights: Float64Array): number {
  return recallIn(orderOf(scores), { scores, isSpam }, rate, weights);
}

function orderOf(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
}

/** @param order indices by falling score */
function recallIn(
  order: Uint32Array,
  { scores, isSpam }: Ranking,
  rate: number,
  weights: Float64Array,
): number {
  let [spam, legitimate] = [0, 0];
  for (const [at, weight] of weights.entries()) {
    if (isSpam[at] === 1) spam += weight;
    else legitimate += weight;
  }
  const allowed = Math.floor(rate * legitimate + 1e-9);
  let [found, wrong, foundBefore] = [0, 0, 0];
  for (let at = 0; at < order.length; at++) {
    const index = order[at]!;
    // Texts with equal scores are on the same side of the threshold.
    if (at === 0 || scores[index] !== scores[order[at - 1]!]) foundBefore = found;
    if (isSpam[index] === 1) found += weights[index]!;
    else wrong += weights[index]!;
    if (wrong > allowed) return spam === 0 ? 0 : foundBefore / spam;
  }
  return spam === 0 ? 0 : found / spam;
}

/**
 * The 95 % interval of the recall of `first` minus that of `second`, at a false positive rate. Each has its own threshold.
 * @param groups the group of each text, as any number
 */
export function recallDifference(
  first: Ranking,
  second: Ranking,
  rate: number,
  groups: Uint32Array,
  seed: number,
): readonly [low: number, high: number] {
  const ids = [...new Set(groups)];
  const place = new Map(ids.map((id, index) => [id, index]));
  const groupOf = groups.map((id) => place.get(id)!);
  const orders = [first, second].map(({ scores }) => orderOf(scores)) as [Uint32Array, Uint32Array];
  const random = randomFrom(seed);
  const differences = Array.from({ length: DRAWS }, () => {
    const drawn = new Uint32Array(ids.length);
    for (let draw = 0; draw < ids.length; draw++) drawn[Math.floor((random() / 2 ** 32) * ids.length)]!++;
    const weights = Float64Array.from(groupOf, (group) => drawn[group]!);
    return recallIn(orders[0], first, rate, weights) - recallIn(orders[1], second, rate, weights);
  }).sort((a, b) => a - b);
  return [differences[Math.floor(DRAWS * 0.025)]!, differences[Math.ceil(DRAWS * 0.975) - 1]!];
}
