/** Calling codes: every assigned code is found, and every unassigned code is recognised. */
import { describe, expect, it } from 'vitest';
import table from '../../../data/calling-codes.json' with { type: 'json' };
import {
  callingCodeOf,
  dropsTrunkZero,
  isAssigned,
  isPossible,
  regionOf,
} from '../../../shared/numbers/calling-codes.ts';

describe('the table of calling codes', () => {
  it('holds no code that begins another', () => {
    const codes = table.codes.map(({ code }) => String(code));
    for (const code of codes) {
      expect(codes.filter((other) => other.startsWith(code))).toEqual([code]);
    }
  });

  it('finds each code before each of its lengths, and rejects other lengths', () => {
    for (const { code, lengths } of table.codes) {
      for (let length = 1; length + String(code).length <= 15; length++) {
        const n = Number(String(code) + '2'.repeat(length));
        expect(callingCodeOf(n)).toBe(code);
        if (!lengths.includes(length)) expect(isPossible(n), String(n)).toBe(false);
      }
    }
  });

  it('is what the metadata of libphonenumber-js compiles to: npm run calling-codes', async () => {
    const { compileCallingCodes } = await import('../../../data/compile-calling-codes.ts');
    expect(JSON.parse(compileCallingCodes())).toEqual(table);
  });

  it.each([
    [70015881234, false, false, 'no area of Russia begins with 0'],
    [11912345678, false, false, 'no area of +1 begins with 1'],
    [19995551234, true, false, '+1 999 is no area, though an area can begin with 9'],
    [12125551234, true, true, 'New York'],
    [74951234567, true, true, 'Moscow'],
    [8613716965408, true, true, 'a mobile number of China'],
  ])('finds %s possible: %s, assigned: %s (%s)', (n, possible, assigned) => {
    expect([isPossible(n), isAssigned(n)]).toEqual([possible, assigned]);
  });

  it.each([[210123456789], [8011234567], [9991234567], [2], [8], [21], [0]])('finds %s unassigned', (n) => {
    expect(callingCodeOf(n)).toBe(0);
    expect(isPossible(n)).toBe(false);
  });

  it('finds a code without national digits, which is not possible', () => {
    expect(callingCodeOf(82)).toBe(82);
    expect(callingCodeOf(1)).toBe(1);
    expect(isPossible(82)).toBe(false);
  });
});

describe('the trunk 0', () => {
  it('is dropped in Korea, Britain and Germany, and kept in Italy, Hungary, Russia and Rwanda', () => {
    expect([82, 44, 49].map(dropsTrunkZero)).toEqual([true, true, true]);
    expect([39, 36, 7, 250].map(dropsTrunkZero)).toEqual([false, false, false, false]);
  });

  it('makes a number impossible in a country that drops it', () => {
    expect(isPossible(442079460018)).toBe(true);
    expect(isPossible(440079460018)).toBe(false);
    expect(isPossible(390612345678)).toBe(true);
  });
});

describe('the regions of a code', () => {
  it('are one main region and others', () => {
    expect(regionOf(82)).toEqual({ main: 'KR', others: [] });
    expect(regionOf(44)).toEqual({ main: 'GB', others: ['GG', 'IM', 'JE'] });
    expect(regionOf(870)).toEqual({ main: '001', others: [] });
    expect(regionOf(210)).toBeNull();
    expect(regionOf(0)).toBeNull();
  });
});
