/**
 * Dated entries as sorted columns agree with a plain search through all entries.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { datedIn, datedNumbers, datedUntil, hasDated } from '../../../cli/proof/dated-numbers.ts';
import { holds } from '../../shared/support/properties.ts';

const entry = fc.record({
  n: fc.integer({ min: 1, max: 5 }),
  since: fc.integer({ min: 0, max: 4 }),
  until: fc.integer({ min: 0, max: 6 }),
});

it('has each entry once, and the latest expiry of those in force', () => {
  holds(
    fc.property(fc.array(entry, { maxLength: 20 }), entry, (entries, other) => {
      const columns = datedNumbers(entries);
      const distinct = new Set(entries.map(({ n, since, until }) => `${n} ${since} ${until}`));
      expect([...datedIn(columns)].map(({ n, since, until }) => `${n} ${since} ${until}`)).toEqual(
        [...distinct].sort(),
      );
      expect(hasDated(columns, other)).toBe(distinct.has(`${other.n} ${other.since} ${other.until}`));
      const inForce = entries.filter(({ n, since, until }) => n === other.n && since <= 3 && 3 < until);
      expect(datedUntil(columns, other.n, 3)).toBe(Math.max(-1, ...inForce.map(({ until }) => until)));
    }),
  );
});
