/** The schemas that several documents share. */
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { timeSchema } from '../../shared/schemas.ts';

test.each([
  ['2028-02-29T00:00:00Z', true],
  ['2027-01-01T00:00:00+09:00', true],
  ['2027-02-29T00:00:00Z', false],
  ['2027-04-31T00:00:00+09:00', false],
  ['2027-13-01T00:00:00Z', false],
  ['2027-01-01', false],
])('a time has a day that exists: %s %s', (text, isTime) => {
  expect(v.is(timeSchema, text)).toBe(isTime);
});
