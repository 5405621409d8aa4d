/**
 * A finding: one thing found for or against a party, its precedence, and the reason it becomes.
 */

import type { LiveEntry } from '../live/entry.ts';
import type { Rule } from '../policy/policy.ts';
import type { ListInfo } from '../release/manifest.ts';
import { FOREVER } from '../set/layout.ts';
import {
  type Code,
  type Effect,
  type Match,
  markOf,
  type Reason,
  type Subject,
  type Verdict,
} from '../verdict.ts';

/**
 * Order of precedence: a lower value decides. Up to `unavailable`, a finding overrides every weaker finding
 * of its aspect. Missing data has one of two values. `unavailable`: an allow entry may be missing, which
 * would override a loaded block. `incomplete`: only blocks and labels may be missing, which override nothing.
 */
export const PRECEDENCE = {
  test: 0,
  emergency: 1,
  liveUnblock: 2,
  allowExact: 3,
  allowRange: 4,
  unavailable: 5,
  liveBlock: 6,
  exact: 7,
  range: 8,
  rule: 9,
  incomplete: 10,
  stale: 11,
} as const;

/**
 * What a finding is about: the party itself, its registration for the client, its PASSporT, one property of the
 * ingress, its text, or the policy on traffic from abroad. An allow for one aspect overrides the policy, but no finding
 * of another aspect: a trusted operator does not make a terminated number valid. `data` (stale) concerns all aspects.
 */
export type Aspect =
  | 'party'
  | 'registration'
  | 'identity'
  | 'operator'
  | 'trunk'
  | 'smsc'
  | 'policy'
  | 'text'
  | 'data';

export interface Finding {
  readonly precedence: number;
  readonly aspect: Aspect;
  readonly verdict: Verdict;
  readonly reason: FoundReason;
}

/** The data that the reference of a block needs besides its reason. */
export interface BlockedParty {
  /** The number, or the text of the sender ID. */
  readonly party: number | string;
  /** `seq` of the live entry; null for a list. */
  readonly seq: number | null;
}

/** A reason before it is formatted. */
export interface FoundReason extends Reason {
  /** For a block that can be appealed. */
  readonly blocked?: BlockedParty | undefined;
}

/** A finding from a rule or about the data itself. @param list name of the rule */
export function finding(
  precedence: number,
  verdict: Verdict,
  subject: Subject,
  code: Code,
  match: Match,
  list: string | null = null,
  aspect: Aspect = match === 'data' ? 'data' : 'party',
): Finding {
  return {
    precedence,
    aspect,
    verdict,
    reason: { subject, code, list, match, effect: verdict, authority: null, until: null },
  };
}

/** The finding from a policy rule on the sender; null if the rule allows it and has no code. */
export function policyFinding({ id, effect, code }: Rule): Finding | null {
  return code === undefined ? null : ruleFinding(effect, code, id, 'policy');
}

/** The finding from a rule on the sender, with the effect of the rule. @param list name of the rule */
export function ruleFinding(effect: Effect, code: Code, list: string, aspect: Aspect): Finding {
  return {
    precedence: PRECEDENCE.rule,
    aspect,
    verdict: verdictOf(effect),
    reason: { subject: 'from', code, list, match: 'rule', effect, authority: null, until: null },
  };
}

/** A shadow finding is reported but decides nothing. */
function verdictOf(effect: Effect): Verdict {
  return effect === 'shadow' ? 'allow' : effect;
}

/**
 * The finding from a list of the release.
 * @param until seconds since 1970, or FOREVER @param party whose block can be appealed; null for other sources
 */
export function listFinding(
  subject: Subject,
  info: ListInfo,
  match: Match,
  until: number,
  party: number | string | null,
  aspect: Aspect = 'party',
): Finding {
  const allows = info.effect === 'allow';
  const ranged = match === 'range';
  const precedence = allows
    ? ranged
      ? PRECEDENCE.allowRange
      : PRECEDENCE.allowExact
    : ranged
      ? PRECEDENCE.range
      : PRECEDENCE.exact;
  const reason: FoundReason = {
    subject,
    code: allows ? 'ALLOW_OVERRIDE' : info.reason,
    list: info.name,
    match,
    effect: info.effect,
    authority: info.authority,
    until: formatUntil(until),
    blocked: info.effect === 'block' && party !== null ? { party, seq: null } : undefined,
    ...markOf(info),
  };
  return { precedence, aspect, verdict: verdictOf(info.effect), reason };
}

/** The finding from a live block or unblock. @param party as for `listFinding` */
export function liveFinding(
  subject: Subject,
  match: Match,
  entry: LiveEntry,
  party: number | string | null,
  aspect: Aspect,
): Finding {
  const blocks = entry.op === 'block';
  const verdict = blocks ? 'block' : 'allow';
  const reason: FoundReason = {
    subject,
    code: entry.code ?? 'ALLOW_OVERRIDE',
    list: 'live',
    match,
    effect: verdict,
    authority: entry.authority,
    until: formatUntil(entry.until),
    blocked: blocks && party !== null ? { party, seq: entry.seq } : undefined,
    ...markOf(entry),
  };
  return {
    precedence: blocks ? PRECEDENCE.liveBlock : PRECEDENCE.liveUnblock,
    aspect,
    verdict,
    reason,
  };
}

/** The expiry of an entry, as it is sent. */
export function formatUntil(until: number): string | null {
  return until === FOREVER ? null : new Date(until * 1000).toISOString();
}
