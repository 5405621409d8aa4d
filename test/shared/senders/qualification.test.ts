/** Qualifications: their moves compared with a plain model, their end at a given time, and the register. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  moveQualification,
  putQualificationSchema,
  QUALIFICATION_MOVES,
  QUALIFICATION_STATES,
  type Qualification,
  type QualificationSettings,
  type QualificationState,
  qualificationInfo,
  qualificationState,
} from '../../../shared/senders/qualification.ts';
import { findRegistered, qualificationStatuses, registerEntry } from '../../../shared/senders/register.ts';
import { validateJson } from '../../../shared/validate-json.ts';

const NOW = Date.parse('2026-11-26T00:00:00Z');
const LATER = '2027-11-26T00:00:00.000Z';

function settings(
  state: QualificationState,
  some: Partial<QualificationSettings> = {},
): QualificationSettings {
  const factor = state === 'rateReduced' ? 0.5 : null;
  return { state, factor, inspectedAt: null, nextInspectionBy: null, validUntil: null, ...some };
}

function stored(state: QualificationState, some: Partial<Qualification> = {}): Qualification {
  return { ...settings(state), organisation: 'acme', since: '2026-01-01T00:00:00.000Z', index: 3, ...some };
}

function move(before: Qualification | null, wanted: QualificationSettings, now = NOW) {
  return moveQualification('acme', before, wanted, 7, now);
}

describe('a move', () => {
  /** An organisation that may send can be sanctioned. All others must be certified first. A cancellation ends everything. */
  const model = (from: QualificationState | 'none', to: QualificationState): boolean => {
    if (from === to) return true;
    if (from === 'cancelled') return to === 'pending';
    const isIn = (...states: (QualificationState | 'none')[]): boolean => states.includes(from);
    switch (to) {
      case 'pending':
        return isIn('none', 'expired');
      case 'certified':
      case 'rateReduced':
        return true;
      case 'suspended':
        return isIn('certified', 'rateReduced', 'expired');
      case 'expired':
        return isIn('certified', 'rateReduced', 'suspended');
      case 'cancelled':
        return from !== 'none';
    }
  };
  const states = [...QUALIFICATION_STATES, 'none'] as const;

  test.each(states.flatMap((from) => QUALIFICATION_STATES.map((to) => [from, to] as const)))(
    'from %s to %s is as the model has it',
    (from, to) => {
      const done = move(from === 'none' ? null : stored(from), settings(to));
      expect(done.ok).toBe(model(from, to));
      if (done.ok) return;
      expect(done).toMatchObject({ code: 'QUALIFICATION_STATE', from });
      expect(done.message).toContain(QUALIFICATION_MOVES[from].join(', '));
    },
  );

  test('keeps the place in the status list, and the time of a state that stays', () => {
    const dates = { nextInspectionBy: LATER };
    expect(move(stored('certified'), settings('certified', dates))).toEqual({
      ok: true,
      value: stored('certified', dates),
    });
    expect(move(stored('certified'), settings('suspended'))).toMatchObject({
      value: { index: 3, since: '2026-11-26T00:00:00.000Z' },
    });
    expect(move(null, settings('certified'))).toMatchObject({ value: { index: 7 } });
  });

  test('begins at the state of now: what ended by itself is expired', () => {
    const ended = stored('certified', { validUntil: '2026-11-25T00:00:00.000Z' });
    expect(move(ended, settings('pending')).ok).toBe(true);
    expect(move(stored('certified'), settings('pending')).ok).toBe(false);
    expect(move(ended, settings('expired'))).toMatchObject({ value: { since: ended.validUntil } });
    expect(move(ended, settings('certified', { validUntil: LATER }))).toMatchObject({
      value: { since: '2026-11-26T00:00:00.000Z' },
    });
  });

  test.each([
    ['inspectedAt', { inspectedAt: '2026-11-27T00:00:00Z' }],
    ['validUntil', { validUntil: '2026-11-26T00:00:00Z' }],
  ] as const)('with %s at the wrong time is refused by its field', (field, wrong) => {
    expect(move(null, settings('certified', wrong))).toMatchObject({ code: 'FIELD_VALUE', field });
  });

  test('any sequence of moves gives a state that the schema accepts, and one place', () => {
    const steps = fc.array(fc.constantFrom(...QUALIFICATION_STATES), { maxLength: 12 });
    fc.assert(
      fc.property(steps, (wanted) => {
        let current: Qualification | null = null;
        for (const state of wanted) {
          const done = move(current, settings(state));
          if (done.ok) current = done.value;
        }
        if (current === null) return;
        const { organisation: _, since: _since, index, ...rest } = current;
        expect(index).toBe(7);
        expect(validateJson(putQualificationSchema, { ...rest, reason: 'test' }).ok).toBe(true);
      }),
    );
  });
});

describe('a request', () => {
  test.each([
    ['factor', { state: 'rateReduced' }],
    ['factor', { state: 'rateReduced', factor: 1 }],
    ['factor', { state: 'rateReduced', factor: 0 }],
    ['factor', { state: 'certified', factor: 0.5 }],
    ['validUntil', { state: 'cancelled', validUntil: LATER }],
    ['nextInspectionBy', { state: 'certified', inspectedAt: LATER, nextInspectionBy: LATER }],
    ['inspectedAt', { state: 'certified', inspectedAt: 'yesterday' }],
    ['state', { state: 'good' }],
    ['grade', { state: 'certified', grade: 'A' }],
  ])('with a wrong %s names it: %j', (field, body) => {
    expect(validateJson(putQualificationSchema, { ...body, reason: 'test' })).toMatchObject({
      ...{ ok: false, path: [field] },
    });
  });
});

test.each([
  ['certified', 'expired'],
  ['rateReduced', 'expired'],
  ['suspended', 'expired'],
] as const)('%s ends at its time, without a change', (state, after) => {
  const qualification = stored(state, { validUntil: '2026-11-26T00:00:00.000Z' });
  expect(qualificationState(qualification, NOW - 1)).toBe(state);
  expect(qualificationState(qualification, NOW)).toBe(after);
  expect(qualificationInfo(qualification, NOW)).toMatchObject({
    ...{ state: 'expired', since: '2026-11-26T00:00:00.000Z' },
  });
});

describe('the register', () => {
  const entry = (organisation: string, name: string, senderCode: string | null, index: number) => ({
    ...stored('certified', { organisation, index }),
    ...{ name, senderCode },
  });
  const data = {
    size: 5,
    organisations: [
      entry('acme', '(주)에이컴', 'ACME0001', 0),
      { ...entry('beta', 'Beta Relay', null, 2), ...settings('rateReduced') },
      { ...entry('beta-2', 'beta  RELAY', null, 3), ...settings('suspended') },
      { ...entry('gamma', 'beta', null, 4), validUntil: '2026-11-26T00:00:00.000Z' },
    ],
  };
  const codes = [
    entry('delta', 'Delta', 'GAMMA', 5),
    entry('2026', 'Year', null, 6),
    entry('epsilon', 'Epsilon', '2026', 7),
  ];
  const found = (text: string): string[] => {
    const organisations = [...data.organisations, ...codes];
    return findRegistered({ ...data, organisations }, text).map(({ organisation }) => organisation);
  };

  test.each([
    ['acme', ['acme']],
    ['ACME0001', ['acme']],
    ['acme0001', ['acme']],
    ['㈜ 에이컴', ['acme']],
    ['BETA RELAY', ['beta', 'beta-2']],
    // An ID comes before a name, and before the sender code of another organisation.
    ['beta', ['beta']],
    ['gamma', ['gamma']],
    ['GAMMA', ['delta']],
    ['2026', ['2026', 'epsilon']],
    ['acm', []],
    ['ACME000', []],
    ['', []],
  ])('finds %j exactly', (text, ids) => {
    expect(found(text)).toEqual(ids);
  });

  test('shows the state of now, and nothing else than what is public', () => {
    expect(registerEntry(data.organisations[3]!, NOW)).toEqual({
      ...{ id: 'gamma', name: 'beta', senderCode: null, state: 'expired', factor: null },
      ...{ inspectedAt: null, nextInspectionBy: null },
      ...{ since: '2026-11-26T00:00:00.000Z', validUntil: '2026-11-26T00:00:00.000Z' },
    });
  });

  test('has a status for each place: those that nobody has are revoked, also beyond the last', () => {
    const statuses = qualificationStatuses(data, NOW);
    expect([0, 1, 2, 3, 4, 5].map((index) => statuses.get(index))).toEqual([
      ...['valid', 'revoked', 'rateReduced', 'suspended', 'revoked', 'revoked'],
    ]);
    expect(statuses.size).toBe(256);
    expect(statuses.get(255)).toBe('revoked');
    expect(qualificationStatuses({ size: 257, organisations: [] }, NOW).size).toBe(512);
  });
});
