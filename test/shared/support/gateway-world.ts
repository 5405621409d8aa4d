/**
 * Senders of every kind, and one release for each kind of list hit: the input of the gateway's decision table.
 */

import type { LiveEntry } from '../../../shared/live/entry.ts';
import type { SenderKind } from '../../../shared/policy/facts.ts';
import type { Release } from '../../../shared/release/release.ts';
import type { Ingress, Sender } from '../../../shared/request.ts';
import { UNKNOWN_INGRESS } from '../../../shared/screening/parse-gateway-request.ts';
import type { Snapshot } from '../../../shared/screening/snapshot.ts';
import type { Code, Effect } from '../../../shared/verdict.ts';
import { build, install } from './built-release.ts';
import { layerOf, liveEntry } from './live.ts';
import { EVER, type PlainList, plainList } from './plain-model.ts';
import { keyOf, NOW, snapshot } from './screen-world.ts';

/** One sender of each kind that a policy distinguishes. */
export const SENDERS_BY_KIND: Readonly<Record<SenderKind, Sender>> = {
  krMobile: { kind: 'number', n: 821_033_445_566, carrierPrefix: null },
  krFixed: { kind: 'number', n: 82_221_234_567, carrierPrefix: null },
  krVoip: { kind: 'number', n: 827_012_345_678, carrierPrefix: null },
  krPersonal: { kind: 'number', n: 825_012_345_678, carrierPrefix: null },
  krTollFree: { kind: 'number', n: 82_801_234_567, carrierPrefix: null },
  krPremium: { kind: 'number', n: 82_602_123_456, carrierPrefix: null },
  krRepresentative: { kind: 'number', n: 8_215_881_234, carrierPrefix: null },
  krShortCode: { kind: 'shortCode', code: '1335' },
  krOther: { kind: 'number', n: 82_111_234_567, carrierPrefix: null },
  krImpossible: { kind: 'number', n: 8_299_123, carrierPrefix: null },
  foreign: { kind: 'number', n: 639_171_234_567, carrierPrefix: null },
  foreignImpossible: { kind: 'number', n: 6_391_712, carrierPrefix: null },
  foreignUnassigned: { kind: 'number', n: 9_991_234_567, carrierPrefix: null },
  senderId: { kind: 'source', text: 'PARCEL-KR' },
  withheld: { kind: 'withheld' },
};

/** The listed party: none, the sender, or its operator. */
export const HITS = {
  none: null,
  blocked: { on: 'sender', effect: 'block' },
  allowed: { on: 'sender', effect: 'allow' },
  labelled: { on: 'sender', effect: 'label' },
  shadowed: { on: 'sender', effect: 'shadow' },
  operatorBlocked: { on: 'operator', effect: 'block' },
  operatorAllowed: { on: 'operator', effect: 'allow' },
  operatorLabelled: { on: 'operator', effect: 'label' },
  liveBlocked: { on: 'sender', effect: 'live block' },
  liveUnblocked: { on: 'sender', effect: 'live unblock' },
} as const;
export type HitName = keyof typeof HITS;

/** The code of every list and live entry here. */
export const LISTED: Code = 'NUMBER_TERMINATED';
export const OPERATOR = '51502';

function listOf(on: 'sender' | 'operator', effect: Effect): PlainList {
  const senders = Object.values(SENDERS_BY_KIND);
  const content =
    on === 'operator'
      ? { sources: [{ text: `operator:${OPERATOR}`, ...EVER }] }
      : {
          numbers: senders.flatMap((sender) => (sender.kind === 'number' ? [{ n: sender.n, ...EVER }] : [])),
          sources: senders.flatMap((sender) =>
            sender.kind === 'source' ? [{ text: sender.text, ...EVER }] : [],
          ),
        };
  const list = plainList(`${on}-${effect}`, content);
  return { ...list, info: { ...list.info, reason: LISTED, effect, subjects: ['from'] } };
}

async function releaseOf(name: HitName): Promise<Release> {
  const hit = HITS[name];
  const lists =
    hit === null || hit.effect === 'live block' || hit.effect === 'live unblock'
      ? [plainList('empty')]
      : [listOf(hit.on, hit.effect)];
  return install(await build(lists));
}

const releases = new Map<HitName, Release>();
for (const name of Object.keys(HITS) as HitName[]) releases.set(name, await releaseOf(name));

/** The snapshot for a sender with this list hit. */
export function gatewaySnapshot(name: HitName, sender: Sender): Snapshot {
  const at = { ...snapshot('none', NOW), release: releases.get(name)! };
  const { effect } = HITS[name] ?? {};
  if (effect !== 'live block' && effect !== 'live unblock') return at;
  if (sender.kind !== 'number' && sender.kind !== 'source') return at;
  const op: Partial<LiveEntry> = effect === 'live block' ? { op: 'block', code: LISTED } : { op: 'unblock' };
  return { ...at, live: layerOf(liveEntry(keyOf(sender), op)) };
}

export function ingress(some: Partial<Ingress> = {}): Ingress {
  return { ...UNKNOWN_INGRESS, ...some };
}
