/** Learning is deterministic, right where the answer is known, and close to its int8 form. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEARN_DEFAULTS, type LearnSettings, learn } from '../../../cli/text/learn.ts';
import { calibrate, marginOf, quantise } from '../../../cli/text/quantise.ts';
import { randomFrom, shuffle } from '../../../cli/text/random.ts';
import { Rows } from '../../../cli/text/rows.ts';
import { MODEL_BITS_MIN } from '../../../shared/limits/text.ts';
import { featuresOf } from '../../../shared/text/features.ts';
import { encodeModel, rootOf, TextModel } from '../../../shared/text/model.ts';
import { readText } from '../../../shared/text/text.ts';

const BITS = MODEL_BITS_MIN;
const SETTINGS: LearnSettings = { ...LEARN_DEFAULTS, bits: BITS, seed: 5 };
const SPAM = ['win a free prize now', 'free prize for you', 'claim the prize', 'win cash now'];
const OTHERS = ['see you at home', 'call me later', 'are you at home', 'dinner at eight'];

function vectorsOf(texts: readonly string[]): Rows {
  const vectors = new Rows();
  for (const text of texts) vectors.add(featuresOf(readText(text), BITS).buckets);
  return vectors;
}

const vectors = vectorsOf([...SPAM, ...OTHERS]);
const isSpam = Uint8Array.from({ length: 8 }, (_, index) => Number(index < 4));
const all = Uint32Array.from(isSpam.keys());

describe('learning', () => {
  it('separates texts that differ in their words, and knows none of the others', async () => {
    const learnt = quantise(await learn({ vectors, isSpam }, all, SETTINGS));
    for (const index of all) expect(marginOf(learnt, vectors.row(index)) > 0).toBe(isSpam[index] === 1);
    const others = vectorsOf(['a free prize', 'home at eight']);
    expect(marginOf(learnt, others.row(0))).toBeGreaterThan(0);
    expect(marginOf(learnt, others.row(1))).toBeLessThan(0);
  });

  it('gives the same weights for the same seed, and others for others', async () => {
    const [one, same, other] = await Promise.all(
      [5, 5, 6].map((seed) => learn({ vectors, isSpam }, all, { ...SETTINGS, seed })),
    );
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('gives no weight to buckets that no text has', async () => {
    const { weights } = await learn({ vectors, isSpam }, all, SETTINGS);
    const used = new Set([...all].flatMap((index) => [...vectors.row(index)]));
    expect([...weights.keys()].filter((bucket) => !used.has(bucket) && weights[bucket] !== 0)).toEqual([]);
  });

  it('reaches the optimum: no text violates its condition by more than the tolerance', async () => {
    // The squared hinge: a text within the margin pulls by its distance from the margin, and other texts do not pull.
    const loose = { ...SETTINGS, cost: 0.5 };
    const { weights, bias } = await learn({ vectors, isSpam }, all, loose);
    const objective = (factor: number): number => {
      let loss = 0;
      for (const index of all) {
        const row = vectors.row(index);
        const sum = row.reduce((total, bucket) => total + factor * weights[bucket]!, 0) / rootOf(row.length);
        const margin = (sum + factor * bias) * (isSpam[index] === 1 ? 1 : -1);
        loss += Math.max(0, 1 - margin) ** 2;
      }
      return loss;
    };
    // Larger weights fit better and smaller ones worse, so only the regularisation holds the weights back.
    expect(objective(1.1)).toBeLessThan(objective(1));
    expect(objective(1)).toBeLessThan(objective(0.9));
  });
});

describe('int8 weights', () => {
  it('are within half a step of the learnt ones, so that a score moves by at most that times the root of its features', () => {
    const weight = fc.float({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 50 }), (values) => {
        const weights = Float32Array.from(values);
        const { weights: quantised, step } = quantise({ weights, bias: 0 });
        for (const [bucket, each] of weights.entries())
          expect(Math.abs(quantised[bucket]! * step - each)).toBeLessThanOrEqual(step / 2 + 1e-6);
        expect(Math.max(...quantised.map(Math.abs))).toBe(weights.every((each) => each === 0) ? 0 : 127);
        const row = Uint32Array.from(weights.keys());
        const exact = weights.reduce((sum, each) => sum + each, 0) / rootOf(row.length);
        const margin = marginOf({ weights: quantised, step, bias: 0 }, row);
        expect(Math.abs(margin - exact)).toBeLessThanOrEqual(
          ((step / 2) * row.length) / rootOf(row.length) + 1e-5,
        );
      }),
    );
  });

  it('score as the model does that an edge reads', async () => {
    const learnt = quantise(await learn({ vectors, isSpam }, all, SETTINGS));
    const model = new TextModel(
      encodeModel({ bits: BITS, bias: learnt.bias, scale: learnt.step }, learnt.weights),
    );
    for (const [index, text] of [...SPAM, ...OTHERS].entries())
      expect(model.logOdds(readText(text))).toBeCloseTo(marginOf(learnt, vectors.row(index)), 10);
  });
});

describe('calibration', () => {
  it('finds the probabilities that labels were drawn with', () => {
    const random = randomFrom(11);
    const uniform = (): number => random() / 2 ** 32;
    const margins = Float64Array.from({ length: 20_000 }, () => 4 * uniform() - 2);
    const labels = Uint8Array.from(margins, (margin) =>
      Number(uniform() < 1 / (1 + Math.exp(-(2 * margin - 1)))),
    );
    const { factor, offset } = calibrate(margins, labels);
    expect(factor).toBeCloseTo(2, 0);
    expect(offset).toBeCloseTo(-1, 0);
    expect(Math.abs(factor - 2)).toBeLessThan(0.1);
    expect(Math.abs(offset + 1)).toBeLessThan(0.1);
  });

  it('stays finite for labels that the margins separate', () => {
    const { factor, offset } = calibrate(Float64Array.of(-2, -1, 1, 2), Uint8Array.of(0, 0, 1, 1));
    expect(Number.isFinite(factor) && Number.isFinite(offset)).toBe(true);
    expect(factor).toBeGreaterThan(0);
  });
});

describe('the order of texts', () => {
  it('is a permutation, and each first place is as likely', () => {
    const random = randomFrom(1);
    const firsts = new Array<number>(5).fill(0);
    for (let draw = 0; draw < 5_000; draw++) {
      const values = Uint32Array.of(0, 1, 2, 3, 4);
      shuffle(values, random);
      expect([...values].sort()).toEqual([0, 1, 2, 3, 4]);
      firsts[values[0]!]!++;
    }
    expect(Math.min(...firsts)).toBeGreaterThan(880);
  });
});
