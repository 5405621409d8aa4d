/** The join of near-duplicates, compared with a comparison of all pairs. */
import { expect, it } from 'vitest';
import { gramsOf, nearDuplicates } from '../../bench/lib/near-duplicates.ts';
import { koreanComments } from '../../bench/lib/real-texts.ts';

function similar(a: ReadonlySet<string>, b: ReadonlySet<string>, least: number): boolean {
  let common = 0;
  for (const gram of a) if (b.has(gram)) common++;
  return common / (a.size + b.size - common) >= least;
}

it.each([0.05, 0.2, 0.4])(
  'finds all texts that have at least %s of their grams in common, and no other',
  (least) => {
    const grams = koreanComments()
      .slice(0, 300)
      .map(gramsOf)
      .filter((each) => each.size > 20);
    // Includes copies of some texts, with words left out.
    const texts = grams
      .slice(50, 200)
      .flatMap((each, at) => [each, new Set([...each].slice(0, each.size - (at % 20)))]);
    const others = grams.slice(0, 120);
    const expected = texts.flatMap((each, at) =>
      others.some((other) => similar(each, other, least)) ? [at] : [],
    );
    expect([...nearDuplicates(others, texts, least)]).toEqual(expected);
    expect(expected.length).toBeGreaterThan(50);
    expect(expected.length).toBeLessThan(texts.length);
  },
);
