/**
 * Counter-evidence: facts that keep a rule from blocking a number or sender ID without a person, however many reports
 * there are. A person decides instead.
 */
import { REPORTS_PER_THOUSAND_MIN, RULE_RANGE_NUMBERS_MIN } from '../limits/reports.ts';
import type { Rule } from './rule.ts';

/**
 * Why a block is only proposed. `protected`: a guard or an allow list protects the subject. `registered`: it is a
 * registered sender. `lowRate`: it sends much for its reports. `guard`, `rulesFull`: the coordinator refused the block.
 * `approval`: the rule demands it. `unblocked`: a person unblocked the subject. `range`: one of many in its block of 100.
 */
export const PROPOSAL_CAUSES = [
  ...(['protected', 'registered', 'lowRate', 'guard'] as const),
  ...(['rulesFull', 'approval', 'unblocked', 'range'] as const),
] as const;
export type ProposalCause = (typeof PROPOSAL_CAUSES)[number];

/** The facts about a subject besides its reports. */
export interface SubjectFacts {
  readonly isProtected: boolean;
  /** Whether an organisation has registered it as its sender. */
  readonly isRegistered: boolean;
  /** Numbers that the clients of that organisation checked in the window; null if they are not counted. */
  readonly sent: number | null;
  /** Reporters in the window. */
  readonly reporters: number;
  readonly isUnblocked: boolean;
  /** Other numbers that rules block in its block of 100. */
  readonly neighbours: number;
}

/** Why a person must decide; empty if the rule may block. @param facts of the subject, when the rule fires */
export function causesOf(rule: Rule, facts: SubjectFacts): ProposalCause[] {
  const { isProtected, isRegistered, sent, reporters, isUnblocked, neighbours } = facts;
  const isLow = sent !== null && reporters * 1_000 < sent * REPORTS_PER_THOUSAND_MIN;
  const found: readonly [ProposalCause, boolean][] = [
    ['protected', isProtected],
    ['registered', isRegistered],
    ['lowRate', isLow],
    ['unblocked', isUnblocked],
    ['range', neighbours + 1 >= RULE_RANGE_NUMBERS_MIN],
    ['approval', rule.approval === 'propose'],
  ];
  return found.filter(([, applies]) => applies).map(([cause]) => cause);
}
