/** Recall at false-positive rates by domain, thresholds, bands and months, on scores small enough to check by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differencesAt } from '../../../cli/text/comparison.ts';
import { bandsOf, limitFor, monthsOf, recallsAt, type ScoredTexts } from '../../../cli/text/evaluation.ts';
import { chooseThresholds } from '../../../cli/text/thresholds.ts';

/** The legitimate scores of each domain, and the scores of spam. */
function scored(domains: Readonly<Record<string, readonly number[]>>, spam: readonly number[]): ScoredTexts {
  const legitimate = Object.entries(domains).flatMap(([domain, scores]) =>
    scores.map((score) => ({ domain, score })),
  );
  const all = [...legitimate, ...spam.map((score) => ({ domain: 'other', score }))];
  return {
    scores: Float64Array.from(all, ({ score }) => score),
    isSpam: Uint8Array.from(all, (_, at) => Number(at >= legitimate.length)),
    domains: all.map(({ domain }) => domain),
    times: all.map(() => null),
  };
}

/** Evenly spaced values from 0 to below `most`. */
const evenly = (count: number, most: number): number[] =>
  Array.from({ length: count }, (_, index) => (index / count) * most);

describe('recall at a rate', () => {
  it('is counted for each domain, and for the worst of them', () => {
    const texts = scored({ chat: evenly(400, 0.5), alerts: evenly(400, 0.8) }, [0.3, 0.6, 0.7, 0.9]);
    const [alerts, chat, every] = recallsAt(texts, [0.01]).map(({ domain, recall }) => [
      domain,
      recall?.found,
    ]);
    expect([chat, alerts, every]).toEqual([
      ['chat', 3],
      ['alerts', 1],
      [null, 1],
    ]);
  });

  it('is not given for a sample that cannot show the rate', () => {
    const texts = scored({ chat: evenly(400, 0.5), alerts: evenly(200, 0.5) }, [0.9]);
    expect(recallsAt(texts, [0.01])).toMatchObject([
      { domain: 'alerts', texts: 200, smallestRate: 0.015, recall: null },
      { domain: 'chat', texts: 400, smallestRate: 0.0075, recall: { found: 1, of: 1 } },
      { domain: null, texts: 200, recall: null },
    ]);
  });

  it('leaves no more legitimate texts above the limit than the rate allows, and no lower limit does, also with equal scores', () => {
    const score = fc.integer({ min: 0, max: 12 }).map((value) => value / 12);
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0.01, 0.05, 0.2),
        (scores, rate) => {
          const limit = limitFor(Float64Array.from(scores), rate);
          const above = (least: number): number => scores.filter((each) => each > least).length;
          expect(above(limit)).toBeLessThanOrEqual(rate * scores.length + 1e-6);
          const lower = scores.filter((each) => each < limit);
          if (lower.length > 0) expect(above(Math.max(...lower))).toBeGreaterThan(rate * scores.length);
        },
      ),
    );
  });
});

describe('thresholds', () => {
  const targets = { review: 0.05, suspicious: 0.01 };

  it('hold for every domain: the worst decides', () => {
    const texts = scored({ chat: evenly(400, 0.5), alerts: evenly(400, 0.8) }, [0.9]);
    const chosen = chooseThresholds(texts, targets);
    if (!chosen.ok) expect.fail(chosen.message);
    const { review, suspicious } = chosen.value;
    expect(bandsOf(texts, chosen.value).domains).toEqual([
      { domain: 'alerts', texts: 400, review: 20, suspicious: 4 },
      { domain: 'chat', texts: 400, review: 0, suspicious: 0 },
    ]);
    expect(review).toBeLessThan(suspicious);
  });

  it('are refused for a domain that is too small, which says how many texts are needed', () => {
    const texts = scored({ chat: evenly(400, 0.5), alerts: evenly(150, 0.5) }, [0.9]);
    const chosen = chooseThresholds(texts, targets);
    expect(chosen).toMatchObject({ ok: false, code: 'SAMPLE_TOO_SMALL' });
    expect(!chosen.ok && chosen.message).toBe(
      'domain "alerts" has 150 texts to choose thresholds from, which cannot show a rate below 2 % (3/n): a rate of 1 % needs 300 texts. ' +
        'Add legitimate texts of the domain, or accept a higher rate: --suspicious-rate 0.02',
    );
  });

  it('are refused if legitimate texts have the highest score', () => {
    const texts = scored({ chat: new Array<number>(400).fill(1) }, [1]);
    expect(chooseThresholds(texts, targets)).toMatchObject({ ok: false, code: 'NOT_SEPARABLE' });
  });

  it('are found between scores that are very close to 1', () => {
    const texts = scored({ chat: evenly(400, 1).map((score) => 1 - 1e-7 * (1 - score)) }, [1 - 1e-12]);
    const chosen = chooseThresholds(texts, targets);
    if (!chosen.ok) expect.fail(chosen.message);
    const { domains, spam } = bandsOf(texts, chosen.value);
    expect(domains[0]!.suspicious).toBeLessThanOrEqual(4);
    expect(spam.suspicious).toBe(1);
  });
});

describe('months', () => {
  it('are those of Korea, of texts that have a date', () => {
    const texts = scored({ chat: [0.1, 0.6] }, [0.9, 0.2]);
    // 15:00 UTC is midnight in Korea.
    const times = [Date.UTC(2026, 3, 30, 14, 59), Date.UTC(2026, 3, 30, 15), Date.UTC(2026, 4, 9)];
    const dated = { ...texts, times: [...times.map((ms) => ms / 1000), null] };
    expect(monthsOf(dated, { review: 0.5, suspicious: 0.8 })).toEqual([
      {
        month: '2026-04',
        spam: { texts: 0, review: 0, suspicious: 0 },
        legitimate: { texts: 1, review: 0, suspicious: 0 },
      },
      {
        month: '2026-05',
        spam: { texts: 1, review: 1, suspicious: 1 },
        legitimate: { texts: 1, review: 1, suspicious: 0 },
      },
    ]);
  });
});

describe('a comparison of two models', () => {
  it('counts the spam that only one of them finds, each at its own limit', () => {
    const legitimate = evenly(400, 0.5);
    const first = scored({ chat: legitimate }, [0.9, 0.9, 0.9, 0.1]);
    const second = scored({ chat: legitimate }, [0.9, 0.1, 0.1, 0.9]);
    const [only, ...others] = differencesAt(first, second);
    // 400 texts can show a rate of 1 %, and no lower rate.
    expect(others).toEqual([]);
    expect(only).toMatchObject({ rate: 0.01, recall: { found: 3, of: 4 }, other: { found: 2, of: 4 } });
    expect(only!.difference.difference).toBe(0.25);
    expect(only!.difference.low).toBeLessThan(0);
  });
});
