/** Changes of pairs against a plain model, number by number. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PairChange, type PairSpan, pairChanges } from '../../../shared/senders/pairs.ts';

const pairs = fc.array(
  fc
    .record({ from: fc.nat(30), length: fc.nat(8), own: fc.boolean() })
    .map(({ from, length, own }): PairSpan => ({ from, to: from + length, own })),
  { maxLength: 6 },
);

/** What each number is. */
function plain(spans: readonly PairSpan[]): Map<number, 'add' | 'addOwn'> {
  const all = new Map<number, 'add' | 'addOwn'>();
  for (const { from, to, own } of spans) {
    for (let n = from; n <= to; n++) if (own || !all.has(n)) all.set(n, own ? 'addOwn' : 'add');
  }
  return all;
}

function apply(state: Map<number, 'add' | 'addOwn'>, changes: readonly PairChange[]): Map<number, string> {
  const all = new Map<number, 'add' | 'addOwn'>(state);
  for (const { from, to, op } of changes) {
    for (let n = from; n <= to; n++) {
      if (op === 'remove') all.delete(n);
      else all.set(n, op);
    }
  }
  return all;
}

describe('changes of pairs', () => {
  it('make what is in force afterwards out of what was before, and touch no other number', () => {
    fc.assert(
      fc.property(pairs, pairs, (before, after) => {
        const [old, next] = [plain(before), plain(after)];
        const changes = pairChanges(before, after);
        expect(apply(old, changes)).toEqual(next);
        const touched = changes.flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, at) => from + at),
        );
        expect(new Set(touched).size).toBe(touched.length);
        expect(touched.filter((n) => old.get(n) === next.get(n))).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('leave a number that another registration covers', () => {
    const wide = { from: 0, to: 9, own: false };
    const single = { from: 4, to: 4, own: true };
    expect(pairChanges([wide, single], [single])).toEqual([
      { from: 0, to: 3, op: 'remove' },
      { from: 5, to: 9, op: 'remove' },
    ]);
    expect(pairChanges([wide, single], [wide])).toEqual([{ from: 4, to: 4, op: 'add' }]);
    expect(pairChanges([wide], [wide])).toEqual([]);
  });
});
