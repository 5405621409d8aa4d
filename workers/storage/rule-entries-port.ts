/**
 * The changes that the desk of the joint response makes in the live layer: blocks that rules decided, and lifts of these
 * blocks. The coordinator gets nothing else about reports.
 */
import type { SenderSubject } from '../../shared/reports/report.ts';
import type { BlockStage } from '../../shared/verdict.ts';

/** One change of the entry of a rule. It concerns the sender only. */
export interface RuleEntryChange {
  /** ID of the rule block, for the audit log. */
  readonly id: string;
  /**
   * `block` sets the entry, which replaces the present entry of rules. `lift` ends the entries of rules, in the live
   * layer and in releases. All other entries decide as before.
   */
  readonly op: 'block' | 'lift';
  /** A number or sender ID. */
  readonly subject: SenderSubject;
  /** ID and version of the rule: `kr-50@3`. */
  readonly rule: string;
  readonly stage: BlockStage;
  /** End of the block, ms since 1970. For a lift, the end of the lifted block. */
  readonly until: number;
  /** End of the replaced block, if that is later than the end of this block: releases may contain the replaced block. */
  readonly replacedUntil?: number;
  readonly reason: string;
}

/** Why a block was not set. A lift is refused only with `rulesFull`: repeat it later. */
export type RuleEntryRefusal =
  /** Guards of live changes. Emergency numbers and test numbers are protected, too. */
  | 'protected-number'
  | 'whole-block'
  | 'operator-share'
  /** Rules already have RULE_ENTRIES_MAX entries. */
  | 'rulesFull'
  /** An entry of another authority is in force, or an allow list has the subject. */
  | 'unblocked'
  | 'blocked'
  /** The subject can have no entry, or the block would already have ended. */
  | 'invalid';

/** `applied`: the `seq` of the head from which on the change is visible. */
export type RuleEntryResult = { readonly applied: number } | { readonly refused: RuleEntryRefusal };

export interface RuleEntriesPort {
  /**
   * Applies a batch in one transaction. Idempotent by `n`, which rises with each batch; the last batch may be repeated.
   * @param changes at most RULE_CHANGES_MAX, each subject once
   * @returns `last`: the number of the last batch that was applied; results in the order of the changes, or null if
   *   `n` is below `last`: nothing was changed
   * @throws if the batch cannot be applied now: send the same batch again
   */
  applyRuleEntries(
    n: number,
    changes: readonly RuleEntryChange[],
  ): Promise<{ readonly last: number; readonly results: readonly RuleEntryResult[] | null }>;
}
