/**
 * A hit: one thing that speaks for or against an address, its place in the order of precedence, and how it
 * is told.
 */
import type { LiveEntry } from './live/entry.ts';
import type { ListInfo } from './release/manifest.ts';
import { FOREVER } from './set/layout.ts';
import type { Code, Match, Reason, Subject, Verdict } from './verdict.ts';

/**
 * Places in the order of precedence; a lower one decides. Up to `unavailable` a hit overrides every
 * weaker place of its subject: an allow entry that is not loaded could be the answer to a block that is.
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
  stale: 10,
} as const;

export interface Hit {
  readonly rank: number;
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
): Hit {
  return {
    rank,
    verdict,
    reason: { subject, code, list, match, effect: verdict, authority: null, until: null },
  };
}

/** What a list of the release says. @param until seconds since 1970, or FOREVER */
export function listHit(
  subject: Subject,
  info: ListInfo,
  match: 'exact' | 'range' | 'source',
  until: number,
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
  // A list on trial (shadow) is reported and decides nothing.
  return { rank, verdict: info.effect === 'shadow' ? 'allow' : info.effect, reason };
}

/** What a block or an unblock of the live layer says. */
export function liveHit(subject: Subject, match: 'exact' | 'source', entry: LiveEntry): Hit {
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
  return { rank: blocks ? RANK.liveBlock : RANK.liveUnblock, verdict, reason };
}

/** When an entry ends, as it is told. */
function timeOf(until: number): string | null {
  return until === FOREVER ? null : new Date(until * 1000).toISOString();
}
