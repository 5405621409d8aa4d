/** The qualification of the client's organisation in a check: each state, the settings, and its end at a given time. */
import { describe, expect, test } from 'vitest';
import type { ScreenedOrganisation } from '../../../shared/clients.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import { UNKNOWN_INGRESS } from '../../../shared/screening/parse-gateway-request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { ClientSettings, Snapshot } from '../../../shared/screening/snapshot.ts';
import type { QualificationState } from '../../../shared/senders/qualification.ts';
import { clientSettings, NOW, number, on, snapshot } from '../support/screen-world.ts';

const FROM = number(821_588_123_456);
const NEVER = Number.POSITIVE_INFINITY;

function organisation(state: QualificationState, endsAt = NEVER): ScreenedOrganisation {
  const factor = state === 'rateReduced' ? 0.5 : null;
  return { senderCode: null, qualification: { state, factor, endsAt }, isSuspended: false };
}

function check(
  own: ScreenedOrganisation | null,
  some: Partial<ClientSettings> = {},
  request: Partial<ScreenRequest> = {},
  now = NOW,
) {
  const organisations = new Map(own === null ? [] : [['acme', own]]);
  const sent = {
    from: FROM,
    to: null,
    channel: 'sms',
    ingress: null,
    otherReadings: [],
    ...request,
  } as const;
  const at = { ...snapshot('whole', now), organisations };
  return screen(sent as ScreenRequest, at, clientSettings({ senderRules: 'none', ...some }));
}

const REASON = {
  ...{ subject: 'from', list: 'qualification', match: 'rule', authority: null, until: null },
  detail: 'see /v1/register/acme',
} as const;

describe('a check before sending', () => {
  test.each([
    ['certified', 'allow', null],
    ['suspended', 'block', 'SENDER_SUSPENDED'],
    ['cancelled', 'block', 'SENDER_UNQUALIFIED'],
    ['expired', 'block', 'SENDER_UNQUALIFIED'],
    ['pending', 'allow', null],
  ] as const)('of an organisation that is %s: %s', (state, verdict, code) => {
    const reasons = code === null ? [] : [{ ...REASON, code, effect: verdict }];
    expect(check(organisation(state))).toMatchObject({ verdict, reasons });
  });

  test('names the factor of a reduced rate', () => {
    expect(check(organisation('rateReduced'))).toEqual({
      ...{ verdict: 'label', subject: 'from' },
      reasons: [{ ...REASON, code: 'SENDER_RATE_REDUCED', effect: 'label', factor: 0.5 }],
    });
  });

  test('has no finding without a qualification, or with one of another organisation', () => {
    expect(check(null)).toEqual({ verdict: 'allow', subject: null, reasons: [] });
    expect(check(organisation('suspended'), { organisation: 'other' }).reasons).toEqual([]);
    expect(check({ senderCode: 'ACME0001', qualification: null, isSuspended: false }).reasons).toEqual([]);
  });

  test('without a sender concerns the organisation all the same', () => {
    const request = { from: null, to: number(821_012_345_678) };
    expect(check(organisation('suspended'), {}, request)).toMatchObject({
      ...{ verdict: 'block', subject: 'from', reasons: [{ ...REASON, code: 'SENDER_SUSPENDED' }] },
    });
    expect(check(null, { requireQualification: 'enforce' }, request).verdict).toBe('block');
    expect(check(organisation('certified'), {}, request).verdict).toBe('allow');
  });

  test('ends by itself at its time', () => {
    const ending = organisation('certified', NOW);
    expect(check(ending, {}, {}, NOW - 1).verdict).toBe('allow');
    expect(check(ending, {}, {}, NOW)).toMatchObject({
      ...{ verdict: 'block', reasons: [{ code: 'SENDER_UNQUALIFIED' }] },
    });
  });

  test('is softened by the mode of the client', () => {
    expect(check(organisation('suspended'), { mode: 'label' })).toMatchObject({
      ...{ verdict: 'label', unenforced: 'block' },
    });
    expect(check(organisation('suspended'), { mode: 'shadow' }).verdict).toBe('allow');
  });
});

describe('requireQualification', () => {
  test.each([
    ['off', 'allow', null],
    ['enforce', 'block', 'block'],
    ['label', 'label', 'label'],
    ['shadow', 'allow', 'shadow'],
  ] as const)(
    '%s: %s for an organisation that nobody has certified yet',
    (requireQualification, verdict, effect) => {
      for (const own of [null, organisation('pending')]) {
        const reasons = effect === null ? [] : [{ ...REASON, code: 'SENDER_UNQUALIFIED', effect }];
        expect(check(own, { requireQualification })).toMatchObject({ verdict, reasons });
      }
    },
  );

  test('softens no sanction', () => {
    for (const requireQualification of ['off', 'label', 'shadow'] as const)
      expect(check(organisation('cancelled'), { requireQualification }).verdict).toBe('block');
  });
});

describe('the chain of a message token', () => {
  const states: Record<string, QualificationState> = {
    holder: 'pending',
    reseller: 'suspended',
    relay: 'rateReduced',
  };
  const organisations = new Map(
    Object.entries(states).map(([id, state]) => [id, organisation(state)] as const),
  );
  const found = (
    chain: readonly string[],
    some: Partial<ClientSettings> = {},
    known: ReadonlyMap<string, ScreenedOrganisation> = organisations,
  ) => {
    const links = chain.map((id) => ({ organisation: id }));
    const tokens = new Map([['token', { kind: 'verified', token: { audience: 'other' }, links }]]);
    const request = { from: FROM, to: null, channel: 'sms', ingress: null, otherReadings: [] };
    const { reasons } = screen(
      { ...request, senderToken: 'token' } as unknown as ScreenRequest,
      { ...snapshot(), organisations: known, tokens: tokens as unknown as Snapshot['tokens'] },
      clientSettings({ senderRules: 'none', ...some }),
    );
    return reasons
      .filter(({ list }) => list === 'qualification')
      .map(({ code, detail }) => `${code} ${detail?.split('/').at(-1)}`);
  };

  test('has a finding for each organisation that may not send, or only less', () => {
    expect(found(['holder', 'reseller', 'relay'])).toEqual([
      ...['SENDER_SUSPENDED reseller', 'SENDER_RATE_REDUCED relay'],
    ]);
  });

  test('is blocked by an organisation that is suspended itself, whatever its qualification', () => {
    const suspended = new Map([['reseller', { ...organisation('certified'), isSuspended: true }]]);
    expect(found(['holder', 'reseller', 'relay'], {}, suspended)).toEqual([
      'SENDER_SUSPENDED suspended here: reseller',
    ]);
  });

  test("has one finding for the client's own organisation", () => {
    expect(found(['holder', 'reseller'], { organisation: 'reseller' })).toEqual([
      'SENDER_SUSPENDED reseller',
    ]);
  });

  test('must be certified if the client requires it, except the holder of the numbers', () => {
    const required = { requireQualification: 'enforce', organisation: 'relay' } as const;
    expect(found(['holder', 'unknown', 'relay'], required)).toEqual([
      ...['SENDER_UNQUALIFIED unknown', 'SENDER_RATE_REDUCED relay'],
    ]);
  });
});

test('an allow entry for the number does not lift a suspension, and an emergency number does', () => {
  const allowed = on('allowExact');
  expect(check(organisation('suspended'), {}, { from: allowed }).verdict).toBe('block');
  expect(check(organisation('suspended'), {}, { to: number(82_119) }).verdict).toBe('allow');
});

test('gateways do not have the finding', () => {
  const ingress = { ...UNKNOWN_INGRESS, type: 'international' } as const;
  const codes = check(organisation('suspended'), {}, { ingress }).reasons.map(({ code }) => code);
  expect(codes).not.toContain('SENDER_SUSPENDED');
});
