/**
 * The linear model: one signed byte for each bucket of features, a scale and a bias. It scores in one pass, and each
 * family of features has a sum of its own, which explains the score.
 */
import { utf8 } from '../bytes.ts';
import { MODEL_BITS_MAX, MODEL_BITS_MIN, TEXT_REASONS_MAX } from '../limits/text.ts';
import { FORMAT_VERSION, HEADER_WORDS, MODEL_MAGIC } from '../set/layout.ts';
import { LayoutError, openWords } from '../set/number-set.ts';
import { type FeatureFamily, featuresOf } from './features.ts';
import type { ReadText } from './text.ts';

export interface ModelParameters {
  /** Of the count of buckets. */
  readonly bits: number;
  /** Log-odds of a text without features. */
  readonly bias: number;
  /** Log-odds of a weight of 1, for a text of one feature: sums are divided by the square root of the count. */
  readonly scale: number;
}

/** How a score was found. */
export interface Score {
  /** Probability that the text is spam, as the training texts show it: 0 to 1, not rounded. */
  readonly score: number;
  /** Families that raised it most, strongest first. */
  readonly reasons: readonly FeatureFamily[];
}

/** @param weights -127 to 127 @throws RangeError on parameters that have no binary form */
export function encodeModel(
  { bits, bias, scale }: ModelParameters,
  weights: Int8Array,
): Uint8Array<ArrayBuffer> {
  if (bits < MODEL_BITS_MIN || bits > MODEL_BITS_MAX || weights.length !== 2 ** bits)
    throw new RangeError(`model: ${weights.length} weights, ${bits} bits`);
  if (!Number.isFinite(bias) || !Number.isFinite(scale)) throw new RangeError('model: not finite');
  const parameters = utf8(JSON.stringify({ bias, scale }).padEnd(128));
  const bytes = new Uint8Array(HEADER_WORDS * 4 + parameters.length + weights.length);
  new Uint32Array(bytes.buffer, 0, HEADER_WORDS).set([MODEL_MAGIC, FORMAT_VERSION, bits, parameters.length]);
  bytes.set(parameters, HEADER_WORDS * 4);
  bytes.set(
    new Uint8Array(weights.buffer, weights.byteOffset, weights.length),
    HEADER_WORDS * 4 + parameters.length,
  );
  return bytes;
}

export class TextModel {
  readonly bytes: number;
  readonly parameters: ModelParameters;
  readonly #weights: Int8Array;

  /** @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const words = openWords(bytes, MODEL_MAGIC, 'model');
    const [, , bits, length] = words as unknown as [number, number, number, number];
    const weightsAt = HEADER_WORDS * 4 + length;
    if (bits < MODEL_BITS_MIN || bits > MODEL_BITS_MAX || bytes.length !== weightsAt + 2 ** bits)
      throw new LayoutError('model: truncated');
    this.bytes = bytes.length;
    this.parameters = { bits, ...parametersIn(bytes.subarray(HEADER_WORDS * 4, weightsAt)) };
    this.#weights = new Int8Array(bytes.buffer, bytes.byteOffset + weightsAt, 2 ** bits);
  }

  /** The sum behind the score, which orders texts more finely: log-odds that the text is spam. */
  logOdds(text: ReadText): number {
    const { bits, bias, scale } = this.parameters;
    const { buckets } = featuresOf(text, bits);
    let sum = 0;
    for (const bucket of buckets) sum += this.#weights[bucket]!;
    return bias + (scale * sum) / Math.sqrt(Math.max(1, buckets.length));
  }

  score(text: ReadText): Score {
    const { bits, bias, scale } = this.parameters;
    const { buckets, grams, families } = featuresOf(text, bits);
    const weights = this.#weights;
    let wording = 0;
    for (let at = 0; at < grams; at++) wording += weights[buckets[at]!]!;
    const sums = new Map<FeatureFamily, number>([['wording', wording]]);
    let sum = wording;
    for (let at = grams; at < buckets.length; at++) {
      const weight = weights[buckets[at]!]!;
      const family = families[at - grams]!;
      sums.set(family, (sums.get(family) ?? 0) + weight);
      sum += weight;
    }
    const logOdds = bias + (scale * sum) / Math.sqrt(Math.max(1, buckets.length));
    const reasons = [...sums]
      .filter(([, each]) => each > 0)
      .sort((a, b) => b[1] - a[1])
      .slice(0, TEXT_REASONS_MAX)
      .map(([family]) => family);
    return { score: 1 / (1 + Math.exp(-logOdds)), reasons };
  }
}

/** @throws LayoutError */
function parametersIn(bytes: Uint8Array): Pick<ModelParameters, 'bias' | 'scale'> {
  try {
    const { bias, scale } = JSON.parse(new TextDecoder().decode(bytes)) as ModelParameters;
    if (Number.isFinite(bias) && Number.isFinite(scale)) return { bias, scale };
  } catch {
    // Not JSON: the same error as for other parameters.
  }
  throw new LayoutError('model: no parameters');
}
