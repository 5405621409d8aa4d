/** Groups of near-duplicates, compared with all pairs. Splits never separate a group. */
import '../support/workspace.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleRows } from '../../../cli/commands/text-sample.ts';
import { type Corpus, corpusOf, distinctTexts } from '../../../cli/text/corpus.ts';
import type { LabelledText } from '../../../cli/text/labelled-text.ts';
import {
  areSimilar,
  gramsOf,
  nearDuplicates,
  sketchesAreSimilar,
  sketchOf,
} from '../../../cli/text/near-duplicates.ts';
import { Rows } from '../../../cli/text/rows.ts';
import { checkFolds, foldsOf, splitOff } from '../../../cli/text/split.ts';
import { readText } from '../../../shared/text/text.ts';

/** Every fourth English message is used. */
const STEP = 4;
const DAY_S = 86_400;
const BITS = 12;

const grams = (text: string): Uint32Array => gramsOf(readText(text).letters);

describe('near-duplicates', () => {
  it('have half of their 6-grams in common', () => {
    const similar = (a: string, b: string): boolean => areSimilar(grams(a), grams(b));
    // 12 letters have 7 grams.
    expect(similar('abcdefghijkl', 'abcdefghijkl')).toBe(true);
    // 5 of 9 grams are common, and 4 of 10.
    expect(similar('abcdefghijkl', 'abcdefghijxy')).toBe(true);
    expect(similar('abcdefghijkl', 'abcdefghixyz')).toBe(false);
    expect(similar('abc', 'abc')).toBe(true);
    expect(similar('abc', 'abd')).toBe(false);
    // Digits and separators do not matter.
    expect(similar('Your code is 4815', 'your-code is 1623!')).toBe(true);
  });

  it('are compared as sets are', () => {
    const set = fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 30 });
    const sorted = (values: number[]): Uint32Array => Uint32Array.from(values).sort();
    fc.assert(
      fc.property(set, set, (a, b) => {
        const common = a.filter((each) => b.includes(each)).length;
        const similarity = common / (a.length + b.length - common);
        expect(areSimilar(sorted(a), sorted(b))).toBe(similarity >= 0.5);
      }),
    );
  });

  it('are in one group if any pair of real texts is similar', () => {
    const texts = distinct().map(({ text }) => grams(text));
    const rows = new Rows();
    for (const each of texts) rows.add(each);
    const groups = nearDuplicates(
      rows,
      texts.map(() => null),
    );
    const separated: number[] = [];
    let pairs = 0;
    for (const [a, gramsOfA] of texts.entries()) {
      for (let b = 0; b < a; b++) {
        if (!areSimilar(gramsOfA, texts[b]!)) continue;
        pairs++;
        if (groups[a] !== groups[b]) separated.push(a);
      }
    }
    expect(pairs).toBeGreaterThan(50);
    expect(separated).toEqual([]);
    // A group is no larger than its similar pairs make it.
    for (const [index, group] of groups.entries()) {
      if (group === index) continue;
      expect(
        texts.some((other, at) => at !== index && groups[at] === group && areSimilar(texts[index]!, other)),
      ).toBe(true);
    }
  });

  it('are found by sketches as by all grams, if texts are short, and nearly so otherwise', () => {
    const set = fc.uniqueArray(fc.nat(90), { minLength: 1, maxLength: 60 });
    const hashed = (values: number[]): Uint32Array =>
      Uint32Array.from(values, (value) => Math.imul(value, 0x9e3779b1) >>> 0).sort();
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [left, right] = [hashed(a), hashed(b)];
        // Both sets together have at most 64 grams.
        fc.pre(new Set([...a, ...b]).size <= 64);
        expect(sketchesAreSimilar(sketchOf(left), sketchOf(right))).toBe(areSimilar(left, right));
      }),
    );
    const long = Array.from({ length: 400 }, (_, index) => index);
    const share = (same: number): boolean =>
      sketchesAreSimilar(
        sketchOf(hashed(long)),
        sketchOf(hashed(long.map((each) => (each < same ? each : each + 1_000)))),
      );
    // 0.9 and 0.1 of the grams are common.
    expect([share(379), share(73)]).toEqual([true, false]);
  });

  it('of a named campaign are in one group, and so is what resembles one of them', () => {
    const texts = [
      'first text of a campaign',
      'quite another wording',
      'first text of a campaigns',
      'unrelated words',
    ];
    const rows = new Rows();
    for (const text of texts) rows.add(grams(text));
    expect([...nearDuplicates(rows, ['c', 'c', null, null])]).toEqual([0, 0, 0, 3]);
  });
});

/** Distinct real texts. Some have a date. */
function distinct(): LabelledText[] {
  const rows = sampleRows().filter(({ domain }) => domain === 'english-messages');
  const texts = rows
    .filter((_, index) => index % STEP === 0)
    .map(({ text, label }, index) => ({
      ...{ text, isSpam: label === 'spam', domain: index % 3 === 0 ? 'a' : 'b', campaign: null },
      at: index % 5 === 0 ? null : ((index * 7_919) % 365) * DAY_S,
    }));
  return [...distinctTexts(texts).texts];
}

describe('a split', () => {
  let corpus: Promise<Corpus> | null = null;
  const shared = (): Promise<Corpus> => (corpus ??= corpusOf(distinct(), BITS));

  it('has no group on both sides, and every text on one of them, for any seed and share', async () => {
    const { groups, texts, ...rest } = await shared();
    await fc.assert(
      fc.asyncProperty(
        ...[
          fc.nat(2 ** 32 - 1),
          fc.double({ min: 0.05, max: 0.5, noNaN: true }),
          fc.constantFrom('time', 'hash'),
        ],
        async (seed, share, by) => {
          const split = splitOff({ groups, texts, ...rest }, share as number, by as 'time', seed as number);
          if (!split.ok) expect.fail(split.message);
          const { train, test } = split.value;
          const trained = new Set(Array.from(train, (index) => groups[index]));
          expect(Array.from(test).filter((index) => trained.has(groups[index]))).toEqual([]);
          expect([...train, ...test].sort((a, b) => a - b)).toEqual([...texts.keys()]);
          expect(test.length / texts.length).toBeGreaterThan((share as number) / 2);
          expect(test.length / texts.length).toBeLessThan((share as number) + 0.05);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('by time tests what began later', async () => {
    const { groups, texts, ...rest } = await shared();
    const split = splitOff({ groups, texts, ...rest }, 0.3, 'time', 1);
    if (!split.ok || split.value.cut === null) expect.fail('it was not split by time');
    const { train, test, cut } = split.value;
    const began = new Map<number, number>();
    for (const [index, { at }] of texts.entries())
      if (at !== null) began.set(groups[index]!, Math.min(at, began.get(groups[index]!) ?? at));
    const datesOf = (indices: Uint32Array): number[] =>
      Array.from(indices, (index) => began.get(groups[index]!)).filter((at) => at !== undefined);
    expect(Math.max(...datesOf(train))).toBeLessThan(cut);
    expect(Math.min(...datesOf(test))).toBe(cut);
  });

  it('is the same for texts in another order', async () => {
    const there = await shared();
    const back = await corpusOf(there.texts.toReversed(), BITS);
    const tested = (corpus: Corpus): Set<string> => {
      const split = splitOff(corpus, 0.2, 'hash', 7);
      if (!split.ok) expect.fail(split.message);
      return new Set(Array.from(split.value.test, (index) => corpus.texts[index]!.text));
    };
    const others = tested(there);
    expect([...tested(back)].filter((text) => !others.has(text))).toEqual([]);
    expect(tested(back).size).toBe(others.size);
  });

  it('refuses dates that separate the labels', async () => {
    const texts = distinct().map((each) => ({ ...each, at: each.isSpam ? 0 : 100 * DAY_S }));
    const split = splitOff(await corpusOf(texts, BITS), 0.2, 'time', 1);
    expect(split).toMatchObject({ ok: false, code: 'ONE_LABEL' });
    expect(!split.ok && split.message).toContain('--split hash');
  });

  it('into folds deals whole groups, evenly for each label and domain', async () => {
    const { groups, texts, ...rest } = await shared();
    const indices = Uint32Array.from(texts.keys());
    const folds = foldsOf({ groups, texts, ...rest }, indices, 5, 3);
    for (const [index, group] of groups.entries()) expect(folds[index]).toBe(folds[group]);
    for (const stratum of ['spam', 'a', 'b']) {
      const sizes = [0, 0, 0, 0, 0];
      for (const [index, { isSpam, domain }] of texts.entries())
        if ((isSpam ? 'spam' : domain) === stratum) sizes[folds[index]!]!++;
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(10);
    }
  });
});

describe('folds', () => {
  it('are refused if one of them has all texts of a label', async () => {
    const texts = distinct().map((each) => ({ ...each, campaign: each.isSpam ? 'one' : null }));
    const corpus = await corpusOf(texts, BITS);
    const indices = Uint32Array.from(texts.keys());
    const checked = checkFolds(corpus, indices, foldsOf(corpus, indices, 5, 1));
    expect(checked).toMatchObject({ ok: false, code: 'GROUPS_TOO_FEW' });
    expect(!checked.ok && checked.message).toMatch(/label "spam".*near-duplicates.*add other texts/);
  });
});

describe('distinct texts', () => {
  const text = (content: string, isSpam: boolean, at: number | null = null): LabelledText => ({
    ...{ text: content, isSpam, at, domain: 'other', campaign: null },
  });

  it('keep the earliest date, and leave out what has both labels', () => {
    const given = [
      text('a', true, 9),
      text(' a ', true, 5),
      text('b', true),
      text('b', false),
      text('c', false),
    ];
    expect(distinctTexts(given)).toEqual({
      ...{ texts: [text('a', true, 5), text('c', false)], repeats: 2, contradictions: 1 },
    });
  });
});
