/** Texts with several readings, and Korea's sender rules, as decisions. */
import { describe, expect, it } from 'vitest';
import { numberKey } from '../../../shared/live/entry.ts';
import type { InternationalPrefix } from '../../../shared/numbers/parse.ts';
import { type CheckResponse, formatDecision } from '../../../shared/screening/check-response.ts';
import { GATEWAY_FIELDS } from '../../../shared/screening/parse-gateway-request.ts';
import { CHECK_FIELDS, parseRequest } from '../../../shared/screening/parse-request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { ClientSettings, Snapshot } from '../../../shared/screening/snapshot.ts';
import { EMPTY } from '../support/gateway-check.ts';
import { liveEntry } from '../support/live.ts';
import { clientSettings, withLive } from '../support/screen-world.ts';

/** A snapshot without listed numbers. */
const FRESH = EMPTY;
/** Either 00 + Azerbaijan, or carrier prefix 009 + Sri Lanka. */
const AMBIGUOUS = '00994123123456';
const AZERBAIJAN = 994_123_123_456;
const SRI_LANKA = 94_123_123_456;

const blocking = (...numbers: number[]): Snapshot =>
  withLive(FRESH, ...numbers.map((n) => liveEntry(numberKey(n))));

interface CheckOptions {
  readonly at?: Snapshot;
  readonly settings?: Partial<ClientSettings>;
  readonly internationalPrefix?: InternationalPrefix | null;
  readonly gateway?: boolean;
}

function check(
  fields: object,
  { at = FRESH, settings, internationalPrefix = null, gateway = false }: CheckOptions = {},
): CheckResponse {
  const kind = gateway ? GATEWAY_FIELDS : CHECK_FIELDS;
  const parsed = parseRequest(fields, kind, internationalPrefix);
  if (!parsed.ok) throw new Error(parsed.message);
  return formatDecision(parsed.value, screen(parsed.value, at, clientSettings(settings)), at);
}
const summarize = ({ verdict, action, reasons }: CheckResponse): string =>
  [verdict, ...(action === undefined ? [] : [action]), ...reasons.map(({ code }) => code)].join(' ');

describe('a recipient with two readings', () => {
  it('gets the verdict that both readings share, and lists both numbers', () => {
    const answer = check({ to: AMBIGUOUS });
    expect(summarize(answer)).toBe('allow');
    expect(answer.readings).toEqual({ to: [`+${AZERBAIJAN}`, `+${SRI_LANKA}`] });
    expect(summarize(check({ to: AMBIGUOUS }, { at: blocking(AZERBAIJAN, SRI_LANKA) }))).toMatch(/^block /);
  });

  it.each([
    [AZERBAIJAN, 'open'],
    [AZERBAIJAN, 'closed'],
    [SRI_LANKA, 'open'],
    [SRI_LANKA, 'closed'],
  ] as const)('is not open while %s is blocked, with fail policy %s', (n, failPolicy) => {
    const answer = check({ to: AMBIGUOUS }, { at: blocking(n), settings: { failPolicy } });
    expect(summarize(answer)).toMatch(/^indeterminate closed NUMBER_AMBIGUOUS /);
    expect(answer.to).toBeNull();
    expect(answer.reasons[0]).toMatchObject({ subject: 'to', effect: 'indeterminate' });
    expect(answer.reasons[0]!.detail).toContain('with +');
  });

  it("is resolved by the client's international prefix", () => {
    const at = blocking(SRI_LANKA);
    expect(summarize(check({ to: AMBIGUOUS }, { at, internationalPrefix: '00' }))).toBe('allow');
    expect(summarize(check({ to: AMBIGUOUS }, { at, internationalPrefix: 'kr' }))).toMatch(/^block /);
    expect(check({ to: AMBIGUOUS }, { at, internationalPrefix: '00' }).readings).toBeUndefined();
  });

  it('is resolved by a plus sign', () => {
    const at = blocking(SRI_LANKA);
    expect(summarize(check({ to: `+${AZERBAIJAN}` }, { at }))).toBe('allow');
    expect(summarize(check({ to: `+${SRI_LANKA}` }, { at }))).toMatch(/^block /);
  });

  it("follows the client's mode", () => {
    const at = blocking(SRI_LANKA);
    const shadow = check({ to: AMBIGUOUS }, { at, settings: { mode: 'shadow' } });
    expect([shadow.verdict, shadow.unenforced, shadow.to]).toEqual(['allow', 'block', `+${SRI_LANKA}`]);
    const label = check({ to: AMBIGUOUS }, { at, settings: { mode: 'label', failPolicy: 'open' } });
    expect([label.verdict, label.action]).toEqual(['indeterminate', 'open']);
  });

  it('is an emergency call if one of the numbers is', () => {
    // Either the Cook Islands, or carrier prefix 006 and +82-31-112.
    const at = blocking(682_31112);
    expect(summarize(check({ to: '0068231112' }, { at }))).toBe('allow EMERGENCY_NEVER_BLOCKED');
    const gateway = check(
      { channel: 'voice', from: '+12125551234', to: '0068231112' },
      { at, gateway: true },
    );
    expect(gateway.verdict).toBe('allow');
  });

  it('stays blocked when the other party is blocked', () => {
    const at = blocking(82_10_2000_5036);
    const answer = check({ from: '010-2000-5036', to: AMBIGUOUS }, { at });
    expect(summarize(answer)).toMatch(/^block /);
    expect(answer.readings?.to).toHaveLength(2);
  });
});

describe('a sender with two readings at a gateway', () => {
  it('gets the strongest verdict, and the number of that verdict', () => {
    const answer = check({ channel: 'voice', from: AMBIGUOUS }, { at: blocking(SRI_LANKA), gateway: true });
    expect(summarize(answer)).toMatch(/^block /);
    expect(answer.from).toBe(`+${SRI_LANKA}`);
    expect(answer.readings).toEqual({ from: [`+${AZERBAIJAN}`, `+${SRI_LANKA}`] });
  });
});

describe('the sender of a domestic text', () => {
  it.each([
    ['2123-4567', 'area-code-required'],
    ['ACME', 'alphanumeric-sender'],
    ['+12125551234', 'foreign-number'],
    ['02-120', 'digits-8-to-11'],
    ['050-1234-5678', 'personal-050'],
  ])('may not be %s: %s', (from, rule) => {
    const answer = check({ from, to: '010-2000-5036' });
    expect(answer.verdict).toBe('block');
    expect(answer.reasons[0]).toMatchObject({ subject: 'from', code: 'SENDER_FORMAT_RULE', list: rule });
    expect(summarize(check({ from }))).toMatch(/^block SENDER_FORMAT_RULE/);
  });

  it.each(['010-2000-5036 (대표)', '+82 2 2123 4567', '1588-1234'])('may be %s', (from) => {
    expect(summarize(check({ from, to: '010-2000-5036' }))).toBe('allow');
  });

  it.each([
    [
      'a client without these rules',
      { from: 'ACME', to: '010-2000-5036' },
      { settings: { senderRules: 'none' } },
    ],
    ['a recipient abroad', { from: 'ACME', to: '+12125551234' }, {}],
    ['a call', { from: '+12125551234', to: '010-2000-5036', channel: 'voice' }, {}],
    [
      'a gateway',
      { from: 'ACME', to: '010-2000-5036', channel: 'sms', ingress: { type: 'domestic' } },
      { gateway: true },
    ],
  ] as const)('follows no rule for %s', (_name, fields, options) => {
    expect(summarize(check(fields, options))).toBe('allow');
  });
});

describe('a local number', () => {
  it('is not a valid recipient, and is never read as a Seoul number', () => {
    const answer = check({ to: '2123-4567' }, { at: blocking(82_2_2123_4567, 82_2_123_4567) });
    expect(summarize(answer)).toBe('block NUMBER_FORMAT_INVALID');
    expect(answer.to).toBe('21234567');
  });
});
