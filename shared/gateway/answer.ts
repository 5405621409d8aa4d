/**
 * What a gateway needs next, out of a verdict: SIP and SMPP codes, the label, how long the answer may be
 * used again. Pure.
 */

import type { Answer } from '../decision.ts';
import { flat } from '../flat.ts';
import { GATEWAY_CACHE_MS, HEAD_STALE_MS } from '../limits.ts';
import { type Evidence, evidenceOf, factsOf } from '../policy/facts.ts';
import { type Policy, type Rule, rulingOf } from '../policy/policy.ts';
import type { Question } from '../question.ts';
import type { Snapshot, Wishes } from '../snapshot.ts';

export interface SipAnswer {
  readonly status: number;
  readonly reason: string;
  /** Value of a Reason header (RFC 3326) that goes with it; null where there is none to give. */
  readonly reasonHeader: string | null;
}

export interface GatewayAnswer extends Answer {
  /** The version of the policy, and its rule that fits; what decided is the first of `reasons`. */
  readonly policy: { readonly version: number; readonly rule: string | null };
  readonly evidence: Evidence;
  /** Null where the call or text passes. */
  readonly sip: SipAnswer | null;
  readonly smpp: { readonly commandStatus: number } | null;
  /** To be put before a text or shown with a call; null for none. */
  readonly label: string | null;
  /** Whether the sender's number is not to be shown. */
  readonly withholdCli: boolean;
  /** RFC 3339: until when the same question may be answered the same without asking. */
  readonly cacheUntil: string;
}

/** SMPP 3.4, 5.1.3: by whose number it was; and for what is to be tried again. */
const ESME = { RINVSRCADR: 0x0a, RINVDSTADR: 0x0b, RTHROTTLED: 0x58 } as const;

/**
 * @param answered of `tell`, for this question and snapshot
 * @param mode of the client
 */
export function gatewayAnswer(
  question: Question,
  answered: Answer,
  snapshot: Snapshot,
  mode: Wishes['mode'],
): GatewayAnswer {
  const { from, channel, ingress } = question;
  if (from === null || ingress === null)
    throw new Error('a question of a gateway has a sender and an ingress');
  const { version, policy } = snapshot.policy;
  const facts = factsOf(from, channel, ingress);
  const { rule } = rulingOf(policy, facts);
  const labelled = answered.verdict === 'label' || (mode !== 'shadow' && isLabelledOpen(answered, rule));
  // Only where the rule had a say: what lets through lets the policy go.
  const { reasons } = answered;
  const rules = reasons.some(({ match, list }) => match === 'rule' && list === rule?.id);
  const isLetGo = reasons.some(({ effect, match }) => effect === 'allow' && match !== 'rule');
  return {
    ...answered,
    policy: { version, rule: rule?.id ?? null },
    evidence: evidenceOf(from, ingress, facts),
    sip: sipOf(answered, policy),
    smpp: smppOf(answered),
    // It says that the traffic is from abroad.
    label: labelled && facts.origin === 'abroad' ? policy.label : null,
    withholdCli: labelled && rules && !isLetGo && rule?.withholdCli === true,
    cacheUntil: cacheUntil(answered, snapshot),
  };
}

/** It passes undecided: with the label, unless the policy lets such traffic pass without one. */
function isLabelledOpen({ verdict, action }: Answer, rule: Rule | null): boolean {
  const isOpen = verdict === 'indeterminate' && action === 'open';
  return isOpen && rule !== null && rule.effect !== 'allow';
}

function isHeldBack({ verdict, action }: Answer): boolean {
  return verdict === 'indeterminate' && action === 'closed';
}

function sipOf(answered: Answer, policy: Policy): SipAnswer | null {
  if (isHeldBack(answered)) return { status: 503, reason: 'Service Unavailable', reasonHeader: null };
  if (answered.verdict !== 'block') return null;
  return { status: 603, reason: 'Network Blocked', reasonHeader: reasonHeader(answered, policy) };
}

/** 47 CFR 64.1200(k) and ATIS-1000099: where to turn to, or, where the policy has no address, why. */
function reasonHeader({ reasons }: Answer, { redress }: Policy): string {
  const contacts = Object.entries(redress ?? {}).map(([name, value]) => `${name}=${value}`);
  const text = contacts.length === 0 ? reasons[0]!.code : ['v=analytics1', ...contacts].join(';');
  return flat('Q.850;cause=21;text="', text, '";location=TN');
}

function smppOf(answered: Answer): { commandStatus: number } | null {
  if (isHeldBack(answered)) return { commandStatus: ESME.RTHROTTLED };
  if (answered.verdict !== 'block') return null;
  return { commandStatus: answered.subject === 'to' ? ESME.RINVDSTADR : ESME.RINVSRCADR };
}

/** Not beyond the end of an entry, and not at all where the data is old. */
function cacheUntil({ verdict, reasons }: Answer, { asOf, now }: Snapshot): string {
  const mayKeep = verdict !== 'indeterminate' && now - asOf <= HEAD_STALE_MS;
  const ends = reasons.flatMap(({ until }) => (until === null ? [] : [Date.parse(until)]));
  return new Date(mayKeep ? Math.min(now + GATEWAY_CACHE_MS, ...ends) : now).toISOString();
}
