/** Registered senders in a check: which senders must be registered, what a registration means, and whose opt-out it lifts. */
import { describe, expect, it } from 'vitest';
import type { RegisteredPair } from '../../../shared/build/pairs.ts';
import { PairEntries } from '../../../shared/build/pairs.ts';
import { buildRelease } from '../../../shared/build/release.ts';
import { PublishedCredentials } from '../../../shared/credentials/published.ts';
import { numberKey } from '../../../shared/live/entry.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import type { Party } from '../../../shared/numbers/party.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { ClientSettings, Snapshot } from '../../../shared/screening/snapshot.ts';
import { RegistrationOverlay } from '../../../shared/senders/registration-overlay.ts';
import {
  encodeRegistrationSegment,
  type RegistrationOp,
  RegistrationSegment,
} from '../../../shared/senders/registration-segment.ts';
import { TEST_NUMBERS } from '../../../shared/test-numbers.ts';
import { NO_TEXT } from '../../../shared/text/published.ts';
import { install, OPTIONS } from '../support/built-release.ts';
import { layerOf, liveEntry } from '../support/live.ts';
import { EVER, listSource, plainList } from '../support/plain-model.ts';
import { clientSettings, NOW, number, shortCode, source } from '../support/screen-world.ts';
import { testKeys } from '../support/test-keys.ts';

const REGISTERED = 8_215_881_234;
const OWN = 821_020_005_036;
const OTHER = 8_215_889_999;
/** Opted out and registered as own; opted out and registered; only opted out. */
const OPTED = {
  own: 821_033_330_001,
  registered: 821_033_330_002,
  none: 821_033_330_003,
  ranged: 8_216_001_234,
};
const SUSPENDED = 821_044_440_001;
const CLIENT = 'acme/main';
const VERSION = 10;

const PAIRS: readonly RegisteredPair[] = [
  { client: CLIENT, from: REGISTERED, to: REGISTERED, own: false },
  { client: CLIENT, from: OWN, to: OWN, own: true },
  { client: CLIENT, from: OPTED.own, to: OPTED.own, own: true },
  { client: CLIENT, from: OPTED.registered, to: OPTED.registered, own: false },
  { client: CLIENT, from: OPTED.ranged - 1_234, to: OPTED.ranged - 1_234 + 9_999, own: true },
  { client: CLIENT, from: SUSPENDED, to: SUSPENDED, own: true },
  { client: 'acme/other', from: OTHER, to: OTHER, own: false },
  // Enough for sections of pairs.
  ...Array.from({ length: 200 }, (_, index) => ({
    ...{ client: 'beta/main', from: 821_055_550_000 + index, to: 821_055_550_000 + index, own: false },
  })),
];

const optOuts = plainList('kr-identity-opt-out', {
  numbers: [OPTED.own, OPTED.registered, OPTED.none, SUSPENDED].map((n) => ({ n, ...EVER })),
  ranges: [{ from: OPTED.ranged, to: OPTED.ranged, ...EVER }],
});
const suspended = plainList('kr-suspended', { numbers: [{ n: SUSPENDED, ...EVER }] });
const entries = new PairEntries();
for (const pair of PAIRS) entries.add(pair);
const lists = [
  {
    ...optOuts,
    info: { ...optOuts.info, reason: 'SENDER_IDENTITY_OPTOUT' as const, subjects: ['from' as const] },
  },
  suspended,
].map((list) => listSource(list, testKeys));
const made = await buildRelease(lists, testKeys, {
  ...OPTIONS,
  registrations: { version: VERSION, content: entries.finish(testKeys) },
});
if (!made.ok) throw new Error(made.message);
const built = made.value;
const release = await install(built);
const { table } = built.manifest.registrations!;

function overlay(droppedVersion: number, ...changes: readonly [number, RegistrationOp, number][]) {
  const rows = changes.map(([n, op, version]) => ({ client: CLIENT, from: n, to: n, op, version }));
  return new RegistrationOverlay(
    droppedVersion,
    [],
    new RegistrationSegment(encodeRegistrationSegment(rows)),
  );
}

const SNAPSHOT: Snapshot = {
  release,
  live: LiveLayer.EMPTY,
  registrations: RegistrationOverlay.EMPTY,
  organisations: new Map(),
  credentials: PublishedCredentials.NONE,
  tokens: new Map(),
  passports: new Map(),
  ...{ text: NO_TEXT, texts: new Map() },
  policy: STANDARD_POLICY,
  keys: testKeys,
  ...{ seq: 1, asOf: NOW, now: NOW },
};

const enforced = clientSettings({ requireRegistration: 'enforce', senderRules: 'none' });
const off = clientSettings({ senderRules: 'none' });

function check(
  from: Party | null,
  settings: ClientSettings = enforced,
  some: Partial<Snapshot> = {},
  to: Party | null = null,
) {
  const request: ScreenRequest = { from, to, channel: 'sms', ingress: null, otherReadings: [] };
  const { verdict, reasons, ...rest } = screen(request, { ...SNAPSHOT, ...some }, settings);
  return { verdict, codes: reasons.map(({ code, effect }) => `${code} ${effect}`), reasons, ...rest };
}

describe('a client that requires registration', () => {
  it('passes numbers that are registered for it, and blocks all others by the rule "registration"', () => {
    for (const n of [REGISTERED, OWN])
      expect(check(number(n))).toMatchObject({ verdict: 'allow', reasons: [] });
    for (const n of [OTHER, 821_055_550_001, 12_125_550_123]) {
      expect(check(number(n))).toMatchObject({
        verdict: 'block',
        reasons: [
          {
            ...{ subject: 'from', code: 'SENDER_NOT_REGISTERED', list: 'registration', match: 'rule' },
            ...{ effect: 'block', authority: null, until: null },
          },
        ],
      });
    }
  });

  it('is not mistaken for another one that sends in turns with it, also with the same ID', () => {
    const others = [
      { ...enforced, organisation: 'another' },
      { ...enforced, id: 'another' },
      { ...enforced },
    ];
    const verdicts = [...others, enforced, ...others].map(
      (client) => check(number(REGISTERED), client).verdict,
    );
    expect(verdicts).toEqual(['block', 'block', 'allow', 'allow', 'block', 'block', 'allow']);
  });

  it('blocks sender IDs and short codes, except its own, and passes test numbers and requests without "from"', () => {
    expect(check(source('parcel-kr')).codes).toEqual(['SENDER_NOT_REGISTERED block']);
    expect(check(shortCode('1335')).codes).toEqual(['SENDER_NOT_REGISTERED block']);
    const owner = { ...enforced, shortCodes: ['1335'] };
    expect(check(shortCode('1335'), owner).verdict).toBe('allow');
    const test = TEST_NUMBERS.find(({ code }) => code === 'TEST_NUMBER')!;
    expect(check(number(test.n)).codes).toEqual(['TEST_NUMBER allow']);
    expect(check(null, enforced, {}, number(OWN)).verdict).toBe('allow');
  });

  it('labels or only reports in the modes "label" and "shadow"', () => {
    expect(check(number(OTHER), { ...enforced, requireRegistration: 'label' })).toMatchObject({
      ...{ verdict: 'label', codes: ['SENDER_NOT_REGISTERED label'] },
    });
    expect(check(number(OTHER), { ...enforced, requireRegistration: 'shadow' })).toMatchObject({
      ...{ verdict: 'allow', codes: ['SENDER_NOT_REGISTERED shadow'] },
    });
    expect(check(number(OTHER), off)).toMatchObject({ verdict: 'allow', codes: [] });
  });

  it('is not helped by a live unblock, but by an emergency recipient', () => {
    const live = layerOf(liveEntry(numberKey(OTHER), { op: 'unblock' }));
    expect(check(number(OTHER), enforced, { live }).verdict).toBe('block');
    expect(check(number(OTHER), enforced, {}, shortCode('119')).verdict).toBe('allow');
  });

  it('follows changes that are newer than the release', () => {
    const changes = overlay(0, [OTHER, 'add', VERSION + 1], [REGISTERED, 'remove', VERSION + 1]);
    expect(check(number(OTHER), enforced, { registrations: changes }).verdict).toBe('allow');
    expect(check(number(REGISTERED), enforced, { registrations: changes }).verdict).toBe('block');
    const old = overlay(0, [OTHER, 'add', VERSION], [REGISTERED, 'remove', VERSION]);
    expect(check(number(OTHER), enforced, { registrations: old }).verdict).toBe('block');
    expect(check(number(REGISTERED), enforced, { registrations: old }).verdict).toBe('allow');
  });

  it('is undecided while a value is missing, or changes that only a later release has', async () => {
    const gone = await install(built, ({ key }) => key !== table.key);
    const missing = ['LIST_UNAVAILABLE indeterminate'];
    expect(check(number(REGISTERED), enforced, { release: gone })).toMatchObject({
      ...{ verdict: 'indeterminate', codes: missing, action: 'open' },
    });
    expect(check(number(SUSPENDED), enforced, { release: gone }).verdict).toBe('block');
    const shadow: ClientSettings = { ...enforced, requireRegistration: 'shadow' };
    expect(check(number(REGISTERED), shadow, { release: gone })).toMatchObject({
      verdict: 'allow',
      codes: [],
    });
    const dropped = overlay(VERSION + 1, [OTHER, 'add', VERSION + 2]);
    expect(check(number(REGISTERED), enforced, { registrations: dropped }).codes).toEqual(missing);
  });

  it('finds no number registered in a release without registrations, except by changes', async () => {
    const { registrations: _, ...manifest } = built.manifest;
    const without = await install({ ...built, manifest });
    const changes = overlay(0, [OTHER, 'add', 1]);
    expect(check(number(REGISTERED), enforced, { release: without }).verdict).toBe('block');
    expect(check(number(OTHER), enforced, { release: without, registrations: changes }).verdict).toBe(
      'allow',
    );
  });
});

describe('an identity opt-out', () => {
  it('blocks the number, also where it is registered on another basis', () => {
    for (const n of [OPTED.none, OPTED.registered])
      expect(check(number(n), off).codes).toEqual(['SENDER_IDENTITY_OPTOUT block']);
  });

  it('is lifted by an own registration of the number, and stays visible', () => {
    for (const settings of [off, enforced])
      for (const n of [OPTED.own, OPTED.ranged])
        expect(check(number(n), settings)).toMatchObject({
          ...{ verdict: 'allow', codes: ['SENDER_IDENTITY_OPTOUT shadow'] },
        });
  });

  it('is lifted for the clients of the registration alone', () => {
    const other = { ...off, id: 'other' };
    expect(check(number(OPTED.own), other).verdict).toBe('block');
  });

  it('is all that an own registration lifts', () => {
    expect(check(number(SUSPENDED), off)).toMatchObject({
      verdict: 'block',
      codes: ['NUMBER_SUSPENDED block', 'SENDER_IDENTITY_OPTOUT shadow'],
    });
  });

  it('leaves the check undecided while nobody can say whether the number is registered', async () => {
    const gone = await install(built, ({ key }) => key !== table.key);
    expect(check(number(OPTED.own), off, { release: gone })).toMatchObject({
      verdict: 'indeterminate',
      codes: ['LIST_UNAVAILABLE indeterminate', 'SENDER_IDENTITY_OPTOUT shadow'],
    });
    const live = layerOf(liveEntry(numberKey(OPTED.own), { op: 'unblock' }));
    expect(check(number(OPTED.own), off, { release: gone, live }).verdict).toBe('allow');
  });
});
