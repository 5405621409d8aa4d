/**
 * Maps a decision to what a gateway needs: SIP and SMPP codes, the label, and how long it may cache the
 * response. Pure.
 */

import { flat } from '../flat.ts';
import { GATEWAY_CACHE_MS, HEAD_STALE_MS } from '../limits.ts';
import { type Evidence, evidenceOf, factsOf } from '../policy/facts.ts';
import { matchPolicy, type Policy, type Rule } from '../policy/policy.ts';
import type { ScreenRequest } from '../request.ts';
import type { CheckResponse } from './decision.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

export interface SipResponse {
  readonly status: number;
  readonly reason: string;
  /** Value of the Reason header (RFC 3326) to send with the status; null for none. */
  readonly reasonHeader: string | null;
}

export interface GatewayResponse extends CheckResponse {
  /** Version of the policy and its matching rule. The first of `reasons` decided. */
  readonly policy: { readonly version: number; readonly rule: string | null };
  readonly evidence: Evidence;
  /** Null if the call or text passes. */
  readonly sip: SipResponse | null;
  readonly smpp: { readonly commandStatus: number } | null;
  /** Put before a text or shown with a call; null for none. */
  readonly label: string | null;
  /** Whether to hide the sender's number. */
  readonly withholdCli: boolean;
  /** RFC 3339 time until which the gateway may reuse the response for the same request. */
  readonly cacheUntil: string;
}

/** SMPP 3.4, 5.1.3: which party was blocked, or that the client should retry. */
const ESME = { RINVSRCADR: 0x0a, RINVDSTADR: 0x0b, RTHROTTLED: 0x58 } as const;

/**
 * @param response from `screenAndFormat`, for this request and snapshot
 * @param mode of the client
 */
export function toGatewayResponse(
  request: ScreenRequest,
  response: CheckResponse,
  snapshot: Snapshot,
  mode: ClientSettings['mode'],
): GatewayResponse {
  const { from, channel, ingress } = request;
  if (from === null || ingress === null)
    throw new Error('a question of a gateway has a sender and an ingress');
  const { version, policy } = snapshot.policy;
  const facts = factsOf(from, channel, ingress);
  const { rule } = matchPolicy(policy, facts);
  const labelled = response.verdict === 'label' || (mode !== 'shadow' && isLabelledOpen(response, rule));
  // Only if the rule had an effect: an allow finding overrides the policy.
  const { reasons } = response;
  const rules = reasons.some(({ match, list }) => match === 'rule' && list === rule?.id);
  const isLetGo = reasons.some(({ effect, match }) => effect === 'allow' && match !== 'rule');
  return {
    ...response,
    policy: { version, rule: rule?.id ?? null },
    evidence: evidenceOf(from, ingress, facts),
    sip: sipOf(response, policy),
    smpp: smppOf(response),
    // The label says that the traffic is from abroad.
    label: labelled && facts.origin === 'abroad' ? policy.label : null,
    withholdCli: labelled && rules && !isLetGo && rule?.withholdCli === true,
    cacheUntil: cacheUntil(response, snapshot),
  };
}

/** Whether it passes without a decision and gets the label. No label if the policy allows such traffic. */
function isLabelledOpen({ verdict, action }: CheckResponse, rule: Rule | null): boolean {
  const isOpen = verdict === 'indeterminate' && action === 'open';
  return isOpen && rule !== null && rule.effect !== 'allow';
}

function isHeldBack({ verdict, action }: CheckResponse): boolean {
  return verdict === 'indeterminate' && action === 'closed';
}

function sipOf(response: CheckResponse, policy: Policy): SipResponse | null {
  if (isHeldBack(response)) return { status: 503, reason: 'Service Unavailable', reasonHeader: null };
  if (response.verdict !== 'block') return null;
  return { status: 603, reason: 'Network Blocked', reasonHeader: reasonHeader(response, policy) };
}

/** 47 CFR 64.1200(k) and ATIS-1000099: contacts for redress, or the code if the policy has none. */
function reasonHeader({ reasons }: CheckResponse, { redress }: Policy): string {
  const contacts = Object.entries(redress ?? {}).map(([name, value]) => `${name}=${value}`);
  const text = contacts.length === 0 ? reasons[0]!.code : ['v=analytics1', ...contacts].join(';');
  return flat('Q.850;cause=21;text="', text, '";location=TN');
}

function smppOf(response: CheckResponse): { commandStatus: number } | null {
  if (isHeldBack(response)) return { commandStatus: ESME.RTHROTTLED };
  if (response.verdict !== 'block') return null;
  return { commandStatus: response.subject === 'to' ? ESME.RINVDSTADR : ESME.RINVSRCADR };
}

/** Never beyond the expiry of an entry; not at all if the data is stale. */
function cacheUntil({ verdict, reasons }: CheckResponse, { asOf, now }: Snapshot): string {
  const mayKeep = verdict !== 'indeterminate' && now - asOf <= HEAD_STALE_MS;
  const ends = reasons.flatMap(({ until }) => (until === null ? [] : [Date.parse(until)]));
  return new Date(mayKeep ? Math.min(now + GATEWAY_CACHE_MS, ...ends) : now).toISOString();
}
