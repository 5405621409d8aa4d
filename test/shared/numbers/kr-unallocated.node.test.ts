/**
 * The block list derived from the plan, compared with an independent plan. No number inside a row may be valid
 * in libphonenumber, because a false row would silence innocent subscribers.
 */
import { readFileSync } from 'node:fs';
import parsePhoneNumberFromString from 'libphonenumber-js/max';
import { describe, expect, it } from 'vitest';
import { krClassOf } from '../../../shared/numbers/plan.ts';
import { randomFrom } from './random.ts';

const SEED = 20_261_124;
const SAMPLES_PER_ROW = 1_000;
const ROW = /^\+(\d+)\.\.\+(\d+),NUMBER_UNALLOCATED,kr-plan,[^,"]+$/;
/** The only exception: libphonenumber does not know that 010-0000 to 010-1999 were never assigned. */
const MOBILE_BARRED = { from: 821000000000, to: 821019999999 };

const [header, ...lines] = readFileSync(new URL('../../../data/kr-unallocated.csv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');

const rows = lines.map((line) => {
  const [, from, to] = ROW.exec(line) ?? expect.fail(`not a row: ${line}`);
  return { line, from: Number(from), to: Number(to), isSameLength: from?.length === to?.length };
});

describe('data/kr-unallocated.csv', () => {
  it('has the header of the import format and well-formed, disjoint, ascending ranges', () => {
    expect(header).toBe('number,reason,authority,note');
    const sorted = rows.toSorted((a, b) => a.from - b.from);
    for (const [index, row] of sorted.entries()) {
      expect(row.isSameLength && row.from < row.to, row.line).toBe(true);
      if (index > 0) expect(row.from, row.line).toBeGreaterThan(sorted[index - 1]!.to);
    }
  });

  it('holds exactly 010-0000 to 010-1999 of 010', () => {
    const mobile = rows.filter(({ to }) => krClassOf(to) === 'mobile');
    expect(mobile.map(({ from, to }) => ({ from, to }))).toEqual([MOBILE_BARRED]);
  });

  it(`holds nothing that libphonenumber or the plan takes for valid (seed ${SEED})`, () => {
    const below = randomFrom(SEED);
    for (const { line, from, to } of rows) {
      if (from === MOBILE_BARRED.from) continue;
      for (let sample = 0; sample < SAMPLES_PER_ROW; sample++) {
        const n = sample === 0 ? from : sample === 1 ? to : from + below(to - from + 1);
        const parsed = parsePhoneNumberFromString(`+${n}`);
        if (parsed?.isValid() || krClassOf(n) !== 'unknown') expect.fail(`+${n} in ${line}`);
      }
    }
  });
});
