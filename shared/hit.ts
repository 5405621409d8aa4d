/**
 * A hit: one thing that speaks for or against an address, its place in the order of precedence, and how it
 * is told.
 */

import type { LiveEntry } from './live/entry.ts';
import type { Rule } from './policy/policy.ts';
import type { ListInfo } from './release/manifest.ts';
import { FOREVER } from './set/layout.ts';
import type { Code, Effect, Match, Reason, Subject, Verdict } from './verdict.ts';

/**
 * Places in the order of precedence; a lower one decides. Up to `unavailable` a hit overrides every
 * weaker place of what it is about. Missing data has one of two places. `unavailable`: an allow entry may be
 * missing, which would override a block that is loaded. `incomplete`: only blocks and labels may be missing,
 * which can take no block back.
 */
export const RANK = {
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
 * What a hit of a subject is about: its address, one thing that is known of the way it came, or the policy on
 * traffic from abroad. What lets one of them through lets the policy go, and takes nothing back that is said
 * of another: a trusted operator does not make a terminated number good. `data` (it is old) is about all of them.
 */
export type About = 'address' | 'operator' | 'trunk' | 'smsc' | 'policy' | 'data';

export interface Hit {
  readonly rank: number;
  readonly about: About;
  readonly verdict: Verdict;
  readonly reason: Reason;
}

/** What a rule says, or what the data itself is. @param list name of the rule */
export function hit(
  rank: number,
  verdict: Verdict,
  subject: Subject,
  code: Code,
  match: Match,
  list: string | null = null,
  about: About = match === 'data' ? 'data' : 'address',
): Hit {
  return {
    rank,
    about,
    verdict,
    reason: { subject, code, list, match, effect: verdict, authority: null, until: null },
  };
}

/** What a rule of the gateway policy says of a sender; null where it lets it pass without a word. */
export function policyHit({ id, effect, code }: Rule): Hit | null {
  if (code === undefined) return null;
  return {
    rank: RANK.rule,
    about: 'policy',
    verdict: verdictOf(effect),
    reason: { subject: 'from', code, list: id, match: 'rule', effect, authority: null, until: null },
  };
}

/** What is on trial is told and decides nothing. */
function verdictOf(effect: Effect): Verdict {
  return effect === 'shadow' ? 'allow' : effect;
}

/** What a list of the release says. @param until seconds since 1970, or FOREVER */
export function listHit(
  subject: Subject,
  info: ListInfo,
  match: Match,
  until: number,
  about: About = 'address',
): Hit {
  const allows = info.effect === 'allow';
  const ranged = match === 'range';
  const rank = allows ? (ranged ? RANK.allowRange : RANK.allowExact) : ranged ? RANK.range : RANK.exact;
  const reason: Reason = {
    subject,
    code: allows ? 'ALLOW_OVERRIDE' : info.reason,
    list: info.name,
    match,
    effect: info.effect,
    authority: info.authority,
    until: timeOf(until),
  };
  return { rank, about, verdict: verdictOf(info.effect), reason };
}

/** What a block or an unblock of the live layer says. */
export function liveHit(subject: Subject, match: Match, entry: LiveEntry, about: About): Hit {
  const blocks = entry.op === 'block';
  const verdict = blocks ? 'block' : 'allow';
  const reason: Reason = {
    subject,
    code: entry.code ?? 'ALLOW_OVERRIDE',
    list: 'live',
    match,
    effect: verdict,
    authority: entry.authority,
    until: timeOf(entry.until),
  };
  return { rank: blocks ? RANK.liveBlock : RANK.liveUnblock, about, verdict, reason };
}

/** When an entry ends, as it is told. */
export function timeOf(until: number): string | null {
  return until === FOREVER ? null : new Date(until * 1000).toISOString();
}
