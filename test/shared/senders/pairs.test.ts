/** Changes of pairs compared with a plain model, number by number. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Span } from '../../../shared/numbers/spans.ts';
import { type PairSpan, pairChanges } from '../../../shared/senders/pairs.ts';

const pairs = fc.array(
  fc
    .record({ from: fc.nat(30), length: fc.nat(8), own: fc.boolean() })
    .map(({ from, length, own }): PairSpan => ({ from, to: from + length, own })),
  { maxLength: 6 },
);

/** The kind of change for each number. */
function plain(spans: readonly PairSpan[]): Map<number, 'add' | 'addOwn'> {
  const all = new Map<number, 'add' | 'addOwn'>();
  for (const { from, to, own } of spans) {
    for (let n = from; n <= to; n++) if (own || !all.has(n)) all.set(n, own ? 'addOwn' : 'add');
  }
  return all;
}

const numbersOf = ({ from, to }: Span): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe('changes of pairs', () => {
  it('name each touched number once, as it is now, and no other', () => {
    const spans = fc.array(
      fc
        .record({ from: fc.nat(30), length: fc.nat(8) })
        .map(({ from, length }) => ({ from, to: from + length })),
      { minLength: 1, maxLength: 2 },
    );
    fc.assert(
      fc.property(spans, pairs, (touched, now) => {
        const state = plain(now);
        const numbers = new Set(touched.flatMap(numbersOf));
        const changes = pairChanges(
          touched,
          now.filter(({ from, to }) => touched.some((span) => span.from <= to && span.to >= from)),
        );
        const named = changes.flatMap((change) => numbersOf(change).map((n) => [n, change.op] as const));
        expect(named.length).toBe(numbers.size);
        expect(new Map(named)).toEqual(new Map([...numbers].map((n) => [n, state.get(n) ?? 'remove'])));
      }),
      { numRuns: 3_000 },
    );
  });

  it('keep a number that another registration covers', () => {
    const wide = { from: 0, to: 9, own: false };
    const single = { from: 4, to: 4, own: true };
    expect(pairChanges([wide], [single])).toEqual([
      { from: 0, to: 3, op: 'remove' },
      { from: 5, to: 9, op: 'remove' },
      { from: 4, to: 4, op: 'addOwn' },
    ]);
    expect(pairChanges([single], [wide])).toEqual([{ from: 4, to: 4, op: 'add' }]);
  });

  it('stay within a block, which is what the registry takes', () => {
    const [first, second] = [0, 1].map((block) => ({ from: block * 10_000, to: block * 10_000 + 9_999 }));
    const all = [first!, second!].map((span) => ({ ...span, own: false }));
    expect(pairChanges([first!, second!], all)).toEqual([
      { ...first, op: 'add' },
      { ...second, op: 'add' },
    ]);
  });
});
