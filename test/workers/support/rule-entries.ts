/** Batches of rule entries for tests, as the desk of the joint response sends them. */
import type { RuleEntryChange, RuleEntryResult } from '../../../workers/storage/rule-entries-port.ts';
import { coordinator } from './coordinator.ts';

export const DAY = 86_400_000;
/** At which the rule entries of a test end. */
export const END = Date.UTC(2040, 0, 10);

export function ruleChange(
  op: RuleEntryChange['op'],
  n: number,
  more: Partial<RuleEntryChange> = {},
): RuleEntryChange {
  return {
    ...{ id: 'b1', op, subject: { kind: 'number', n }, rule: 'kr-50@3', stage: 'provisional' },
    ...{ until: END, reason: '50 reporters in 24h', ...more },
  };
}

let last = 0;

/** Sends the changes as the next batch. */
export async function applyRules(
  ...changes: readonly RuleEntryChange[]
): Promise<readonly RuleEntryResult[]> {
  const done = await coordinator().applyRuleEntries(++last, changes);
  return done.results!;
}

/** Results in short: why, or `ok`. */
export function shortResults(results: readonly RuleEntryResult[]): string[] {
  return results.map((result) => ('refused' in result ? result.refused : 'ok'));
}
