/**
 * Formats a decision for `/v1/gateway/check`. To the response of a check, it adds what a gateway needs next: SIP
 * and SMPP codes, the label, and how long the gateway may cache the response. Pure.
 */

import type { IdentityResult } from '../credentials/identity.ts';
import type { PassportKind } from '../credentials/passport.ts';
import { flat } from '../flat.ts';
import { HEAD_STALE_MS } from '../limits/edge.ts';
import { GATEWAY_CACHE_MS } from '../limits/requests.ts';
import { type Evidence, evidenceOf, type Facts } from '../policy/facts.ts';
import type { Policy } from '../policy/policy.ts';
import type { ATTESTATIONS, ScreenRequest } from '../request.ts';
import type { Code } from '../verdict.ts';
import { type CheckResponse, formatDecision } from './check-response.ts';
import type { Decision } from './decision.ts';
import { IDENTITY_RULE } from './identity.ts';
import type { Snapshot } from './snapshot.ts';

export interface SipResponse {
  readonly status: number;
  readonly reason: string;
  /** Value of the Reason header (RFC 3326) to send with the status; null for none. */
  readonly reasonHeader: string | null;
}

interface IdentityEvidence {
  /** Kind of the caller's PASSporT; null if the PASSporT cannot be read. */
  readonly ppt: PassportKind | null;
  readonly verified: boolean;
  /** Why the PASSporT does not vouch for the call or text. */
  readonly code?: Code;
  /** Present if the PASSporT signs a digest of the message. No gateway sends the encoded body, so it is not verified. */
  readonly msgi?: 'unverified';
}

export interface GatewayResponse extends CheckResponse {
  /** Version of the policy and its matching rule. The first of `reasons` decided. */
  readonly policy: { readonly version: number; readonly rule: string | null };
  readonly evidence: Evidence;
  /** The attestation (RFC 8588) and its source: a PASSporT that was verified here, or a claim of the gateway. */
  readonly attestation: {
    readonly level: (typeof ATTESTATIONS)[number];
    readonly source: 'verified' | 'claimed';
  } | null;
  /** Whether the PASSporTs of the request vouch for the request; null if it has none. */
  readonly identity: IdentityEvidence | null;
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

/** How SIP reports the fault of an `Identity` header (RFC 8224, section 6.2.2, and RFC 9410). */
const SIP_IDENTITY: Partial<Record<Code, readonly [status: number, reason: string]>> = {
  TOKEN_MISSING: [428, 'Use Identity Header'],
  TOKEN_INVALID: [438, 'Invalid Identity Header'],
  TOKEN_AUDIENCE: [438, 'Invalid Identity Header'],
  TOKEN_EXPIRED: [403, 'Stale Date'],
  CERTIFICATE_INVALID: [436, 'Bad Identity Info'],
  CERTIFICATE_NOT_YET_VALID: [437, 'Unsupported Credential'],
  CERTIFICATE_EXPIRED: [437, 'Unsupported Credential'],
  CERTIFICATE_MISMATCH: [437, 'Unsupported Credential'],
};

/** @param decision on this request, from this snapshot */
export function toGatewayResponse(
  request: ScreenRequest,
  decision: Decision,
  snapshot: Snapshot,
): GatewayResponse {
  const { policy: decided, reading = request } = decision;
  const { from, ingress } = reading;
  if (decided === undefined || from === null || ingress === null) {
    throw new Error('a gateway request has a sender and an ingress');
  }
  const { version, facts, rule, applies, isLabelled } = decided;
  const { policy } = snapshot.policy;
  return {
    ...formatDecision(request, decision, snapshot),
    policy: { version, rule: rule?.id ?? null },
    evidence: evidenceOf(from, ingress, facts),
    attestation: attestationOf(facts, decision.identity),
    identity: decision.identity === undefined ? null : identityEvidence(decision.identity),
    sip: sipOf(decision, policy),
    smpp: smppOf(decision),
    // The label says that the traffic is from abroad.
    label: isLabelled && facts.origin === 'abroad' ? policy.label : null,
    withholdCli: isLabelled && applies && rule?.withholdCli === true,
    cacheUntil: cacheUntil(decision, snapshot),
  };
}

function attestationOf(
  { attestation: level }: Facts,
  identity: IdentityResult | undefined,
): GatewayResponse['attestation'] {
  if (level === 'none') return null;
  return { level, source: identity?.vouches === true ? 'verified' : 'claimed' };
}

function identityEvidence(identity: IdentityResult): IdentityEvidence {
  const { ppt, vouches: verified } = identity;
  if (!identity.vouches) return { ppt, verified, code: identity.code };
  return identity.hasMessageDigest ? { ppt, verified, msgi: 'unverified' } : { ppt, verified };
}

function isHeldBack({ verdict, action }: Decision): boolean {
  return verdict === 'indeterminate' && action === 'closed';
}

function sipOf(decision: Decision, policy: Policy): SipResponse | null {
  if (isHeldBack(decision)) return { status: 503, reason: 'Service Unavailable', reasonHeader: null };
  if (decision.verdict !== 'block') return null;
  const refusal =
    decision.reasons[0]!.list === IDENTITY_RULE ? SIP_IDENTITY[decision.reasons[0]!.code] : null;
  if (refusal != null) {
    const [status, reason] = refusal;
    return { status, reason, reasonHeader: flat('STIR;cause=', String(status), ';text="', reason, '"') };
  }
  return { status: 603, reason: 'Network Blocked', reasonHeader: reasonHeader(decision, policy) };
}

/** 47 CFR 64.1200(k) and ATIS-1000099: contacts for redress, or the code if the policy has none. */
function reasonHeader({ reasons }: Decision, { redress }: Policy): string {
  const contacts = Object.entries(redress ?? {}).map(([name, value]) => `${name}=${value}`);
  const text = contacts.length === 0 ? reasons[0]!.code : ['v=analytics1', ...contacts].join(';');
  return flat('Q.850;cause=21;text="', text, '";location=TN');
}

function smppOf(decision: Decision): { commandStatus: number } | null {
  if (isHeldBack(decision)) return { commandStatus: ESME.RTHROTTLED };
  if (decision.verdict !== 'block') return null;
  return { commandStatus: decision.subject === 'to' ? ESME.RINVDSTADR : ESME.RINVSRCADR };
}

/** Never later than the expiry of an entry. Now, if the data is stale or the verdict is `indeterminate`. */
function cacheUntil({ verdict, reasons }: Decision, { asOf, now }: Snapshot): string {
  const mayKeep = verdict !== 'indeterminate' && now - asOf <= HEAD_STALE_MS;
  const ends = reasons.flatMap(({ until }) => (until === null ? [] : [Date.parse(until)]));
  return new Date(mayKeep ? Math.min(now + GATEWAY_CACHE_MS, ...ends) : now).toISOString();
}
