/** The grounds of a block: the decisions of rules, as the desk received them. */
import type { Rule } from '../../shared/reports/rule.ts';
import type { RuleDecision } from '../storage/response-port.ts';
import type { Ground, StoredBlock } from './block-rows.ts';

/** A decision without its subject in clear. */
export type KeyedDecision = Omit<RuleDecision, 'subject'>;

export function ruleIdOf({ rule }: Pick<RuleDecision, 'rule'>): string {
  return rule.slice(0, rule.lastIndexOf('@'));
}

/** @param installed the newest version of the rule */
export function groundOf(decision: KeyedDecision, installed: Rule): Ground {
  const { channel, distinct, kinds, byPartner, decidedAt } = decision;
  const version = Number(decision.rule.slice(decision.rule.lastIndexOf('@') + 1));
  return {
    ...{ rule: { ...installed, version }, channel, distinct, kinds, byPartner },
    ...{ firedAt: decidedAt, isConfirmed: false },
  };
}

export function replaced(block: StoredBlock, ground: Ground, changed: Ground): StoredBlock {
  return { ...block, grounds: block.grounds.map((each) => (each === ground ? changed : each)) };
}

/** Adds a ground. A ground of the same rule is replaced in place, and stays confirmed until the rule loses that. */
export function withGround({ grounds }: StoredBlock, ground: Ground): readonly Ground[] {
  const isKnown = grounds.some(({ rule }) => rule.id === ground.rule.id);
  if (!isKnown) return [...grounds, ground];
  return grounds.map((each) =>
    each.rule.id === ground.rule.id ? { ...ground, isConfirmed: each.isConfirmed } : each,
  );
}
