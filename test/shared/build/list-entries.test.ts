/** The content of a list while it is collected: numbers by prefix, permuted, sorted and distinct. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALWAYS, ListEntries } from '../../../shared/build/list-entries.ts';
import { holds } from '../support/properties.ts';
import { testKeys } from '../support/test-keys.ts';

const { permutation } = testKeys;
const DAY = { since: 100, until: 200 };

describe('the entries of a list', () => {
  it('are sorted, distinct, permuted suffixes by prefix, in the order of prefixes', () => {
    const number = fc.tuple(fc.constantFrom(0, 1201, 8210, 9_999_999), fc.integer({ min: 0, max: 300 }));
    holds(
      fc.property(fc.array(number, { maxLength: 400 }), (numbers) => {
        const entries = new ListEntries(permutation);
        for (const [prefix, suffix] of numbers) entries.addNumber(prefix * 100_000_000 + suffix, ALWAYS);
        const { plain, dated } = entries.finish();
        const prefixes = [...new Set(numbers.map(([prefix]) => prefix))].sort((a, b) => a - b);
        expect([...plain.keys()]).toEqual(prefixes);
        expect(dated).toEqual([]);
        for (const prefix of prefixes) {
          const suffixes = numbers
            .filter((each) => each[0] === prefix)
            .map(([, suffix]) => permutation.permute(suffix));
          expect([...plain.get(prefix)!]).toEqual([...new Set(suffixes)].sort((a, b) => a - b));
        }
      }),
    );
  });

  it('hold dated entries separately, sorted by key and dates', () => {
    const entries = new ListEntries(permutation);
    const numbers = [821_000_000_009, 821_000_000_001, 120_100_000_001, 821_000_000_001];
    numbers.forEach((n, index) => {
      entries.addNumber(n, { since: 100 - index, until: 200 });
    });
    const { plain, dated } = entries.finish();
    expect(plain.size).toBe(0);
    expect(dated).toEqual(dated.toSorted((a, b) => a.key - b.key || a.since - b.since));
    expect(dated).toHaveLength(4);
  });

  it('drop a dated entry of a number that is also listed without dates', () => {
    const entries = new ListEntries(permutation);
    entries.addNumber(821_000_000_001, DAY);
    entries.addNumber(821_000_000_001, ALWAYS);
    entries.addNumber(821_000_000_002, DAY);
    const { dated } = entries.finish();
    expect(dated.map(({ key }) => key)).toEqual([8210 * 100_000_000 + permutation.permute(2)]);
  });

  it('hold a repeated dated entry once', () => {
    const entries = new ListEntries(permutation);
    for (let time = 0; time < 3; time++) entries.addNumber(821_000_000_001, DAY);
    expect(entries.finish().dated).toHaveLength(1);
  });

  it('treat an entry with only a start or only an end as dated', () => {
    const entries = new ListEntries(permutation);
    entries.addNumber(821_000_000_001, { since: 1, until: ALWAYS.until });
    entries.addNumber(821_000_000_002, { since: 0, until: ALWAYS.until - 1 });
    const { plain, dated } = entries.finish();
    expect([plain.size, dated.length]).toEqual([0, 2]);
  });
});
