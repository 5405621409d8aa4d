/**
 * What the rules decide about one subject: pure. A rule fires once; while its decision is in force it can only be
 * confirmed, or lose its support because reports were withdrawn.
 */
import { REPORT_AHEAD_MS_MAX } from '../../shared/limits/reports.ts';
import { durationMs } from '../../shared/reports/duration.ts';
import { type CountedReport, confirms, evaluate } from '../../shared/reports/evaluate.ts';
import type { PartnerKind } from '../../shared/reports/partner.ts';
import type { Rule } from '../../shared/reports/rule.ts';
import type { Channel } from '../../shared/request.ts';
import type { RuleDecision } from '../storage/response-port.ts';

/** What a decision rests on, so that it can be looked at again as it was made. */
export interface Basis {
  readonly rule: Rule;
  readonly channel: Channel;
  readonly distinct: number;
  readonly kinds: readonly PartnerKind[];
  readonly byPartner: Readonly<Record<string, number>>;
  /** Of the partners that had reports. */
  readonly weights: Readonly<Record<string, number>>;
  /** ms since 1970. */
  readonly decidedAt: number;
  /** Until then the rule does not fire again. */
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
}

export interface SubjectState {
  readonly reports: readonly CountedReport[];
  /** Decisions in force. */
  readonly held: readonly Basis[];
  /** Earlier reports do not count, ms since 1970. */
  readonly resetAt: number;
  /** Whether reports were withdrawn since the last time. */
  readonly hasWithdrawn: boolean;
}

/** In order: what loses its support before what fires again. @param now ms since 1970 */
export function movesOf(
  { reports, held, resetAt, hasWithdrawn }: SubjectState,
  rules: Rules,
  now: number,
): Move[] {
  const moves: Move[] = [];
  const kept = new Set<string>();
  for (const basis of held) {
    if (hasWithdrawn && !isSupported(basis, reports, resetAt)) {
      moves.push({ event: 'unsupported', basis });
      continue;
    }
    kept.add(basis.rule.id);
    if (basis.isConfirmed) {
      const isLost = hasWithdrawn && !isConfirmedStill(basis, reports, resetAt);
      if (isLost) moves.push({ event: 'unconfirmed', basis: { ...basis, isConfirmed: false } });
      continue;
    }
    const confirmed = confirmedBy(basis, reports, rules.weights, resetAt, now);
    if (confirmed !== null) moves.push({ event: 'confirmed', basis: confirmed });
  }
  for (const rule of rules.rules) {
    // As many reports as reporters, at least.
    if (rule.state === 'off' || kept.has(rule.id) || reports.length < rule.distinct) continue;
    const { fires, distinct, kinds, byPartner } = evaluate(rule, reports, rules.weights, now, resetAt);
    if (!fires) continue;
    const newest = reports.reduce((one, other) => (other.at > one.at ? other : one));
    const basis: Basis = {
      ...{ rule, distinct, kinds, byPartner, decidedAt: now, isConfirmed: false },
      channel: rule.channel === 'any' ? newest.channel : rule.channel,
      weights: weightsOf(reports, rules.weights),
      endsAt: now + durationMs(rule.provisional),
    };
    moves.push({ event: 'fired', basis });
    const confirmed = confirmedBy(basis, reports, rules.weights, resetAt, now);
    if (confirmed !== null) moves.push({ event: 'confirmed', basis: confirmed });
  }
  return moves;
}

/** Whether the decision would still be made as it was. */
function isSupported(basis: Basis, reports: readonly CountedReport[], resetAt: number): boolean {
  const { rule, decidedAt } = basis;
  // It did not rest on what came after it. The clock of a partner may be ahead.
  const then = reports.filter(({ at }) => at <= decidedAt + REPORT_AHEAD_MS_MAX);
  // The rule may be off by now.
  const asDecided = { ...rule, state: 'active' as const };
  return evaluate(asDecided, then, weightsIn(basis), decidedAt, resetAt).fires;
}

function isConfirmedStill(basis: Basis, reports: readonly CountedReport[], resetAt: number): boolean {
  return confirms(basis.rule, basis.kinds, reports, weightsIn(basis), confirmationSince(basis, resetAt));
}

function weightsIn({ weights }: Basis): ReadonlyMap<string, number> {
  return new Map(Object.entries(weights));
}

/** The basis once reports of an independent kind support it; otherwise null. */
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
