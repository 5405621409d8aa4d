/**
 * Evaluates a rule over the reports of one number or sender ID. Pure and exact: it counts reporters one by one. It uses
 * no sketch, because anyone who knows the hash of a sketch can inflate its count.
 */
import { PARTNER_WEIGHT_MIN } from '../limits/reports.ts';
import type { Channel } from '../request.ts';
import { assignReporters } from './assign.ts';
import { durationMs } from './duration.ts';
import { PARTNER_KINDS, type PartnerKind, RECORD_AT_FIRST, UNLIMITED_KINDS } from './partner.ts';
import type { ReportOrigin, SpamKind } from './report.ts';
import { type Rule, shareOf } from './rule.ts';

/** A report that is within the budgets and was not withdrawn. */
export interface CountedReport {
  /** Keyed, the same for all partners. */
  readonly reporter: string;
  readonly partner: string;
  /** Kind of the partner. */
  readonly kind: PartnerKind;
  readonly spam: SpamKind;
  readonly channel: Channel;
  readonly origin: ReportOrigin;
  /** ms since 1970. */
  readonly at: number;
}

export interface Evaluation {
  readonly fires: boolean;
  /** Reporters that count, before the reporters of `notSpam` are subtracted. */
  readonly distinct: number;
  /** Sum of the weights of the partners whose reports count. */
  readonly weight: number;
  /** Reporters that count, by partner. 0 for a partner whose reporters all count for others. */
  readonly byPartner: Readonly<Record<string, number>>;
  /** Kinds of the partners whose reports count. */
  readonly kinds: readonly PartnerKind[];
  /** Reporters of `notSpam`, each partner within its share. */
  readonly notSpam: number;
}

/** What one reporter reports through one partner. The later of the two times decides. */
interface Statement {
  spamAt: number;
  notSpamAt: number;
  /** Whether the rule counts any of its reports of spam. */
  counts: boolean;
}

/** The statements that came through one partner. */
interface Statements {
  /** Nearly always one kind. There are several if the kind of the partner changed. */
  readonly kinds: Set<PartnerKind>;
  readonly byReporter: Map<string, Statement>;
}

/**
 * O(reports), and O(reporters x partners) if partners share reporters.
 * @param weights effective weights by partner. A partner without one weighs least
 * @param now ms since 1970
 * @param resetAt earlier reports no longer count: a person or an appeal lifted a block, ms since 1970
 */
export function evaluate(
  rule: Rule,
  reports: Iterable<CountedReport>,
  weights: ReadonlyMap<string, number>,
  now: number,
  resetAt = 0,
): Evaluation {
  // A report exactly as old as the window no longer counts. Otherwise a window over evenly spaced reports holds one more.
  const since = Math.max(now - durationMs(rule.window) + 1, resetAt);
  /** The partners of each reporter, in order, separated by spaces. */
  const spam = new Map<string, string>();
  const notSpam = new Map<string, string>();
  const statements = statementsOf(rule, reports, since);
  const share = shareOf(rule.distinct, rule.maxShare);
  const roomOf = (partner: string) =>
    [...statements.get(partner)!.kinds].every((kind) => UNLIMITED_KINDS.includes(kind))
      ? Number.POSITIVE_INFINITY
      : share;
  for (const [partner, { byReporter }] of [...statements].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (roomOf(partner) === 0) continue;
    for (const [reporter, { spamAt, notSpamAt, counts }] of byReporter) {
      if (notSpamAt >= spamAt) add(notSpam, reporter, partner);
      else if (counts) add(spam, reporter, partner);
    }
  }
  const byPartner = assignReporters(tally(spam.values()), roomOf);
  const distinct = sum(byPartner.values());
  const against = sum(assignReporters(tally(notSpam.values()), roomOf).values());
  const deciding = [...byPartner.keys()];
  const weight = sum(deciding.map((partner) => weights.get(partner) ?? PARTNER_WEIGHT_MIN));
  return {
    fires: rule.state !== 'off' && distinct - against >= rule.distinct && weight >= rule.weightMin,
    ...{ distinct, weight, notSpam: against },
    byPartner: Object.fromEntries(byPartner),
    kinds: rule.kinds.filter((kind) => deciding.some((partner) => statements.get(partner)!.kinds.has(kind))),
  };
}

/** Subscribers confirm a block if there are at least a fifth as many as the reporters that the rule requires. */
const CONFIRMING_SUBSCRIBERS = 5;

/**
 * Whether reports since `since` confirm a block that partners of the kinds `decided` made: one reporter of another
 * kind, or several subscribers, through partners that weigh at least RECORD_AT_FIRST.
 */
export function confirms(
  rule: Rule,
  decided: readonly PartnerKind[],
  reports: Iterable<CountedReport>,
  weights: ReadonlyMap<string, number>,
  since: number,
): boolean {
  const subscribers = new Set<string>();
  const all = statementsOf({ ...rule, kinds: [...PARTNER_KINDS] }, reports, since);
  for (const [partner, { kinds, byReporter }] of all) {
    if ((weights.get(partner) ?? PARTNER_WEIGHT_MIN) < RECORD_AT_FIRST) continue;
    if (decided.some((kind) => kinds.has(kind))) continue;
    for (const [reporter, { spamAt, notSpamAt, counts }] of byReporter) {
      if (!counts || notSpamAt >= spamAt) continue;
      if (!kinds.has('subscriber')) return true;
      subscribers.add(reporter);
    }
  }
  return subscribers.size >= Math.max(1, rule.distinct / CONFIRMING_SUBSCRIBERS);
}

/**
 * What each reporter reports through each partner since a time. A report of `notSpam` counts for every rule of the
 * channel, whatever the origin and the kind of partner.
 */
function statementsOf(
  { channel, origin, kinds }: Rule,
  reports: Iterable<CountedReport>,
  since: number,
): Map<string, Statements> {
  const byPartner = new Map<string, Statements>();
  for (const report of reports) {
    const { reporter, partner, kind, spam, at } = report;
    if (at < since || (channel !== 'any' && report.channel !== channel)) continue;
    let found = byPartner.get(partner);
    if (found === undefined) {
      found = { kinds: new Set(), byReporter: new Map() };
      byPartner.set(partner, found);
    }
    found.kinds.add(kind);
    let statement = found.byReporter.get(reporter);
    if (statement === undefined) {
      statement = { spamAt: NEVER, notSpamAt: NEVER, counts: false };
      found.byReporter.set(reporter, statement);
    }
    if (spam === 'notSpam') {
      statement.notSpamAt = Math.max(statement.notSpamAt, at);
      continue;
    }
    statement.spamAt = Math.max(statement.spamAt, at);
    statement.counts ||= kinds.includes(kind) && (origin === 'any' || report.origin === origin);
  }
  return byPartner;
}

const NEVER = Number.NEGATIVE_INFINITY;

function add(partnersOf: Map<string, string>, reporter: string, partner: string): void {
  const partners = partnersOf.get(reporter);
  partnersOf.set(reporter, partners === undefined ? partner : `${partners} ${partner}`);
}

function tally(values: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
