/** Rehearsals of rules, compared with an evaluation at the time of each report. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../shared/reports/evaluate.ts';
import { rehearse } from '../../../shared/reports/rehearse.ts';
import type { Rule } from '../../../shared/reports/rule.ts';
import { holds } from '../support/properties.ts';
import { defaultRule, HOUR, MINUTE, NEW_PARTNERS, NOW, report, reports } from './rule-world.ts';

const RULE: Rule = { ...defaultRule('kr-50'), distinct: 5, maxShare: 0.5, window: '1h' };

describe('a rehearsal', () => {
  it('finds the first report with which the rule fires', () => {
    const many = fc.array(
      fc
        .record({
          partner: fc.constantFrom('skt', 'kt', 'lgu'),
          reporter: fc.integer({ min: 1, max: 12 }).map((n) => `r${n}`),
          minutes: fc.integer({ min: 0, max: 150 }),
          spam: fc.constantFrom('loan', 'loan', 'loan', 'notSpam'),
        })
        .map(({ partner, reporter, minutes, spam }) =>
          report(partner, reporter, { at: NOW + minutes * MINUTE, spam: spam as 'loan' | 'notSpam' }),
        ),
      { maxLength: 50, size: 'max' },
    );
    let fired = 0;
    holds(
      fc.property(many, (given) => {
        const times = [...new Set(given.map(({ at }) => at))].toSorted((a, b) => a - b);
        const first = times.find(
          (at) =>
            evaluate(
              RULE,
              given.filter((one) => one.at <= at),
              NEW_PARTNERS,
              at,
            ).fires,
        );
        expect(rehearse(RULE, given, NEW_PARTNERS)).toBe(first ?? null);
        if (first !== undefined) fired++;
      }),
    );
    expect(fired).toBeGreaterThan(5);
  });

  it('includes what led to a block that was lifted, and then begins anew', () => {
    const before = ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, 2));
    const after = before.map((each) => ({ ...each, at: NOW }));
    expect(rehearse(RULE, before, NEW_PARTNERS, NOW - MINUTE)).toBe(NOW - HOUR);
    // Four of six reporters report again after the reset, which is too few.
    const late = { ...RULE, distinct: 6, maxShare: 0.34 };
    const early = before.slice(0, 4).map((each) => ({ ...each, at: NOW - 2 * MINUTE }));
    expect(rehearse(late, [...early, ...after.slice(2)], NEW_PARTNERS, NOW - MINUTE)).toBeNull();
    expect(rehearse(late, [...early, ...after.slice(2)], NEW_PARTNERS)).toBe(NOW);
  });
});
