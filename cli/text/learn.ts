/**
 * Learns the weights of a linear model: a support vector machine with squared hinge loss and L2 regularisation, by dual
 * coordinate descent (Hsieh et al. 2008, as in LIBLINEAR). Features are scaled by their log-count ratio first (Wang and
 * Manning 2012, "Baselines and Bigrams"), which stays linear: the weights contain the scales. Deterministic.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { rootOf } from '../../shared/text/model.ts';
import { randomFrom, shuffle } from './random.ts';
import type { Rows } from './rows.ts';

export interface LearnSettings {
  /** Binary logarithm of the number of buckets. */
  readonly bits: number;
  /** Seed of the order in which texts are visited. */
  readonly seed: number;
  /** Cost of errors against large weights. */
  readonly cost: number;
  /** Smoothing of the ratios, in texts. */
  readonly smoothing: number;
}

export interface LearntWeights {
  /** One for each bucket: a text scores the sum over its features, divided by `rootOf` their count, plus the bias. */
  readonly weights: Float32Array<ArrayBuffer>;
  readonly bias: number;
}

export interface LabelledVectors {
  readonly vectors: Rows;
  /** 1 for spam, by text. */
  readonly isSpam: Uint8Array;
}

/** The best of the values that were tried on English text messages. Twice or half as much makes little difference. */
export const LEARN_DEFAULTS = { cost: 4, smoothing: 1 };
/** Maximum number of passes over the texts. */
const EPOCHS_MAX = 60;
/** Learning ends once the gradients of all texts are within this of each other. */
const TOLERANCE = 0.05;

/** @param indices of the texts to learn from, with both labels */
export async function learn(
  { vectors, isSpam }: LabelledVectors,
  indices: Uint32Array,
  { bits, seed, cost, smoothing }: LearnSettings,
): Promise<LearntWeights> {
  const scales = squaredRatios({ vectors, isSpam }, indices, 2 ** bits, smoothing);
  const weights = new Float64Array(2 ** bits);
  let bias = 0;
  const norms = normsOf(vectors, indices, scales);
  const alphas = new Float64Array(indices.length);
  const order = Uint32Array.from(indices.keys());
  const random = randomFrom(seed);
  const diagonal = 1 / (2 * cost);
  // Texts far outside of the margin are left out until the others are done (shrinking): most of them stay there.
  let active = order.length;
  let limit = Number.POSITIVE_INFINITY;
  for (let epoch = 0; epoch < EPOCHS_MAX; epoch++) {
    shuffle(order.subarray(0, active), random);
    let [highest, lowest] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let place = 0; place < active; place++) {
      const at = order[place]!;
      const row = vectors.row(indices[at]!);
      const sign = isSpam[indices[at]!] === 1 ? 1 : -1;
      const each = 1 / rootOf(row.length);
      let sum = 0;
      for (let next = 0; next < row.length; next++) sum += weights[row[next]!]!;
      const alpha = alphas[at]!;
      const gradient = sign * (sum * each + bias) - 1 + diagonal * alpha;
      if (alpha === 0 && gradient > limit) {
        active--;
        order[place--] = order[active]!;
        order[active] = at;
        continue;
      }
      const projected = alpha === 0 ? Math.min(gradient, 0) : gradient;
      highest = Math.max(highest, projected);
      lowest = Math.min(lowest, projected);
      if (projected === 0) continue;
      const changed = Math.max(alpha - gradient / (norms[at]! + diagonal), 0);
      alphas[at] = changed;
      const step = (changed - alpha) * sign;
      bias += step;
      const stepEach = step * each;
      for (let next = 0; next < row.length; next++) {
        const bucket = row[next]!;
        weights[bucket]! += stepEach * scales[bucket]!;
      }
    }
    // Lets Ctrl-C end the command.
    await nextTurn();
    if (highest - lowest > TOLERANCE) limit = highest > 0 ? highest : Number.POSITIVE_INFINITY;
    else if (active === order.length) break;
    else {
      active = order.length;
      limit = Number.POSITIVE_INFINITY;
    }
  }
  return { weights: Float32Array.from(weights), bias };
}

/**
 * For each bucket, the square of its log-count ratio. The ratio compares the share of spam that has the bucket with the share
 * of legitimate texts that has it. A bucket that no text has gets 0.
 */
function squaredRatios(
  { vectors, isSpam }: LabelledVectors,
  indices: Uint32Array,
  buckets: number,
  smoothing: number,
): Float32Array {
  const seen = new Uint32Array(buckets);
  const counts = [new Uint32Array(buckets), new Uint32Array(buckets)] as const;
  const texts = [0, 0];
  for (const [at, index] of indices.entries()) {
    const label = isSpam[index] as 0 | 1;
    texts[label]!++;
    for (const bucket of vectors.row(index)) {
      if (seen[bucket] === at + 1) continue;
      seen[bucket] = at + 1;
      counts[label][bucket]!++;
    }
  }
  const [legitimate, spam] = texts as [number, number];
  // Smoothing is split in the proportion of the labels, so that a bucket without texts has the ratio 1.
  const spamSmoothing = (smoothing * spam) / indices.length;
  const otherSmoothing = (smoothing * legitimate) / indices.length;
  return Float32Array.from(seen, (_, bucket) => {
    const ratio = Math.log(
      ((counts[1][bucket]! + spamSmoothing) / spam) * (legitimate / (counts[0][bucket]! + otherSmoothing)),
    );
    return ratio * ratio;
  });
}

/** The squared length of each text, with its scales and the constant feature of the bias. */
function normsOf(vectors: Rows, indices: Uint32Array, scales: Float32Array): Float64Array {
  const counts = new Uint16Array(scales.length);
  const norms = new Float64Array(indices.length);
  for (const [at, index] of indices.entries()) {
    const row = vectors.row(index);
    for (const bucket of row) counts[bucket]!++;
    let norm = 0;
    for (const bucket of row) norm += counts[bucket]! * scales[bucket]!;
    for (const bucket of row) counts[bucket] = 0;
    norms[at] = 1 + norm / rootOf(row.length) ** 2;
  }
  return norms;
}
