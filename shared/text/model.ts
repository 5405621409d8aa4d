/**
 * The linear model: one signed byte for each bucket of features, a scale and a bias. It scores in one pass, and each
 * family of features has a sum of its own, which explains the score.
 */
import { utf8 } from '../bytes.ts';
import { MODEL_BITS_MAX, MODEL_BITS_MIN, TEXT_REASONS_MAX } from '../limits/text.ts';
import { FORMAT_VERSION, HEADER_WORDS, MODEL_MAGIC } from '../set/layout.ts';
import { LayoutError, openWords } from '../set/number-set.ts';
import { FEATURE_FAMILIES, type FeatureFamily, weigh } from './features.ts';
import type { ReadText } from './text.ts';

export interface ModelParameters {
  /** Base-2 logarithm of the count of buckets. */
  readonly bits: number;
  /** Log-odds of a text without features. */
  readonly bias: number;
  /** Log-odds of a weight of 1, times `rootOf` the count of features. */
  readonly scale: number;
}

/** Added to the count of features of every text, so that one link or one number alone gets no extreme score. */
const FEATURES_PRIOR = 128;

/** Divisor of the sum of the weights of a text, which makes long texts comparable. @param count of its features */
export function rootOf(count: number): number {
  return Math.sqrt(count + FEATURES_PRIOR);
}

/** A score and its reasons. */
export interface Score {
  /** Probability that the text is spam, as the training texts show it: 0 to 1, not rounded. */
  readonly score: number;
  /** Families that raised the score most, strongest first. */
  readonly reasons: readonly FeatureFamily[];
}

/** Bytes of the parameters: JSON, padded with spaces. */
const PARAMETER_BYTES = 128;
/** Sums of the text being scored, by family. */
const sums = new Int32Array(FEATURE_FAMILIES.length);

/** @param weights -127 to 127 @throws RangeError on parameters that have no binary form */
export function encodeModel(
  { bits, bias, scale }: ModelParameters,
  weights: Int8Array,
): Uint8Array<ArrayBuffer> {
  if (!(bits >= MODEL_BITS_MIN && bits <= MODEL_BITS_MAX) || weights.length !== 2 ** bits)
    throw new RangeError(`model: ${weights.length} weights, ${bits} bits`);
  if (!Number.isFinite(bias) || !Number.isFinite(scale)) throw new RangeError('model: not finite');
  const parameters = utf8(JSON.stringify({ bias, scale }).padEnd(PARAMETER_BYTES));
  const weightsAt = HEADER_WORDS * 4 + parameters.length;
  const bytes = new Uint8Array(weightsAt + weights.length);
  new Uint32Array(bytes.buffer, 0, HEADER_WORDS).set([MODEL_MAGIC, FORMAT_VERSION, bits, parameters.length]);
  bytes.set(parameters, HEADER_WORDS * 4);
  bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.length), weightsAt);
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

  /** Log-odds that the text is spam. The score is computed from them, and orders texts less finely. */
  logOdds(text: ReadText): number {
    const { bits, bias, scale } = this.parameters;
    sums.fill(0);
    const count = weigh(text, this.#weights, bits, sums);
    let sum = 0;
    for (let family = 0; family < sums.length; family++) sum += sums[family]!;
    return bias + (scale * sum) / rootOf(count);
  }

  score(text: ReadText): Score {
    const score = 1 / (1 + Math.exp(-this.logOdds(text)));
    return { score, reasons: strongest() };
  }
}

/** The families with the largest sums above 0, in one pass. */
function strongest(): FeatureFamily[] {
  const found: number[] = [];
  for (let family = 0; family < sums.length; family++) {
    const sum = sums[family]!;
    if (sum <= 0) continue;
    let place = found.length;
    while (place > 0 && sums[found[place - 1]!]! < sum) place--;
    if (place < TEXT_REASONS_MAX) found.splice(place, 0, family);
  }
  return found.slice(0, TEXT_REASONS_MAX).map((family) => FEATURE_FAMILIES[family]!);
}

/** @throws LayoutError */
function parametersIn(bytes: Uint8Array): Pick<ModelParameters, 'bias' | 'scale'> {
  try {
    const { bias, scale } = JSON.parse(new TextDecoder().decode(bytes)) as ModelParameters;
    if (Number.isFinite(bias) && Number.isFinite(scale)) return { bias, scale };
  } catch {
    // Not JSON: the same error as for invalid parameters.
  }
  throw new LayoutError('model: no parameters');
}
