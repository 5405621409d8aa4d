/** Quantises learnt weights to int8, and turns sums into probabilities. */
import { rootOf } from '../../shared/text/model.ts';
import type { LearntWeights } from './learn.ts';
import type { Rows } from './rows.ts';

const WEIGHT_MAX = 127;

export interface QuantisedWeights {
  readonly weights: Int8Array<ArrayBuffer>;
  /** The value that a quantised weight of 1 stands for. */
  readonly step: number;
  readonly bias: number;
}

/** The largest weight becomes 127. The error of a weight is at most half of the step. */
export function quantise({ weights, bias }: LearntWeights): QuantisedWeights {
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const step = largest === 0 ? 1 : largest / WEIGHT_MAX;
  return { weights: Int8Array.from(weights, (weight) => Math.round(weight / step)), step, bias };
}

/** The score of a text before calibration: as TextModel computes it, with the step as scale. */
export function marginOf({ weights, step, bias }: QuantisedWeights, row: Uint32Array): number {
  let sum = 0;
  for (const bucket of row) sum += weights[bucket]!;
  return bias + (step * sum) / rootOf(row.length);
}

export function marginsOf(model: QuantisedWeights, vectors: Rows, indices: Uint32Array): Float64Array {
  return Float64Array.from(indices, (index) => marginOf(model, vectors.row(index)));
}

/** Log-odds of spam are `factor` times the margin plus `offset`. */
export interface Calibration {
  readonly factor: number;
  readonly offset: number;
}

const ITERATIONS_MAX = 100;
const GRADIENT_MIN = 1e-6;
/** Keeps the matrix of second derivatives invertible. */
const RIDGE = 1e-9;

/**
 * Platt's scaling, by Newton's method with halved steps (Lin, Lin and Weng 2007, "A note on Platt's probabilistic outputs").
 * @param margins of texts that the model was not trained on @param isSpam 1 for spam, by margin
 */
export function calibrate(margins: Float64Array, isSpam: Uint8Array): Calibration {
  const spam = isSpam.reduce((sum, each) => sum + each, 0);
  const legitimate = isSpam.length - spam;
  const [high, low] = [(spam + 1) / (spam + 2), 1 / (legitimate + 2)];
  const targets = Float64Array.from(isSpam, (each) => (each === 1 ? high : low));
  let factor = 1;
  let offset = Math.log((spam + 1) / (legitimate + 1));
  let loss = lossOf(margins, targets, factor, offset);
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
    let [a, b, c, gradientFactor, gradientOffset] = [RIDGE, 0, RIDGE, 0, 0];
    for (const [at, margin] of margins.entries()) {
      const probability = 1 / (1 + Math.exp(-(factor * margin + offset)));
      const weight = probability * (1 - probability);
      const error = probability - targets[at]!;
      a += margin * margin * weight;
      b += margin * weight;
      c += weight;
      gradientFactor += margin * error;
      gradientOffset += error;
    }
    if (Math.abs(gradientFactor) < GRADIENT_MIN && Math.abs(gradientOffset) < GRADIENT_MIN) break;
    const determinant = a * c - b * b;
    const stepFactor = -(c * gradientFactor - b * gradientOffset) / determinant;
    const stepOffset = -(a * gradientOffset - b * gradientFactor) / determinant;
    let size = 1;
    while (size > 1e-10) {
      const next = lossOf(margins, targets, factor + size * stepFactor, offset + size * stepOffset);
      if (next < loss) {
        factor += size * stepFactor;
        offset += size * stepOffset;
        loss = next;
        break;
      }
      size /= 2;
    }
    if (size <= 1e-10) break;
  }
  return { factor, offset };
}

/** Cross entropy. */
function lossOf(margins: Float64Array, targets: Float64Array, factor: number, offset: number): number {
  let loss = 0;
  for (const [at, margin] of margins.entries()) {
    const odds = factor * margin + offset;
    // log(1 + e^odds), without overflow.
    loss += Math.max(odds, 0) + Math.log1p(Math.exp(-Math.abs(odds))) - targets[at]! * odds;
  }
  return loss;
}
