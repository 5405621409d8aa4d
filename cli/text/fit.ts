/**
 * Fits a model: learns and quantises weights, and calibrates them on scores of texts that the scoring model did not learn from,
 * so that a score is the probability of spam among texts such as these.
 */
import { encodeModel } from '../../shared/text/model.ts';
import type { Corpus } from './corpus.ts';
import { type LearnSettings, learn } from './learn.ts';
import { type Calibration, calibrate, marginsOf, type QuantisedWeights, quantise } from './quantise.ts';

export interface Fitted extends QuantisedWeights, Calibration {}

/** Log-odds of texts, each by a model that did not learn from its group. */
export interface CrossValidated extends Calibration {
  /** The given indices of texts in the corpus. */
  readonly indices: Uint32Array;
  /** Log-odds by position in `indices`. */
  readonly logOdds: Float64Array;
}

export function spamOf({ texts }: Pick<Corpus, 'texts'>): Uint8Array {
  return Uint8Array.from(texts, ({ isSpam }) => Number(isSpam));
}

/**
 * @param folds the fold of each text, by its index in the corpus
 * @param onFold called after each fold
 */
export async function crossValidate(
  corpus: Corpus,
  indices: Uint32Array,
  folds: Uint8Array,
  settings: LearnSettings,
  onFold: () => void = () => undefined,
): Promise<CrossValidated> {
  const isSpam = spamOf(corpus);
  const margins = new Float64Array(corpus.texts.length);
  for (const fold of new Set(Array.from(indices, (index) => folds[index]!))) {
    const tested = indices.filter((index) => folds[index] === fold);
    const weights = await fitWeights(
      corpus,
      isSpam,
      indices.filter((index) => folds[index] !== fold),
      settings,
    );
    const found = marginsOf(weights, corpus.vectors, tested);
    for (const [at, index] of tested.entries()) margins[index] = found[at]!;
    onFold();
  }
  const found = Float64Array.from(indices, (index) => margins[index]!);
  const calibration = calibrate(
    found,
    Uint8Array.from(indices, (index) => isSpam[index]!),
  );
  return { indices, logOdds: found.map((margin) => logOddsOf(margin, calibration)), ...calibration };
}

export function fitWeights(
  { vectors }: Corpus,
  isSpam: Uint8Array,
  indices: Uint32Array,
  settings: LearnSettings,
): Promise<QuantisedWeights> {
  return learn({ vectors, isSpam }, indices, settings).then(quantise);
}

function logOddsOf(margin: number, { factor, offset }: Calibration): number {
  return factor * margin + offset;
}

/** The probability for log-odds: what TextModel returns as score. */
export function probabilityOf(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

/** The bytes of a model whose log-odds are the calibrated margins. */
export function encodeFitted(
  { weights, step, bias, factor, offset }: Fitted,
  bits: number,
): Uint8Array<ArrayBuffer> {
  return encodeModel({ bits, bias: factor * bias + offset, scale: factor * step }, weights);
}
