/** Spans of covered numbers, compared with plain sets of them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countCovered, cover, type Span, without } from '../../../shared/numbers/spans.ts';
import { holds } from '../support/properties.ts';

const ranges = fc
  .array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 20 })), { maxLength: 12 })
  .map((each) => each.map(([from, length]) => ({ from, to: from + length })).sort((a, b) => a.from - b.from));

function numbersOf(spans: readonly Span[]): number[] {
  const all = spans.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
  return [...new Set(all)].sort((a, b) => a - b);
}

function expectDisjoint(spans: readonly Span[]): void {
  spans.forEach(({ from, to }, index) => {
    expect(to).toBeGreaterThanOrEqual(from);
    if (index > 0) expect(from).toBeGreaterThan(spans[index - 1]!.to);
  });
}

it('covers every number of the ranges once', () => {
  holds(
    fc.property(ranges, (each) => {
      const spans = cover(each);
      expectDisjoint(spans);
      expect(numbersOf(spans)).toEqual(numbersOf(each));
      expect(countCovered(spans)).toBe(numbersOf(each).length);
    }),
  );
});

it('joins ranges that touch', () => {
  expect(
    cover([
      { from: 1, to: 4 },
      { from: 5, to: 5 },
      { from: 7, to: 9 },
    ]),
  ).toEqual([
    { from: 1, to: 5 },
    { from: 7, to: 9 },
  ]);
});

it('removes the numbers that other spans cover', () => {
  holds(
    fc.property(ranges, ranges, (one, two) => {
      const rest = without(cover(one), cover(two));
      expectDisjoint(rest);
      const others = new Set(numbersOf(two));
      expect(numbersOf(rest)).toEqual(numbersOf(one).filter((n) => !others.has(n)));
    }),
  );
});
