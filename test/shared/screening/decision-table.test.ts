/**
 * The decision table of the gateway: every combination of ingress type, channel, kind of sender, roaming
 * status, attestation and list hit, against tables that a person can read. The tables know nothing of the
 * policy's data nor of the code that reads it.
 */
import { describe, expect, it } from 'vitest';
import type { SenderKind } from '../../../shared/policy/facts.ts';
import { ATTESTATIONS, CHANNELS, INGRESS_TYPES, type Ingress, ROAMING } from '../../../shared/request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { Snapshot } from '../../../shared/screening/snapshot.ts';
import {
  gatewaySnapshot,
  HITS,
  type HitName,
  ingress,
  LISTED,
  OPERATOR,
  SENDERS_BY_KIND,
} from '../support/gateway-world.ts';
import { wishes } from '../support/screen-world.ts';

type Told = readonly [verdict: string, code: string | null];
const PASSES: Told = ['allow', null];

/** The decision of the standard policy (data/gateway-policy.json) on traffic from abroad. */
const ABROAD: Readonly<Record<Exclude<SenderKind, 'krMobile'>, Told>> = {
  krFixed: ['block', 'DOMESTIC_CLI_FROM_ABROAD'],
  krVoip: ['block', 'DOMESTIC_CLI_FROM_ABROAD'],
  krTollFree: ['block', 'DOMESTIC_CLI_FROM_ABROAD'],
  krRepresentative: ['block', 'DOMESTIC_CLI_FROM_ABROAD'],
  krShortCode: ['block', 'DOMESTIC_CLI_FROM_ABROAD'],
  krPersonal: ['label', 'OVERSEAS_ORIGIN'],
  krPremium: ['label', 'OVERSEAS_ORIGIN'],
  krOther: ['label', 'OVERSEAS_ORIGIN'],
  krImpossible: ['block', 'NUMBER_FORMAT_INVALID'],
  foreign: ['label', 'OVERSEAS_ORIGIN'],
  foreignImpossible: ['block', 'NUMBER_FORMAT_INVALID'],
  foreignUnassigned: ['block', 'NUMBER_FORMAT_INVALID'],
  senderId: ['label', 'OVERSEAS_ORIGIN'],
  withheld: ['label', 'OVERSEAS_ORIGIN'],
};
const MOBILE: Readonly<Record<Ingress['roaming'], Told>> = {
  verified: PASSES,
  notRoaming: ['block', 'MOBILE_CLI_NOT_ROAMING'],
  unknown: ['label', 'MOBILE_CLI_ROAMING_UNVERIFIED'],
};

/** Within the country only numbers that nobody can have are blocked: the rules for senders are not for gateways. */
const IMPOSSIBLE: readonly SenderKind[] = ['krImpossible', 'foreignImpossible', 'foreignUnassigned'];

function ruled(kind: SenderKind, way: Ingress): Told {
  if (way.type === 'international') return kind === 'krMobile' ? MOBILE[way.roaming] : ABROAD[kind];
  return IMPOSSIBLE.includes(kind) ? ['block', 'NUMBER_FORMAT_INVALID'] : PASSES;
}

/** What must come of it, where this is listed. */
function expected(kind: SenderKind, way: Ingress, name: HitName): Told {
  const rule = ruled(kind, way);
  const canBeListed = kind !== 'krShortCode' && kind !== 'withheld';
  const abroad = way.type === 'international';
  if (name === 'operatorBlocked')
    return rule[1] !== null && !abroad && rule[0] === 'block' ? rule : ['block', LISTED];
  // A trusted operator lets the policy go, and nothing else.
  if (name === 'operatorAllowed') return abroad ? ['allow', 'ALLOW_OVERRIDE'] : rule;
  if (name === 'operatorLabelled') return rule[0] === 'block' ? rule : ['label', LISTED];
  if (!canBeListed) return rule;
  switch (name) {
    case 'blocked':
    case 'liveBlocked':
      return ['block', LISTED];
    case 'allowed':
    case 'liveUnblocked':
      return ['allow', 'ALLOW_OVERRIDE'];
    case 'labelled':
      return rule[0] === 'block' ? rule : ['label', LISTED];
    default:
      return rule;
  }
}

const kinds = Object.keys(SENDERS_BY_KIND) as SenderKind[];
const hits = Object.keys(HITS) as HitName[];
const attestations = [null, ...ATTESTATIONS];

function decided(kind: SenderKind, channel: (typeof CHANNELS)[number], way: Ingress, at: Snapshot): Told {
  const question = { from: SENDERS_BY_KIND[kind], to: null, channel, ingress: way, otherReadings: [] };
  const { verdict, reasons } = screen(question, at, wishes());
  // A shadow list is reported and decides nothing.
  const first = reasons.find(({ effect }) => effect !== 'shadow');
  return [verdict, first?.code ?? null];
}

describe.each(kinds)('a sender that is %s', (kind) => {
  it.each(hits)('gets what the table says, where the list hit is %s', (name) => {
    const at = gatewaySnapshot(name, SENDERS_BY_KIND[kind]);
    let asked = 0;
    for (const type of INGRESS_TYPES) {
      for (const channel of CHANNELS) {
        for (const roaming of ROAMING) {
          for (const attestation of attestations) {
            const way = ingress({ type, roaming, attestation, operator: OPERATOR });
            const where = `${type} ${channel} ${roaming} attestation ${attestation}`;
            const told = decided(kind, channel, way, at);
            // What lets through from within the country need not be the first to be told.
            if (name === 'operatorAllowed' && type === 'domestic')
              expect([where, told[0]]).toEqual([where, expected(kind, way, name)[0]]);
            else expect([where, told]).toEqual([where, expected(kind, way, name)]);
            asked++;
          }
        }
      }
    }
    expect(asked).toBe(2 * 2 * 3 * 4);
  });

  it.each(hits)('is never helped by attestation A against what is listed (%s)', (name) => {
    const at = gatewaySnapshot(name, SENDERS_BY_KIND[kind]);
    for (const roaming of ROAMING) {
      const without = decided(kind, 'voice', ingress({ roaming, operator: OPERATOR }), at);
      const signed = decided(kind, 'voice', ingress({ roaming, operator: OPERATOR, attestation: 'A' }), at);
      expect(signed).toEqual(without);
    }
  });
});

describe('a displayed carrier prefix', () => {
  it.each(kinds)('makes %s traffic from abroad, also where it comes in from within the country', (kind) => {
    for (const roaming of ROAMING) {
      const at = gatewaySnapshot('none', SENDERS_BY_KIND[kind]);
      const way = ingress({ type: 'domestic', carrierPrefix: '00700', roaming });
      expect(decided(kind, 'voice', way, at)).toEqual(ruled(kind, { ...way, type: 'international' }));
    }
  });
});
