/** The effect of a text on a decision, compared with a plain model: each layer alone, and combined with numbers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScreenRequest } from '../../../shared/request.ts';
import { formatDecision } from '../../../shared/screening/check-response.ts';
import type { Decision } from '../../../shared/screening/decision.ts';
import { UNKNOWN_INGRESS } from '../../../shared/screening/parse-gateway-request.ts';
import { CHECK_FIELDS, parseRequest } from '../../../shared/screening/parse-request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { ScreenedText } from '../../../shared/screening/screened-text.ts';
import type { ClientSettings, Snapshot } from '../../../shared/screening/snapshot.ts';
import { TEST_TEXTS } from '../../../shared/test-texts.ts';
import { TEXT_BANDS } from '../../../shared/text/analyse-text.ts';
import { NO_TEXT, type PublishedText } from '../../../shared/text/published.ts';
import { EFFECTS, strength, type Verdict } from '../../../shared/verdict.ts';
import { holds } from '../support/properties.ts';
import { clientSettings, NOW, number, on, type Place, snapshot, source } from '../support/screen-world.ts';
import {
  CAMPAIGN,
  campaignOf,
  hostList,
  ORDINARY,
  publishedText,
  SUSPICIOUS,
} from '../support/text-world.ts';

const UNTIL = NOW / 1000 + 3_600;
const NOWHERE = number(821_099_998_888);

function check(
  text: string,
  published: PublishedText,
  some: { readonly request?: Partial<ScreenRequest>; readonly settings?: Partial<ClientSettings> } = {},
): Decision {
  const request = {
    from: on(),
    to: NOWHERE,
    channel: 'sms',
    ingress: null,
    otherReadings: [],
    text,
  } as const;
  const at = { ...snapshot(), text: published };
  return screen({ ...request, ...some.request }, at, clientSettings(some.settings));
}

const codes = ({ verdict, reasons }: Decision): string =>
  [verdict, ...reasons.map(({ code, effect }) => `${code}/${effect}`)].join(' ');

describe('a text', () => {
  const full = publishedText({
    suspicious: [SUSPICIOUS],
    hosts: {
      phishing: ['block', 'bad.example'],
      doubtful: ['label', 'odd.example'],
      watched: ['shadow', 'new.example'],
      banks: ['allow', 'bank.example'],
    },
    campaigns: [
      campaignOf(17, CAMPAIGN, UNTIL, { rule: 'kr-50@3', stage: 'provisional', authority: 'numgate' }),
    ],
  });

  test.each([
    ['without anything', ORDINARY, 'allow'],
    ['with a listed host', `${ORDINARY} https://bad.example/x`, 'block TEXT_HOST_LISTED/block'],
    ['with a host below a listed one', `${ORDINARY} a.b.BAD.example`, 'block TEXT_HOST_LISTED/block'],
    ['with two hosts of one list', 'bad.example www.bad.example', 'block TEXT_HOST_LISTED/block'],
    ['with a host of a list that labels', 'odd.example/1', 'label TEXT_HOST_LISTED/label'],
    ['with a host of a shadow list', 'new.example/1', 'allow TEXT_HOST_LISTED/shadow'],
    ['with an allowed host', 'https://bank.example/1', 'allow'],
    ['of a campaign', CAMPAIGN, 'block TEXT_CAMPAIGN/block'],
    ['of a campaign whose only host is allowed', `${CAMPAIGN} https://bank.example/1`, 'allow'],
    [
      'of a campaign with an allowed host and another one',
      `${CAMPAIGN} https://bank.example/1 other.kr`,
      'block TEXT_CAMPAIGN/block',
    ],
    ['that is suspicious', SUSPICIOUS, 'allow TEXT_SUSPICIOUS/shadow'],
  ])('%s', (_, text, expected) => {
    expect(codes(check(text, full))).toBe(expected);
  });

  test('that is suspicious is a label where the client wants one, and never more', () => {
    const settings = { onSuspiciousText: 'label' } as const;
    const decision = check(SUSPICIOUS, full, { settings });
    expect(codes(decision)).toBe('label TEXT_SUSPICIOUS/label');
    expect(decision.reasons).toEqual([
      {
        ...{ subject: 'from', code: 'TEXT_SUSPICIOUS', list: 'kr-test', match: 'model', effect: 'label' },
        ...{ authority: null, until: null },
      },
    ]);
    expect(decision.text).toMatchObject({ band: 'suspicious', model: 'kr-test', release: full.release });
    expect(check(SUSPICIOUS, full, { settings: { ...settings, mode: 'shadow' } })).toMatchObject({
      ...{ verdict: 'allow', unenforced: 'label' },
    });
  });

  test('of a campaign names it, its authority, rule, end, and how to appeal', () => {
    const at = { ...snapshot(), text: full };
    const request = { from: on(), to: null, channel: 'sms', ingress: null, otherReadings: [] } as const;
    const sent = { ...request, text: CAMPAIGN };
    const answer = formatDecision(sent, screen(sent, at, clientSettings()), at);
    expect(answer.reasons).toEqual([
      {
        ...{ subject: 'from', code: 'TEXT_CAMPAIGN', list: 'c-17', match: 'campaign', effect: 'block' },
        ...{ authority: 'numgate', until: new Date(UNTIL * 1000).toISOString() },
        ...{ rule: 'kr-50@3', stage: 'provisional', appeal: expect.stringMatching(/^[\w-]{43,}$/) },
      },
    ]);
    expect(answer.text).toEqual({
      ...{ score: expect.any(Number), band: 'ordinary', reasons: [], campaign: 'c-17', model: 'kr-test' },
    });
  });

  test('concerns the recipient if the request has no sender', () => {
    const [reason] = check(CAMPAIGN, full, { request: { from: null } }).reasons;
    expect(reason).toMatchObject({ subject: 'to', code: 'TEXT_CAMPAIGN' });
  });

  test('is the same in each reading of an ambiguous number', () => {
    const settings = clientSettings();
    const given = parseRequest({ to: '00994123123456', text: CAMPAIGN }, CHECK_FIELDS, null);
    if (!given.ok) throw new Error(given.message);
    expect(given.value.otherReadings).toHaveLength(1);
    const decision = screen(given.value, { ...snapshot(), text: full }, settings);
    expect(codes(decision)).toBe('block TEXT_CAMPAIGN/block');
  });

  test('stops no emergency call', () => {
    const to = { kind: 'shortCode', code: '119' } as const;
    expect(check(CAMPAIGN, full, { request: { to } }).verdict).toBe('allow');
  });

  test('is not excused by an allow entry for the sender', () => {
    expect(codes(check(CAMPAIGN, full, { request: { from: on('allowExact') } }))).toBe(
      'block TEXT_CAMPAIGN/block ALLOW_OVERRIDE/allow',
    );
  });

  test('without any release is what the numbers say, with an empty answer', () => {
    expect(check(CAMPAIGN, NO_TEXT)).toEqual({
      ...{ verdict: 'allow', subject: null, reasons: [] },
      text: {
        ...{ score: null, band: null, reasons: [], hosts: [], onlyAllowedHosts: false, campaign: null },
        ...{ model: null, release: null, isTest: false },
      },
    });
  });

  test('without TEXT_KEY belongs to no campaign', () => {
    expect(check(CAMPAIGN, { ...full, key: null }).verdict).toBe('allow');
  });

  test('that was looked up before the campaign ended no longer blocks', () => {
    const found = check(CAMPAIGN, full).text!;
    const at = { ...snapshot(), now: UNTIL * 1000, texts: new Map([[CAMPAIGN, found]]) };
    const request = { from: null, to: NOWHERE, channel: 'sms', ingress: null, otherReadings: [] } as const;
    expect(
      screen({ ...request, text: CAMPAIGN }, at, clientSettings({ maxStaleSeconds: 86_400 })).verdict,
    ).toBe('allow');
  });
});

describe('a test text', () => {
  test.each([
    ['test:ordinary', 'allow', 'ordinary'],
    ['test:review', 'allow', 'review'],
    ['test:TEXT_SUSPICIOUS', 'label TEXT_SUSPICIOUS/label', 'suspicious'],
    ['test:TEXT_HOST_LISTED', 'block TEXT_HOST_LISTED/block', 'ordinary'],
    ['test:TEXT_CAMPAIGN', 'block TEXT_CAMPAIGN/block', 'ordinary'],
  ])('%s has its result without any release', (text, expected, band) => {
    const decision = check(text, NO_TEXT, { settings: { onSuspiciousText: 'label' } });
    expect(codes(decision)).toBe(expected);
    expect(decision.text).toMatchObject({ band, isTest: true, model: 'test' });
    for (const reason of decision.reasons) expect(reason.match).toBe('test');
  });

  test('counts only as a whole', () => {
    expect(TEST_TEXTS).toHaveLength(5);
    for (const text of TEST_TEXTS.flatMap((each) => [`${each} `, each.slice(0, -1), each.toUpperCase()]))
      expect(check(text, NO_TEXT).text!.isTest).toBe(false);
  });
});

describe('any combination of a text and numbers', () => {
  const NUMBERS: readonly (readonly Place[])[] = [
    [],
    ['allowExact'],
    ['blockExact'],
    ['labelRange'],
    ['shadowExact'],
  ];
  const hostEffects = fc.uniqueArray(fc.constantFrom(...EFFECTS), { maxLength: 3 });
  const combination = fc.record({
    places: fc.constantFrom(...NUMBERS),
    sender: fc.constantFrom('listed', 'named', 'none'),
    effects: hostEffects,
    unlisted: fc.boolean(),
    campaign: fc.constantFrom('none', 'ended', 'confirmed'),
    band: fc.constantFrom(null, ...TEXT_BANDS),
    onSuspiciousText: fc.constantFrom('label', 'shadow'),
    mode: fc.constantFrom('enforce', 'label', 'shadow'),
    gateway: fc.boolean(),
    isEmergency: fc.boolean(),
    ageSeconds: fc.constantFrom(0, 7_200),
  });

  function textOf(some: {
    effects: readonly (typeof EFFECTS)[number][];
    unlisted: boolean;
    campaign: string;
    band: ScreenedText['band'];
  }): ScreenedText {
    const hosts = some.effects.map((effect) => hostList(`list-${effect}`, effect, 1));
    const until = some.campaign === 'ended' ? NOW / 1000 : UNTIL;
    return {
      ...{ score: some.band === null ? null : 0.5, band: some.band, reasons: [], hosts },
      onlyAllowedHosts: hosts.length > 0 && !some.unlisted && some.effects.every((each) => each === 'allow'),
      campaign: some.campaign === 'none' ? null : { id: 3, until, authority: 'kisa' },
      ...{ model: some.band === null ? null : 'kr-test', release: 'text', isTest: false },
    };
  }

  /** The strongest verdict that the layers of a text can give. */
  function verdictOfText(text: ScreenedText, onSuspiciousText: string): Verdict {
    const found: Verdict[] = text.hosts.flatMap(({ effect }) => (effect === 'shadow' ? [] : [effect]));
    if (text.campaign !== null && text.campaign.until * 1000 > NOW && !text.onlyAllowedHosts)
      found.push('block');
    if (text.band === 'suspicious' && onSuspiciousText === 'label') found.push('label');
    return found.reduce<Verdict>((a, b) => (strength(b) > strength(a) ? b : a), 'allow');
  }

  test('is the stronger of both: a score alone never blocks, and no text excuses a number', () => {
    holds(
      fc.property(combination, (some) => {
        const { places, sender, onSuspiciousText, mode, gateway, isEmergency, ageSeconds } = some;
        const settings = clientSettings({ onSuspiciousText, mode, maxStaleSeconds: 3_600 });
        const from = sender === 'listed' ? on(...places) : sender === 'named' ? source('ACME') : null;
        const request: ScreenRequest = {
          from: from ?? (gateway ? { kind: 'withheld' } : null),
          to: isEmergency ? { kind: 'shortCode', code: '119' } : sender === 'none' ? on(...places) : NOWHERE,
          ...{ channel: 'sms', ingress: gateway ? UNKNOWN_INGRESS : null, otherReadings: [] },
        };
        const found = textOf(some);
        const at: Snapshot = { ...snapshot('whole', NOW, ageSeconds), texts: new Map([['t', found]]) };
        const without = screen(request, at, { ...settings, mode: 'enforce' });
        const decision = screen({ ...request, text: 't' }, at, settings);
        const ofText = verdictOfText(found, onSuspiciousText);
        const both = strength(ofText) > strength(without.verdict) ? ofText : without.verdict;
        expect(decision.unenforced ?? decision.verdict).toBe(isEmergency ? 'allow' : both);
        expect(decision.text).toBe(found);
        const own = decision.reasons.filter(({ code }) => code.startsWith('TEXT_'));
        for (const { subject, code, effect } of own) {
          expect(subject).toBe(request.from === null ? 'to' : 'from');
          if (code === 'TEXT_SUSPICIOUS') expect(effect).toBe(onSuspiciousText);
        }
        const expected = some.effects.filter((effect) => effect !== 'allow').length;
        expect(own.filter(({ code }) => code === 'TEXT_HOST_LISTED')).toHaveLength(expected);
        if (own.every(({ code }) => code === 'TEXT_SUSPICIOUS') && without.verdict !== 'block')
          expect(decision.verdict).not.toBe('block');
        // The reasons of the numbers are still present.
        expect(decision.reasons.length - own.length).toBe(without.reasons.length);
      }),
      { numRuns: 500 },
    );
  });
});
