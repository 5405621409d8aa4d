/** The settings of the guards: defaults, bounds, and fields that contradict each other. */
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { KR_OPERATOR_RANGES } from '../../../shared/numbers/operator-ranges.ts';
import { DEFAULT_GUARDS, guardSettingsSchema } from '../../../shared/release/guard-settings.ts';
import { validateJson } from '../../../shared/validate-json.ts';

describe('the settings', () => {
  it('have defaults and bounds', () => {
    expect(DEFAULT_GUARDS).toEqual({
      ...{ addShare: 0.2, removeShare: 0.2, protectedNumbers: [] },
      ...{ operationItems: 5_000, hourlyItems: 20_000, hourlyUnblocks: 5_000 },
      ...{ operatorShare: 0.001, operatorRanges: null },
    });
    const isValid = (settings: object): boolean => v.safeParse(guardSettingsSchema, settings).success;
    expect(isValid({ addShare: 0, removeShare: 1 })).toBe(true);
    expect(isValid({ addShare: -0.1 })).toBe(false);
    expect(isValid({ removeShare: 1.1 })).toBe(false);
    expect(isValid({ protectedNumbers: Array.from({ length: 1_000 }, (_, index) => index + 1) })).toBe(true);
    expect(isValid({ protectedNumbers: Array.from({ length: 1_001 }, (_, index) => index + 1) })).toBe(false);
    for (const n of [0, 1.5, -1, 10 ** 15]) expect(isValid({ protectedNumbers: [n] })).toBe(false);
    expect(isValid({ shares: 1 })).toBe(false);
  });

  it.each([
    [{ operationItems: 10, hourlyItems: 9, hourlyUnblocks: 5 }, 'hourlyItems'],
    [{ hourlyItems: 6_000, hourlyUnblocks: 6_001 }, 'hourlyUnblocks'],
    [{ operatorRanges: [{ operator: 'kt', from: 20, to: 19 }] }, 'operatorRanges'],
    [
      {
        operatorRanges: [
          { operator: 'kt', from: 10, to: 19 },
          { operator: 'lgu', from: 19, to: 30 },
        ],
      },
      'operatorRanges',
    ],
  ])('that contradict each other are rejected by name: %j', (given, field) => {
    expect(validateJson(guardSettingsSchema, given)).toMatchObject({ ok: false, path: [field] });
  });

  it('accept the known ranges of operators, which do not overlap', () => {
    const operatorRanges = KR_OPERATOR_RANGES.map((range) => ({ ...range }));
    expect(validateJson(guardSettingsSchema, { operatorRanges })).toMatchObject({ ok: true });
  });
});
