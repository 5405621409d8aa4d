/** PASSporTs at a gateway: their effects on the decision and the response, and what they never affect. */
import { describe, expect, it } from 'vitest';
import type { PassportVerification } from '../../../shared/credentials/identity.ts';
import type { Passport } from '../../../shared/credentials/passport.ts';
import type { PassportRow } from '../../../shared/credentials/passport-table.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import { toGatewayResponse } from '../../../shared/screening/gateway-response.ts';
import { GATEWAY_FIELDS } from '../../../shared/screening/parse-gateway-request.ts';
import { parseRequest } from '../../../shared/screening/parse-request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { ClientSettings } from '../../../shared/screening/snapshot.ts';
import { clientSettings, NOW, snapshot } from '../support/screen-world.ts';

const FROM = '+14155550100';
const TO = '+821033334444';
const JWS = 'a.b.c';
const NOW_S = Math.floor(NOW / 1000);
const PASSPORT: Passport = {
  ...{ kind: 'shaken', x5u: 'https://certs.example/a.pem', issuedAt: NOW_S, caller: FROM.slice(1) },
  ...{ recipients: [TO.slice(1)], divertedFrom: null, level: 'A', hasMessageDigest: false },
};
const ROW: PassportRow = {
  ...{ x5u: 'a', key: { alg: 'ES256', bytes: new Uint8Array(64) }, notBefore: 0, notAfter: NOW_S + 1 },
  spans: [{ from: 12_000_000_000, to: 19_999_999_999 }],
};

const valid = (change: Partial<Passport> = {}): PassportVerification => {
  return { kind: 'verified', passport: { ...PASSPORT, ...change }, row: ROW };
};
const GARBAGE: PassportVerification = { kind: 'refused', detail: 'must be a compact JWS' };
const UNKNOWN: PassportVerification = { kind: 'unknownSigner', passport: PASSPORT, x5u: 'a' };

function parse(fields: object): ScreenRequest {
  const given = { channel: 'voice', from: FROM, to: TO, ...fields };
  // Round-trip through JSON, because a real request has no undefined fields.
  const parsed = parseRequest(JSON.parse(JSON.stringify(given)), GATEWAY_FIELDS, null);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

/** The response for a call with this result of its PASSporT; null for a call without one. */
function check(
  found: PassportVerification | null,
  settings: Partial<ClientSettings> = {},
  fields: object = {},
) {
  const request = parse(found === null ? fields : { identity: JWS, ...fields });
  const at = { ...snapshot(), passports: new Map(found === null ? [] : [[JWS, found] as const]) };
  const decision = screen(request, at, clientSettings(settings));
  return toGatewayResponse(request, decision, at);
}

it('a PASSporT of a kind that is not known is as none', () => {
  const ignored = { kind: 'ignored' } as const;
  expect(check(ignored)).toEqual(check(null));
  expect(check(ignored, { requireIdentity: 'enforce' })).toMatchObject({ sip: { status: 428 } });
});

describe('a PASSporT that vouches for a call', () => {
  it('makes its attestation evidence, whatever the gateway says', () => {
    expect(check(valid({ level: 'B' }), {}, { attestation: 'A' })).toMatchObject({
      attestation: { level: 'B', source: 'verified' },
      identity: { ppt: 'shaken', verified: true },
    });
  });

  it('changes no verdict', () => {
    const without = check(null);
    expect(check(valid())).toEqual({ ...without, ...EVIDENCE });
    expect(check(valid(), {}, { from: '+82212345678' })).toMatchObject({ verdict: 'block' });
  });

  const EVIDENCE = {
    attestation: { level: 'A', source: 'verified' },
    identity: { ppt: 'shaken', verified: true },
  };

  it('is the one fact of the policy', () => {
    const rule = {
      ...{ id: 'not-attested', when: { attestation: ['B', 'C', 'none'] as const }, effect: 'block' },
      ...{ code: 'SENDER_UNQUALIFIED', withholdCli: false },
    } as never;
    const policy = { version: 7, policy: { rules: [rule], label: 'x', redress: null } };
    const verdictOf = (found: PassportVerification | null, attestation: string) => {
      const request = parse(found === null ? { attestation } : { attestation, identity: JWS });
      const at = { ...snapshot(), policy, passports: new Map(found === null ? [] : [[JWS, found] as const]) };
      return screen(request, at, clientSettings({ requireIdentity: 'shadow' })).verdict;
    };
    expect(verdictOf(null, 'A')).toBe('allow');
    expect(verdictOf(valid(), 'C')).toBe('allow');
    expect(verdictOf(valid({ level: 'C' }), 'A')).toBe('block');
    // A claim cannot rest on an invalid PASSporT. A PASSporT that this service cannot verify may still be valid.
    expect(verdictOf(GARBAGE, 'A')).toBe('block');
    expect(verdictOf(UNKNOWN, 'A')).toBe('allow');
  });
});

it('an attestation that the gateway says is marked as claimed', () => {
  expect(check(null, {}, { attestation: 'A' })).toMatchObject({
    ...{ attestation: { level: 'A', source: 'claimed' }, identity: null },
  });
  expect(check(null)).toMatchObject({ attestation: null, identity: null });
  expect(check(UNKNOWN, {}, { attestation: 'A' })).toMatchObject({
    ...{ attestation: { level: 'A', source: 'claimed' }, identity: { verified: false } },
  });
});

describe('a PASSporT that is wrong', () => {
  it.each<[string, PassportVerification, number, string]>([
    ['TOKEN_INVALID', GARBAGE, 438, 'Invalid Identity Header'],
    ['TOKEN_INVALID', valid({ caller: '14155550199' }), 438, 'Invalid Identity Header'],
    ['TOKEN_AUDIENCE', valid({ recipients: [] }), 438, 'Invalid Identity Header'],
    ['TOKEN_EXPIRED', valid({ issuedAt: NOW_S - 61 }), 403, 'Stale Date'],
    [
      'CERTIFICATE_EXPIRED',
      { ...valid(), row: { ...ROW, notAfter: NOW_S } } as never,
      437,
      'Unsupported Credential',
    ],
    [
      'CERTIFICATE_NOT_YET_VALID',
      { ...valid(), row: { ...ROW, notBefore: NOW_S + 1 } } as never,
      437,
      'Unsupported Credential',
    ],
    [
      'CERTIFICATE_MISMATCH',
      { ...valid(), row: { ...ROW, spans: [] } } as never,
      437,
      'Unsupported Credential',
    ],
  ])('blocks with %s, and SIP says what is wrong', (code, found, status, reason) => {
    expect(check(found)).toMatchObject({
      ...{ verdict: 'block', subject: 'from', identity: { verified: false, code } },
      reasons: [
        { code, list: 'identity', effect: 'block', detail: expect.stringMatching(/^"identity" /) },
        {},
      ],
      sip: { status, reason, reasonHeader: `STIR;cause=${status};text="${reason}"` },
      attestation: null,
    });
  });

  it.each([
    ['label', 'label', 'label'],
    ['shadow', 'label', 'shadow'],
    ['enforce', 'block', 'block'],
  ] as const)('with requireIdentity %s is %s', (requireIdentity, verdict, effect) => {
    const { reasons, ...response } = check(GARBAGE, { requireIdentity });
    expect(response.verdict).toBe(verdict);
    expect(reasons).toContainEqual(expect.objectContaining({ code: 'TOKEN_INVALID', effect }));
  });

  it('never holds up an emergency call', () => {
    expect(check(GARBAGE, { requireIdentity: 'enforce' }, { to: '112' }).verdict).toBe('allow');
  });

  it('is softened by the mode of the client', () => {
    expect(check(GARBAGE, { mode: 'shadow' })).toMatchObject({
      verdict: 'allow',
      unenforced: 'block',
      sip: null,
    });
  });

  it('does not shift the SIP status of another reason', () => {
    const blocked = check(GARBAGE, { requireIdentity: 'label' }, { from: '+82212345678' });
    expect(blocked).toMatchObject({ verdict: 'block', sip: { status: 603 } });
  });
});

describe('a certificate that is not known here', () => {
  it.each([
    ['off', 'label', 'shadow', null],
    ['enforce', 'block', 'block', 436],
    ['label', 'label', 'label', null],
  ] as const)('with requireIdentity %s is %s', (requireIdentity, verdict, effect, status) => {
    const response = check(UNKNOWN, { requireIdentity });
    expect(response).toMatchObject({ verdict, identity: { ppt: 'shaken', verified: false } });
    expect(response.reasons).toContainEqual(
      expect.objectContaining({ code: 'CERTIFICATE_INVALID', list: 'identity', effect }),
    );
    expect(response.sip?.status ?? null).toBe(status);
  });
});

describe('a call without a PASSporT', () => {
  it.each([
    ['off', 'label', null],
    ['enforce', 'block', 428],
    ['shadow', 'label', null],
  ] as const)('with requireIdentity %s is %s', (requireIdentity, verdict, status) => {
    const response = check(null, { requireIdentity });
    expect(response.verdict).toBe(verdict);
    expect(response.reasons.some(({ code }) => code === 'TOKEN_MISSING')).toBe(requireIdentity !== 'off');
    expect(response.sip?.status ?? null).toBe(status);
  });

  it('needs none if it has no recipient: it is a check of a number alone', () => {
    expect(check(null, { requireIdentity: 'enforce' }, { to: undefined }).verdict).toBe('label');
  });
});

it('a text with the digest of its content is verified except for that digest', () => {
  const found = valid({ kind: 'msg', level: null, hasMessageDigest: true });
  expect(check(found, {}, { channel: 'sms' })).toMatchObject({
    ...{ attestation: null, identity: { ppt: 'msg', verified: true, msgi: 'unverified' } },
  });
});

it('vouches for one of the numbers that an ambiguous sender can mean', () => {
  const caller = '5112345678';
  const row = { ...ROW, spans: [{ from: 1, to: 999_999_999_999_999 }] };
  const found = { ...valid({ caller }), row } as PassportVerification;
  expect(check(found, {}, { from: caller }).identity).toMatchObject({ verified: true });
});

describe('parsing', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['one value', JWS, [JWS]],
    ['several', [JWS, 'd.e.f'], [JWS, 'd.e.f']],
    ['none', [], []],
    ['too many', Array(5).fill(JWS), ['']],
    ['too long ones', ['x'.repeat(8_193)], ['']],
  ])('takes %s', (_what, identity, expected) => {
    expect(parse({ identity }).ingress?.identity).toEqual(expected);
  });

  it.each([[7], [null], [{}], [[7]]])('refuses %j', (identity) => {
    const parsed = parseRequest({ from: FROM, identity }, GATEWAY_FIELDS, null);
    expect(parsed).toMatchObject({ ok: false, code: 'FIELD_TYPE', field: 'identity' });
  });
});
