/**
 * A release for the tests of screen(). It has a number for each combination of lists, so that a table of
 * precedence can name the lists of a number instead of the number.
 */

import { PublishedCredentials } from '../../../shared/credentials/published.ts';
import { type LiveEntry, type LiveKey, numberKey } from '../../../shared/live/entry.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import type { Party } from '../../../shared/numbers/party.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';

import { Release } from '../../../shared/release/release.ts';
import type { ClientSettings, Snapshot } from '../../../shared/screening/snapshot.ts';
import { RegistrationOverlay } from '../../../shared/senders/registration-overlay.ts';
import { NO_TEXT } from '../../../shared/text/published.ts';
import type { Code, Effect } from '../../../shared/verdict.ts';
import { build, install, OPTIONS } from './built-release.ts';
import { layerOf } from './live.ts';
import { EVER, type PlainList, plainList } from './plain-model.ts';
import { sourceKey } from './sources.ts';
import { testKeys } from './test-keys.ts';

export const NOW = 1_795_489_929_000;
export const UNTIL = 1_800_000_000;

const PLACES = {
  allowExact: { list: 'allowed', reason: 'NUMBER_SUSPENDED', effect: 'allow', subjects: ['from', 'to'] },
  allowRange: {
    list: 'allowed-ranges',
    reason: 'NUMBER_SUSPENDED',
    effect: 'allow',
    subjects: ['from', 'to'],
  },
  blockExact: { list: 'suspended', reason: 'NUMBER_SUSPENDED', effect: 'block', subjects: ['from', 'to'] },
  blockRange: {
    list: 'unallocated',
    reason: 'NUMBER_UNALLOCATED',
    effect: 'block',
    subjects: ['from', 'to'],
  },
  labelExact: { list: 'reported', reason: 'SENDER_REPORTED', effect: 'label', subjects: ['from', 'to'] },
  labelRange: {
    list: 'doubtful',
    reason: 'OVERSEAS_RANGE_LISTED',
    effect: 'label',
    subjects: ['from', 'to'],
  },
  shadowExact: { list: 'trial', reason: 'SUBSCRIBER_DNO', effect: 'shadow', subjects: ['from', 'to'] },
  senderOnly: { list: 'senders', reason: 'SENDER_NOT_REGISTERED', effect: 'block', subjects: ['from'] },
  datedExact: { list: 'dated', reason: 'NUMBER_TERMINATED', effect: 'block', subjects: ['from', 'to'] },
  datedRange: {
    list: 'dated-ranges',
    reason: 'NUMBER_UNALLOCATED',
    effect: 'block',
    subjects: ['from', 'to'],
  },
  foldedBlock: {
    list: 'live-certificate-revoked-kisa',
    reason: 'CERTIFICATE_REVOKED',
    effect: 'block',
    subjects: ['from', 'to'],
  },
  foldedAllow: {
    list: 'live-allow-kisa',
    reason: 'NUMBER_SUSPENDED',
    effect: 'allow',
    subjects: ['from', 'to'],
  },
} as const satisfies Record<
  string,
  { list: string; reason: Code; effect: Effect; subjects: readonly ('from' | 'to')[] }
>;
export type Place = keyof typeof PLACES;
const NAMES = Object.keys(PLACES) as Place[];

/** From 010-2222-0000 on: numbers that the numbering plan allows and that no sender rule refuses. */
const FIRST = 821_022_220_000;

/** The number on exactly these lists. */
export function on(...places: readonly Place[]): Party {
  const combination = places.reduce((sum, place) => sum + 2 ** NAMES.indexOf(place), 0);
  return { kind: 'number', n: FIRST + combination, carrierPrefix: null };
}

/** Numbers of other kinds, each on the named lists, including numbers that a rule refuses. */
export interface Special {
  readonly n: number;
  readonly places: readonly Place[];
}

function listsOf(specials: readonly Special[]): PlainList[] {
  const combinations = Array.from({ length: 2 ** NAMES.length }, (_, combination) => ({
    n: FIRST + combination,
    places: NAMES.filter((_, bit) => Math.floor(combination / 2 ** bit) % 2 === 1),
  }));
  const everything = [...combinations, ...specials];
  const lists = NAMES.map((place) => {
    const { list, reason, effect, subjects } = PLACES[place];
    const dates = place.startsWith('dated') ? { since: 0, until: UNTIL } : EVER;
    const numbers = everything
      .filter(({ places }) => places.includes(place))
      .map(({ n }) => ({ n, ...dates }));
    const base = plainList(
      list,
      place.endsWith('Range')
        ? { ranges: numbers.map(({ n }) => ({ from: n, to: n, ...dates })) }
        : { numbers },
    );
    return { ...base, info: { ...base.info, reason, effect, subjects: [...subjects] } };
  });
  const overseas = plainList('overseas-sources', {
    sources: [
      { text: 'kb-bank', ...EVER },
      { text: 'smsc-1', since: 0, until: UNTIL },
    ],
  });
  const folded = plainList('live-sources', { sources: [{ text: 'folded', ...EVER }] });
  return [
    ...lists,
    { ...overseas, info: { ...overseas.info, reason: 'OVERSEAS_SOURCE_LISTED', subjects: ['from'] } },
    { ...folded, info: { ...folded.info, reason: 'CERTIFICATE_REVOKED' } },
  ];
}

const SPECIALS: readonly Special[] = [
  { n: 829_900_000_000, places: [] },
  { n: 829_900_000_001, places: ['allowExact'] },
  { n: 829_900_000_002, places: ['blockExact'] },
  { n: 825_012_345_678, places: [] },
  { n: 825_012_345_679, places: ['allowRange'] },
  { n: 825_012_345_680, places: ['blockRange'] },
];
const built = await build(listsOf(SPECIALS));
const { ranges, sources } = built.manifest;

/** The last live change that is folded into the release. */
export const { foldedSeq: FOLDED_SEQ } = OPTIONS;

const whole = await install(built);
/** The same lists in a release that has folded in fewer live changes. */
const earlier = new Release({ ...built.manifest, foldedSeq: FOLDED_SEQ - 4 }, testKeys);
earlier.adopt(whole);

/** The release with all or some of its values loaded. */
export const releases = {
  whole,
  earlier,
  withoutShards: await install(built, ({ key }) => key === ranges!.key || key === sources!.key),
  withoutRanges: await install(built, ({ key }) => key !== ranges!.key),
  withoutSources: await install(built, ({ key }) => key !== sources!.key),
  none: null,
};

export function snapshot(release: keyof typeof releases = 'whole', now = NOW, ageSeconds = 0): Snapshot {
  return {
    release: releases[release],
    live: LiveLayer.EMPTY,
    registrations: RegistrationOverlay.EMPTY,
    organisations: new Map(),
    credentials: PublishedCredentials.NONE,
    tokens: new Map(),
    passports: new Map(),
    ...{ text: NO_TEXT, texts: new Map() },
    policy: STANDARD_POLICY,
    keys: testKeys,
    seq: 1842,
    asOf: now - ageSeconds * 1000,
    now,
  };
}

/** The snapshot with these live entries. */
export function withLive(at: Snapshot, ...entries: readonly LiveEntry[]): Snapshot {
  return { ...at, live: layerOf(...entries) };
}

/** The key of a party's live entry. */
export function keyOf(party: Party): LiveKey {
  if (party.kind === 'number') return numberKey(party.n);
  if (party.kind === 'localNumber') throw new Error('a local number has no entry');
  return sourceKey(party.kind === 'source' ? party.text : party.code, testKeys.sourceSeed);
}

export function clientSettings(some: Partial<ClientSettings> = {}): ClientSettings {
  return {
    failPolicy: 'open',
    maxStaleSeconds: 3_600,
    mode: 'enforce',
    senderRules: 'kr',
    shortCodes: [],
    id: 'main',
    organisation: 'acme',
    requireRegistration: 'off',
    requireToken: 'off',
    requireIdentity: 'off',
    requireQualification: 'off',
    onSuspiciousText: 'shadow',
    ...some,
  };
}

export function number(n: number): Party {
  return { kind: 'number', n, carrierPrefix: null };
}
export function shortCode(code: string): Party {
  return { kind: 'shortCode', code };
}
export function source(text: string): Party {
  return { kind: 'source', text };
}
