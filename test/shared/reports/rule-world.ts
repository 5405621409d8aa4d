/** Rules, partners and reports for the tests of the rule engine. */
import type { CountedReport } from '../../../shared/reports/evaluate.ts';
import { evaluate } from '../../../shared/reports/evaluate.ts';
import { DEFAULT_RULES, type Rule, type RuleTarget, targetOf } from '../../../shared/reports/rule.ts';

export const NOW = Date.UTC(2026, 10, 24, 3, 12);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export function defaultRule(id: string): Rule {
  return DEFAULT_RULES.find((rule) => rule.id === id)!;
}

/** A report of spam from one hour ago by the subscriber `reporter`. */
export function report(partner: string, reporter: string, more: Partial<CountedReport> = {}): CountedReport {
  return {
    ...{ reporter, partner, kind: 'subscriber', spam: 'gambling' },
    ...{ channel: 'sms', origin: 'domestic', at: NOW - HOUR },
    ...more,
  };
}

/** Reports of `count` different reporters through one partner. */
export function reports(partner: string, count: number, more: Partial<CountedReport> = {}): CountedReport[] {
  return Array.from({ length: count }, (_, i) => report(partner, `${partner}-${i}`, more));
}

/** Weights of partners that have the record of a new partner. */
export const NEW_PARTNERS: ReadonlyMap<string, number> = new Map(
  ['skt', 'kt', 'lgu', 'mvno'].map((partner) => [partner, 0.5]),
);

/** The IDs of the default rules for this target that fire. */
export function firing(
  given: readonly CountedReport[],
  now = NOW,
  weights = NEW_PARTNERS,
  target: RuleTarget = 'number',
): string[] {
  return DEFAULT_RULES.filter(
    (rule) => targetOf(rule) === target && evaluate(rule, given, weights, now).fires,
  ).map(({ id }) => id);
}
