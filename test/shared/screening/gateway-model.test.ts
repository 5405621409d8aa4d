/**
 * Gateway responses compared with a plain model. The model evaluates the policy a second time and derives from
 * the reasons whether its rule counted. The formatter does neither, because the decision contains both.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberKey } from '../../../shared/live/entry.ts';
import { evidenceOf, factsOf, ORIGINS, SENDERS } from '../../../shared/policy/facts.ts';
import { matchPolicy, type Policy, STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import {
  ATTESTATIONS,
  CHANNELS,
  INGRESS_TYPES,
  ROAMING,
  type ScreenRequest,
  type Sender,
} from '../../../shared/request.ts';
import { withReferences } from '../../../shared/screening/appeal-reference.ts';
import type { Decision } from '../../../shared/screening/decision.ts';
import { toGatewayResponse } from '../../../shared/screening/gateway-response.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { ClientSettings, Snapshot } from '../../../shared/screening/snapshot.ts';
import { TEST_NUMBERS } from '../../../shared/test-numbers.ts';
import { AGAINST_CODES, EFFECTS } from '../../../shared/verdict.ts';
import { EMPTY } from '../support/gateway-check.ts';
import {
  gatewaySnapshot,
  HITS,
  type HitName,
  ingress,
  OPERATOR,
  SENDERS_BY_KIND,
} from '../support/gateway-world.ts';
import { layerOf, liveEntry } from '../support/live.ts';
import { holds } from '../support/properties.ts';
import { clientSettings, NOW, number, snapshot } from '../support/screen-world.ts';

const RUNS = 5_000;
const RECIPIENT = 821_098_765_432;

/** The policy part of the response, computed from a second evaluation and from the reasons. */
function modelled(
  request: ScreenRequest,
  { reading = request, verdict, action, reasons }: Decision,
  { policy: { version, policy } }: Snapshot,
  { mode }: ClientSettings,
) {
  const from = reading.from!;
  const facts = factsOf(from, reading.channel, reading.ingress!);
  const { rule } = matchPolicy(policy, facts);
  const isOpen = verdict === 'indeterminate' && action === 'open';
  const isLabelledOpen = isOpen && rule !== null && rule.effect !== 'allow';
  const labelled = verdict === 'label' || (mode !== 'shadow' && isLabelledOpen);
  const rules = reasons.some(({ match, list }) => match === 'rule' && list === rule?.id);
  const isLetGo = reasons.some(
    ({ effect, match, subject }) => effect === 'allow' && match !== 'rule' && subject === 'from',
  );
  return {
    policy: { version, rule: rule?.id ?? null },
    evidence: evidenceOf(from, reading.ingress!, facts),
    label: labelled && facts.origin === 'abroad' ? policy.label : null,
    withholdCli: labelled && rules && !isLetGo && rule?.withholdCli === true,
  };
}

const some = <Value>(values: readonly Value[]) =>
  fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined, freq: 2 });

const rules: fc.Arbitrary<Policy['rules']> = fc
  .array(
    fc.record({
      channel: some(CHANNELS),
      origin: some(ORIGINS),
      sender: some(SENDERS),
      roaming: some(ROAMING),
      effect: fc.constantFrom(...EFFECTS),
      code: fc.constantFrom(...AGAINST_CODES),
      withholdCli: fc.boolean(),
    }),
    { maxLength: 5 },
  )
  .map((drawn) =>
    drawn.map(({ effect, code, withholdCli, ...when }, index) => ({
      ...{ id: `rule-${index}`, when, effect, withholdCli },
      ...(effect !== 'allow' && { code }),
    })),
  ) as fc.Arbitrary<Policy['rules']>;

const anySender: fc.Arbitrary<Sender> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Object.values(SENDERS_BY_KIND)) },
  fc.constantFrom(...TEST_NUMBERS.map(({ n }) => number(n))),
);
const anyRecipient = fc.oneof(
  fc.constantFrom(null, number(RECIPIENT), { kind: 'shortCode', code: '119' } as const),
  fc.constantFrom(...TEST_NUMBERS.map(({ n }) => number(n))),
);

const world = fc.record({
  from: anySender,
  otherFrom: fc.option(anySender),
  to: anyRecipient,
  channel: fc.constantFrom(...CHANNELS),
  type: fc.constantFrom(...INGRESS_TYPES),
  roaming: fc.constantFrom(...ROAMING),
  attestation: fc.constantFrom(null, ...ATTESTATIONS),
  operator: fc.constantFrom(null, OPERATOR),
  hit: fc.constantFrom(null, ...(Object.keys(HITS) as HitName[])),
  recipient: fc.constantFrom(null, 'block', 'unblock'),
  isStale: fc.boolean(),
  rules: fc.option(rules),
  mode: fc.constantFrom('enforce', 'label', 'shadow'),
  failPolicy: fc.constantFrom('open', 'closed'),
});
type World = typeof world extends fc.Arbitrary<infer Drawn> ? Drawn : never;

function requestOf({ from, otherFrom, to, channel, ...via }: World): ScreenRequest {
  const { type, roaming, attestation, operator } = via;
  const base = { to, channel, ingress: ingress({ type, roaming, attestation, operator }) };
  const otherReadings = otherFrom === null ? [] : [{ ...base, from: otherFrom, otherReadings: [] }];
  return { ...base, from, otherReadings };
}

function snapshotOf({ from, hit, recipient, isStale, rules: drawn }: World): Snapshot {
  const at = hit === null ? snapshot('none') : gatewaySnapshot(hit, from);
  const policy = { version: 7, policy: { rules: drawn ?? [], label: '[해외]', redress: null } };
  return {
    ...at,
    ...(drawn !== null && { policy }),
    ...(recipient !== null && { live: layerOf(liveEntry(numberKey(RECIPIENT), { op: recipient })) }),
    asOf: isStale ? NOW - 4_000_000 : NOW,
  };
}

describe('a gateway response', () => {
  it('reports the policy as a second evaluation would', () => {
    holds(
      fc.property(world, (drawn) => {
        const request = requestOf(drawn);
        const at = snapshotOf(drawn);
        const settings = clientSettings({
          mode: drawn.mode,
          failPolicy: drawn.failPolicy,
        } as Partial<ClientSettings>);
        const decision = screen(request, at, settings);
        const { policy, evidence, label, withholdCli, ...response } = toGatewayResponse(
          request,
          decision,
          at,
        );
        expect({ policy, evidence, label, withholdCli }).toEqual(modelled(request, decision, at, settings));
        const { verdict, subject } = decision;
        const reasons = withReferences(decision.reasons, at.keys.appealKey);
        expect(response).toMatchObject({ verdict, subject, reasons });
      }),
      { numRuns: RUNS },
    );
  });

  const [abroad] = STANDARD_POLICY.policy.rules.filter(({ id }) => id === 'from-abroad');
  const withholding = (...more: Policy['rules']): Snapshot => ({
    ...EMPTY,
    policy: {
      version: 1,
      policy: { ...STANDARD_POLICY.policy, rules: [...more, { ...abroad!, withholdCli: true }] },
    },
  });
  const base = {
    from: SENDERS_BY_KIND.foreign,
    channel: 'sms',
    ingress: ingress(),
    otherReadings: [],
  } as const;

  it("withholds the sender's number even when an entry allows the recipient", () => {
    const unblocked = layerOf(liveEntry(numberKey(RECIPIENT), { op: 'unblock' }));
    const request: ScreenRequest = { ...base, to: number(RECIPIENT) };
    const at = { ...withholding(), live: unblocked };
    const response = toGatewayResponse(request, screen(request, at, clientSettings()), at);
    expect(response).toMatchObject({ verdict: 'label', label: '[국제발신]', withholdCli: true });
  });

  it("does not confuse the policy's rule with another rule of the same name", () => {
    const allowing = { id: 'numbering-plan', when: {}, effect: 'allow', withholdCli: true } as const;
    const request: ScreenRequest = { ...base, to: { kind: 'localNumber', digits: '21234567' } };
    const at = withholding(allowing);
    const response = toGatewayResponse(request, screen(request, at, clientSettings({ mode: 'label' })), at);
    expect(response).toMatchObject({
      verdict: 'label',
      policy: { rule: 'numbering-plan' },
      withholdCli: false,
    });
  });
});
