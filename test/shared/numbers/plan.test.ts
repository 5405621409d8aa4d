/** Korea's plan: each class at its first and last number and one step outside, and short codes. */
import { describe, expect, it } from 'vitest';
import plan from '../../../data/kr-plan.json' with { type: 'json' };
import {
  isEmergency,
  isEmergencyNumber,
  type KrClass,
  krClassOf,
  krClassOfNational,
} from '../../../shared/numbers/plan.ts';

const AREAS = [
  '31',
  '32',
  '33',
  '41',
  '42',
  '43',
  '44',
  '51',
  '52',
  '53',
  '54',
  '55',
  '61',
  '62',
  '63',
  '64',
];

function classOf(national: string): KrClass | null {
  return krClassOf(Number(`82${national}`));
}

/** The class by definition: the longest row that fits prefix and length. */
function classByRows(national: string): string {
  let best = { prefix: '', class: 'unknown' };
  for (const row of plan.rows) {
    const fits = national.startsWith(row.prefix) && row.lengths.includes(national.length);
    if (fits && row.prefix.length > best.prefix.length) best = row;
  }
  return best.class;
}

describe('the class of a Korean number', () => {
  it.each<[string, KrClass]>([
    ['1000000000', 'mobile'],
    ['1099999999', 'mobile'],
    ['100000000', 'unknown'],
    ['10000000000', 'unknown'],
    ['112345678', 'mobileLegacy'],
    ['1612345678', 'mobileLegacy'],
    ['1912345678', 'mobileLegacy'],
    ['1312345678', 'unknown'],
    ['1412345678', 'unknown'],
    ['1212345678', 'telemetry'],
    ['151234567', 'pager'],
    ['1512345678', 'pager'],
    ['15123456', 'representative'],
    ['15881234', 'representative'],
    ['16441234', 'representative'],
    ['18001234', 'representative'],
    ['17881234', 'unknown'],
    ['1588123', 'unknown'],
    ['21234567', 'fixed'],
    ['212345678', 'fixed'],
    ['20234567', 'unknown'],
    ['2123456', 'unknown'],
    ['215881234', 'fixedRepresentative'],
    ['217881234', 'fixed'],
    ['311234567', 'fixed'],
    ['3199999999', 'fixed'],
    ['310234567', 'unknown'],
    ['31114', 'fixedService'],
    ['311114', 'fixedService'],
    ['31214', 'unknown'],
    ['2120', 'fixedService'],
    ['2214', 'unknown'],
    ['3115881234', 'fixedRepresentative'],
    ['6418001234', 'fixedRepresentative'],
    ['6417001234', 'fixed'],
    ['341234567', 'unknown'],
    ['451234567', 'unknown'],
    ['561234567', 'unknown'],
    ['651234567', 'unknown'],
    ['7012345678', 'voip'],
    ['701234567', 'unknown'],
    ['5012345678', 'personal'],
    ['50123456789', 'personal'],
    ['501234567', 'unknown'],
    ['301234567', 'service'],
    ['30123456789', 'service'],
    ['30123456', 'unknown'],
    ['602345678', 'premium'],
    ['601234567', 'unknown'],
    ['801234567', 'tollFree'],
    ['8012345678', 'unknown'],
    ['00308123456', 'tollFreeInbound'],
    ['003081234567', 'tollFreeInbound'],
    ['00368123456', 'unknown'],
    ['003681234567', 'tollFreeInbound'],
    ['0079812345678', 'tollFreeInbound'],
    ['00799123456', 'unknown'],
    ['00309123456', 'unknown'],
    ['', 'unknown'],
    ['1', 'unknown'],
  ])('%s is %s', (national, expected) => {
    expect(classOf(national)).toBe(expected);
  });

  it('has exactly the areas that exist', () => {
    const areas: string[] = [];
    for (let area = 30; area < 70; area++)
      if (classOf(`${area}2345678`) === 'fixed') areas.push(String(area));
    expect(areas).toEqual(AREAS);
  });

  it('is what the rows say, for every length and every four-digit beginning', () => {
    for (let length = 4; length <= 13; length++) {
      for (let prefix = 0; prefix < 10_000; prefix++) {
        const national = String(prefix).padStart(4, '0') + '8'.repeat(length - 4);
        if (krClassOfNational(Number(national), length) !== classByRows(national)) {
          expect.fail(
            `${national}: ${krClassOfNational(Number(national), length)}, rows say ${classByRows(national)}`,
          );
        }
      }
    }
  });

  it('is null for a number that is not of +82', () => {
    for (const n of [0, 8, 81, 83, 819_999_999_999, 830_000_000_000, 12_125_551_234])
      expect(krClassOf(n)).toBeNull();
  });
});

describe('Korean short codes', () => {
  it('are emergency codes by either of two types', () => {
    expect(['112', '119', '111', '182', '1366', '1388'].every(isEmergency)).toBe(true);
    expect(['114', '1335', '10114', '999', '', '0112'].some(isEmergency)).toBe(false);
  });

  it('are emergency codes after +82 and an area code too', () => {
    for (const n of [82_119, 82_112, 822_119, 8_231_119, 8_264_112, 821_366])
      expect(isEmergencyNumber(n)).toBe(true);
    for (const n of [119, 81_119, 82_114, 822_114, 8_239_119, 82_1191, 821_191_191_191]) {
      expect(isEmergencyNumber(n)).toBe(false);
    }
  });

  it('all have a known type and 3 to 5 digits that begin with 1', () => {
    for (const { code, type } of plan.shortCodes) {
      expect(code).toMatch(/^1\d{2,4}$/);
      expect(['EMERGENCY', 'EXPANDED_EMERGENCY', 'COMMERCIAL']).toContain(type);
      expect(isEmergency(code)).toBe(type !== 'COMMERCIAL');
    }
  });
});
