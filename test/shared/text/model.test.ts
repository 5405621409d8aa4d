/** Features and scores, compared with slow references in big integers and floats, and damaged models. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TEXT_CHARS_MAX, TEXT_REASONS_MAX } from '../../../shared/limits/text.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { FEATURE_FAMILIES, featureNamesOf, featuresOf } from '../../../shared/text/features.ts';
import { encodeModel, TextModel } from '../../../shared/text/model.ts';
import { readText } from '../../../shared/text/text.ts';
import vectors from '../../vectors/text.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import { cuts, type Damaged, extremes, flips } from '../support/damage.ts';
import { naiveGramBuckets, naiveModel, naiveTraitBucket } from '../support/naive-text.ts';
import { holds } from '../support/properties.ts';
import { anyText, plainText } from '../support/text-strings.ts';

const BITS = 12;
/** How many times a trait counts. */
const REPEATS = 4;
const SPAM =
  '[Web발신] FREE!! 당첨금 30,000원 bit.ly/abc http://evil.example/x WINNER CALL NOW 0\u200b801234567';
const text = fc.oneof(
  plainText,
  anyText,
  fc.tuple(plainText, plainText).map(([before, after]) => `${before} http://evil.example/a ${after}`),
);
const parameters = fc.record({
  bias: fc.double({ min: -20, max: 20, noNaN: true }),
  scale: fc.double({ min: 0, max: 1, noNaN: true }),
});
const weightsOf = (seed: number): Int8Array =>
  Int8Array.from({ length: 2 ** BITS }, (_, at) => (Math.imul(at + seed, 0x9e3779b1) >>> 24) - 127);

describe('features', () => {
  it('are those of the slow reference, with their names', () => {
    holds(
      fc.property(text, (each) => {
        const read = readText(each);
        const letters = String.fromCharCode(...read.letters);
        const { buckets, grams, families } = featuresOf(read, BITS);
        const names = featureNamesOf(read);
        expect([...buckets.subarray(0, grams)]).toEqual(naiveGramBuckets(letters, BITS));
        expect(names).toHaveLength(buckets.length);
        const traits = names.slice(grams);
        expect(traits).toEqual(families.flatMap((_, trait) => Array(REPEATS).fill(traits[trait * REPEATS])));
        for (const [trait, family] of families.entries()) {
          const [name, at] = [traits[trait * REPEATS]!, grams + trait * REPEATS];
          const [, value = ''] = /^.*: (.*)$/.exec(name) ?? [];
          const written = family === 'the ending of a host' ? value : Number(value);
          expect(name).toBe(`${family}: ${value}`);
          const bucket = naiveTraitBucket(FEATURE_FAMILIES.indexOf(family), written, BITS);
          expect([...buckets.subarray(at, at + REPEATS)]).toEqual(Array(REPEATS).fill(bucket));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('say what a text has besides its words', () => {
    const names = featureNamesOf(readText(SPAM)).filter((name) => name.includes(': '));
    expect([...new Set(names)]).toEqual([
      'a link: 1',
      'a shortened link: 1',
      'the ending of a host: ly',
      'the ending of a host: example',
      'digits: 10',
      'an amount of money: 1',
      'capital letters: 3',
      'exclamation marks: 2',
      'hidden characters: 1',
      'length: 11',
    ]);
  });

  it('have no trait of joined emoji: nothing is hidden inside a word', () => {
    expect(readText('가족 👨‍👩‍👧 사랑해 ❤️ 좋아').hidden).toBe(0);
    expect(readText('대\u200b출').hidden).toBe(1);
  });

  it.each(vectors.features)('have the documented buckets: $text', ({ text: each, bits, buckets }) => {
    expect([...featuresOf(readText(each), bits).buckets]).toEqual(buckets);
  });

  it('are bounded for the longest text', () => {
    for (const each of ['\ufdfa', 'a.kr ', '뺿', 'Aa1!$.'])
      expect(
        featuresOf(readText(each.repeat(TEXT_CHARS_MAX).slice(0, TEXT_CHARS_MAX)), 18).buckets.length,
      ).toBeLessThanOrEqual(24_104);
  });
});

describe('a score', () => {
  it('is that of a slow model', () => {
    holds(
      fc.property(text, parameters, fc.integer({ min: 0, max: 1000 }), (each, { bias, scale }, seed) => {
        const weights = weightsOf(seed);
        const model = new TextModel(encodeModel({ bits: BITS, bias, scale }, weights));
        const read = readText(each);
        const { buckets, grams, families } = featuresOf(read, BITS);
        const weighed = Array.from(buckets, (bucket, at): [string, number] => [
          at < grams ? 'wording' : families[Math.floor((at - grams) / REPEATS)]!,
          weights[bucket]!,
        ]);
        const sum = weighed.reduce((total, [, weight]) => total + weight, 0);
        const logOdds = bias + (scale * sum) / Math.sqrt(weighed.length + 128);
        const { score, reasons } = model.score(read);
        expect(model.logOdds(read)).toBeCloseTo(logOdds, 9);
        expect(score).toBeCloseTo(1 / (1 + Math.exp(-logOdds)), 9);
        const sumOf = (family: string): number =>
          weighed.reduce((total, [of, weight]) => total + (of === family ? weight : 0), 0);
        const expected = FEATURE_FAMILIES.filter((family) => sumOf(family) > 0)
          .toSorted((a, b) => sumOf(b) - sumOf(a))
          .slice(0, TEXT_REASONS_MAX);
        expect(reasons).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('is a probability, whatever the parameters are', () => {
    for (const [bias, scale] of [
      [0, 1e308],
      [-1e308, 1e308],
      [1e308, -1e308],
    ] as const) {
      const { score } = new TextModel(encodeModel({ bits: BITS, bias, scale }, weightsOf(1))).score(
        readText(SPAM),
      );
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });
});

describe('a model', () => {
  it('has the bytes of the naive encoder', () => {
    holds(
      fc.property(parameters, fc.integer({ min: 0, max: 1000 }), ({ bias, scale }, seed) => {
        const weights = weightsOf(seed);
        expect(hexOf(encodeModel({ bits: BITS, bias, scale }, weights))).toBe(
          hexOf(naiveModel(BITS, bias, scale, [...weights])),
        );
      }),
      { numRuns: 10 },
    );
  });

  it('has the documented bytes', () => {
    const { bits, bias, scale, weights, head } = vectors.model;
    const bytes = encodeModel(
      { bits, bias, scale },
      Int8Array.from({ length: 2 ** bits }, (_, at) => weights[at] ?? 0),
    );
    expect(hexOf(bytes.subarray(0, fromHex(head).length))).toBe(head);
  });

  it.each([
    ['too few weights', { bits: BITS, bias: 0, scale: 1 }, 2 ** BITS - 1],
    ['too few bits', { bits: 11, bias: 0, scale: 1 }, 2 ** 11],
    ['too many bits', { bits: 19, bias: 0, scale: 1 }, 2 ** 19],
    ['no finite scale', { bits: BITS, bias: 0, scale: Number.POSITIVE_INFINITY }, 2 ** BITS],
    ['no number as bias', { bits: BITS, bias: Number.NaN, scale: 1 }, 2 ** BITS],
  ])('is not written with %s', (_what, wrong, length) => {
    expect(() => encodeModel(wrong, new Int8Array(length))).toThrow(RangeError);
  });
});

describe('a damaged model', () => {
  const bytes = encodeModel({ bits: BITS, bias: -2, scale: 0.05 }, weightsOf(7));
  const read = readText(SPAM);

  /** @returns whether it was accepted */
  function survive({ what, bytes: damaged }: Damaged): boolean {
    try {
      const { score } = new TextModel(damaged).score(read);
      if (!(score >= 0 && score <= 1)) expect.fail(`${what}: ${score}`);
      return true;
    } catch (error) {
      if (error instanceof LayoutError) return false;
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
  }

  it('survives any flipped byte of its header and parameters, and any extreme word', () => {
    const head = bytes.subarray(0, 200);
    const whole = ({ what, bytes: damaged }: Damaged): Damaged => {
      const all = Uint8Array.from(bytes);
      all.set(damaged);
      return { what, bytes: all };
    };
    for (const damaged of [...flips(head, [1, 4, 32, 128, 255]), ...extremes(head)]) survive(whole(damaged));
  });

  it('is refused at any other length', () => {
    for (const damaged of cuts(bytes, 13)) expect(survive(damaged), damaged.what).toBe(false);
  });
});
