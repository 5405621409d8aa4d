/**
 * Decides what the rules do about one subject. Pure. A rule fires once. While its decision is in force, the decision can
 * only be confirmed, or lose its support because reports were withdrawn.
 */
import { durationMs } from '../../shared/reports/duration.ts';
import { type CountedReport, confirms, evaluate } from '../../shared/reports/evaluate.ts';
import type { PartnerKind } from '../../shared/reports/partner.ts';
import { rehearse } from '../../shared/reports/rehearse.ts';
import { isShadow, type Rule } from '../../shared/reports/rule.ts';
import type { Channel } from '../../shared/request.ts';
import type { RuleDecision } from '../storage/response-port.ts';

/** A report, and when it was counted in ms since 1970. The report's own time is only what the partner claims. */
export interface ArrivedReport extends CountedReport {
  readonly arrivedAt: number;
}

/** The basis of a decision, so that the decision can be checked again as it was made. */
export interface Basis {
  readonly rule: Rule;
  readonly channel: Channel;
  readonly distinct: number;
  readonly kinds: readonly PartnerKind[];
  readonly byPartner: Readonly<Record<string, number>>;
  /** Weights of the partners that had reports. */
  readonly weights: Readonly<Record<string, number>>;
  /** End of the window that decided, ms since 1970. */
  readonly decidedAt: number;
  /** The decision uses no report that arrived after this time, ms since 1970. */
  readonly arrivedBy: number;
  /** The rule does not fire again before this time, ms since 1970. */
  readonly endsAt: number;
  readonly isConfirmed: boolean;
}

export interface Move {
  readonly event: RuleDecision['event'];
  readonly basis: Basis;
}

export interface Rules {
  readonly rules: readonly Rule[];
  readonly weights: ReadonlyMap<string, number>;
  /** Partners whose reports no longer decide or confirm anything. */
  readonly suspended: ReadonlySet<string>;
}

export interface SubjectState {
  readonly reports: readonly ArrivedReport[];
  /** Decisions about the subject, at most one for each rule. After a decision ends, a late approval may still be in force. */
  readonly held: readonly Basis[];
  /** Reports before this time do not count, ms since 1970. */
  readonly resetAt: number;
  /** Whether reports were withdrawn since the last evaluation. */
  readonly hasWithdrawn: boolean;
}

/** The changes of decisions, in order: rules lose their support before they fire again. @param now ms since 1970 */
export function movesOf(
  { reports: all, held, resetAt, hasWithdrawn }: SubjectState,
  { rules, weights, suspended }: Rules,
  now: number,
): Move[] {
  const moves: Move[] = [];
  const kept = new Set<string>();
  // A partner may have sent reports before the reset that are dated after it.
  const reports = all.filter(({ arrivedAt }) => arrivedAt >= resetAt);
  const deciding = reports.filter(({ partner }) => !suspended.has(partner));
  for (const before of held) {
    const basis = hasWithdrawn ? supported(before, reports, resetAt, now) : before;
    if (basis === null) {
      moves.push({ event: 'unsupported', basis: before });
      continue;
    }
    if (basis !== before) moves.push({ event: 'fired', basis });
    const rule = rules.find(({ id }) => id === basis.rule.id);
    const leavesShadow = rule !== undefined && isShadow(basis.rule) && !isShadow(rule);
    if (basis.endsAt > now && !leavesShadow) kept.add(basis.rule.id);
    if (basis.isConfirmed) {
      const isLost = hasWithdrawn && !isConfirmedStill(basis, reports, resetAt);
      if (isLost) moves.push({ event: 'unconfirmed', basis: { ...basis, isConfirmed: false } });
      continue;
    }
    const confirmed = confirmedBy(basis, deciding, weights, resetAt, now);
    if (confirmed !== null) moves.push({ event: 'confirmed', basis: confirmed });
  }
  for (const rule of rules) {
    // There cannot be more reporters than reports.
    if (rule.state === 'off' || kept.has(rule.id) || deciding.length < rule.distinct) continue;
    const { fires, distinct, kinds, byPartner } = evaluate(rule, deciding, weights, now, resetAt);
    if (!fires) continue;
    const newest = deciding.reduce((one, other) => (other.at > one.at ? other : one));
    const basis: Basis = {
      ...{ rule, distinct, kinds, byPartner, decidedAt: now, arrivedBy: now, isConfirmed: false },
      channel: rule.channel === 'any' ? newest.channel : rule.channel,
      weights: weightsOf(deciding, weights),
      endsAt: now + durationMs(rule.provisional),
    };
    moves.push({ event: 'fired', basis });
    const confirmed = confirmedBy(basis, deciding, weights, resetAt, now);
    if (confirmed !== null) moves.push({ event: 'confirmed', basis: confirmed });
  }
  return moves;
}

/**
 * The decision as it was made, if the remaining reports still support it; otherwise as later reports support it. So one
 * withdrawn report does not unblock a subject that many others report. Null if the reports were never enough.
 */
function supported(
  basis: Basis,
  reports: readonly ArrivedReport[],
  resetAt: number,
  now: number,
): Basis | null {
  const { decidedAt, arrivedBy } = basis;
  // The rule may be off by now.
  const rule = { ...basis.rule, state: 'active' as const };
  const weights = weightsIn(basis);
  const then = reports.filter(({ arrivedAt }) => arrivedAt <= arrivedBy);
  if (evaluate(rule, then, weights, decidedAt, resetAt).fires) return basis;
  // Other kinds are left out: they have confirmed the decision, or may still confirm it.
  const same = { ...rule, kinds: [...basis.kinds] };
  const at = rehearse(same, reports, weights, resetAt);
  if (at === null) return null;
  const until = reports.filter((report) => report.at <= at);
  const { distinct, kinds, byPartner } = evaluate(same, until, weights, at, resetAt);
  return { ...basis, distinct, kinds, byPartner, decidedAt: at, arrivedBy: now };
}

function isConfirmedStill(basis: Basis, reports: readonly CountedReport[], resetAt: number): boolean {
  return confirms(basis.rule, basis.kinds, reports, weightsIn(basis), confirmationSince(basis, resetAt));
}

function weightsIn({ weights }: Basis): ReadonlyMap<string, number> {
  return new Map(Object.entries(weights));
}

/** The confirmed basis if reports of an independent kind support it; otherwise null. */
function confirmedBy(
  basis: Basis,
  reports: readonly CountedReport[],
  weights: ReadonlyMap<string, number>,
  resetAt: number,
  now: number,
): Basis | null {
  const { rule, kinds } = basis;
  if (!confirms(rule, kinds, reports, weights, confirmationSince(basis, resetAt))) return null;
  const merged = { ...basis.weights };
  for (const [partner, weight] of Object.entries(weightsOf(reports, weights)))
    merged[partner] = Math.max(weight, merged[partner] ?? 0);
  return { ...basis, weights: merged, endsAt: now + durationMs(rule.confirmed), isConfirmed: true };
}

function confirmationSince({ rule, decidedAt }: Basis, resetAt: number): number {
  return Math.max(decidedAt - durationMs(rule.window), resetAt);
}

function weightsOf(
  reports: readonly CountedReport[],
  weights: ReadonlyMap<string, number>,
): Record<string, number> {
  const partners = new Set(reports.map(({ partner }) => partner));
  return Object.fromEntries(
    [...partners].flatMap((partner) => {
      const weight = weights.get(partner);
      return weight === undefined ? [] : [[partner, weight]];
    }),
  );
}
