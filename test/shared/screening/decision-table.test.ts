/**
 * The decision table of the gateway: every combination of ingress type, channel, kind of sender, roaming
 * status, attestation and list hit, compared with tables that a person can read. The tables use neither the
 * policy's data nor the code that reads it.
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
import { clientSettings } from '../support/screen-world.ts';

type Result = readonly [verdict: string, code: string | null];
const PASSES: Result = ['allow', null];

/** The policy for traffic from abroad: the standard policy, data/gateway-policy.json. */
const ABROAD: Readonly<Record<Exclude<SenderKind, 'krMobile'>, Result>> = {
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
const MOBILE: Readonly<Record<Ingress['roaming'], Result>> = {
  verified: PASSES,
  notRoaming: ['block', 'MOBILE_CLI_NOT_ROAMING'],
  unknown: ['label', 'MOBILE_CLI_ROAMING_UNVERIFIED'],
};

/** Domestic traffic is blocked only from impossible numbers, because the sender rules do not apply to gateways. */
const IMPOSSIBLE: readonly SenderKind[] = ['krImpossible', 'foreignImpossible', 'foreignUnassigned'];

function policyResult(kind: SenderKind, via: Ingress): Result {
  if (via.type === 'international') return kind === 'krMobile' ? MOBILE[via.roaming] : ABROAD[kind];
  return IMPOSSIBLE.includes(kind) ? ['block', 'NUMBER_FORMAT_INVALID'] : PASSES;
}

/** The expected result for a sender with this list hit. */
function expected(kind: SenderKind, via: Ingress, name: HitName): Result {
  const rule = policyResult(kind, via);
  const canBeListed = kind !== 'krShortCode' && kind !== 'withheld';
  const abroad = via.type === 'international';
  if (name === 'operatorBlocked')
    return rule[1] !== null && !abroad && rule[0] === 'block' ? rule : ['block', LISTED];
  // A trusted operator overrides only the policy.
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

function screenFrom(
  kind: SenderKind,
  channel: (typeof CHANNELS)[number],
  via: Ingress,
  at: Snapshot,
): Result {
  const request = { from: SENDERS_BY_KIND[kind], to: null, channel, ingress: via, otherReadings: [] };
  const { verdict, reasons } = screen(request, at, clientSettings());
  // A shadow list is reported, but it decides nothing.
  const first = reasons.find(({ effect }) => effect !== 'shadow');
  return [verdict, first?.code ?? null];
}

describe.each(kinds)('a sender that is %s', (kind) => {
  it.each(hits)('gets the result of the table, where the list hit is %s', (name) => {
    const at = gatewaySnapshot(name, SENDERS_BY_KIND[kind]);
    let checked = 0;
    for (const type of INGRESS_TYPES) {
      for (const channel of CHANNELS) {
        for (const roaming of ROAMING) {
          for (const attestation of attestations) {
            const via = ingress({ type, roaming, attestation, operator: OPERATOR });
            const where = `${type} ${channel} ${roaming} attestation ${attestation}`;
            const result = screenFrom(kind, channel, via, at);
            // Reasons that allow domestic traffic may come in any order.
            if (name === 'operatorAllowed' && type === 'domestic')
              expect([where, result[0]]).toEqual([where, expected(kind, via, name)[0]]);
            else expect([where, result]).toEqual([where, expected(kind, via, name)]);
            checked++;
          }
        }
      }
    }
    expect(checked).toBe(2 * 2 * 3 * 4);
  });

  it.each(hits)('gets no advantage from attestation A against a list hit (%s)', (name) => {
    const at = gatewaySnapshot(name, SENDERS_BY_KIND[kind]);
    for (const roaming of ROAMING) {
      const without = screenFrom(kind, 'voice', ingress({ roaming, operator: OPERATOR }), at);
      const signed = screenFrom(
        kind,
        'voice',
        ingress({ roaming, operator: OPERATOR, attestation: 'A' }),
        at,
      );
      expect(signed).toEqual(without);
    }
  });
});

describe('a displayed carrier prefix', () => {
  it.each(kinds)('makes %s traffic from abroad, even when the ingress is domestic', (kind) => {
    for (const roaming of ROAMING) {
      const at = gatewaySnapshot('none', SENDERS_BY_KIND[kind]);
      const via = ingress({ type: 'domestic', carrierPrefix: '00700', roaming });
      expect(screenFrom(kind, 'voice', via, at)).toEqual(
        policyResult(kind, { ...via, type: 'international' }),
      );
    }
  });
});
