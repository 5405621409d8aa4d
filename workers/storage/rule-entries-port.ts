/**
 * What the desk of the joint response changes in the live layer: blocks that rules decided, and their ends. The
 * coordinator hears of nothing else that is reported.
 */
import type { SenderSubject } from '../../shared/reports/report.ts';
import type { BlockStage } from '../../shared/verdict.ts';

/** One change of the entry of a rule. It concerns the sender only. */
export interface RuleEntryChange {
  /** Of the rule block, for the audit log. */
  readonly id: string;
  /**
   * `block` sets the entry: it replaces the one that rules have there. `lift` ends what rules have there, in the live
   * layer and in releases, and leaves every other entry deciding as before.
   */
  readonly op: 'block' | 'lift';
  /** A number or sender ID. */
  readonly subject: SenderSubject;
  /** ID and version of the rule: `kr-50@3`. */
  readonly rule: string;
  readonly stage: BlockStage;
  /** End of the block, ms since 1970. Of a lift: the end that the lifted block has. */
  readonly until: number;
  /** Of a block that ends earlier than the one that it replaces: the end of that one, which releases may contain. */
  readonly replacedUntil?: number;
  readonly reason: string;
}

/** Why a block was not set. A lift is refused only with `rulesFull`: repeat it later. */
export type RuleEntryRefusal =
  /** Guards of live changes. Emergency numbers and test numbers are protected, too. */
  | 'protected-number'
  | 'whole-block'
  | 'operator-share'
  /** Rules have RULE_ENTRIES_MAX entries. */
  | 'rulesFull'
  /** An entry of another authority is in force, or an allow list has the subject. */
  | 'unblocked'
  | 'blocked'
  /** The subject can have no entry, or the block would have ended. */
  | 'invalid';

/** `applied`: the `seq` of the head from which on the change is visible. */
export type RuleEntryResult = { readonly applied: number } | { readonly refused: RuleEntryRefusal };

export interface RuleEntriesPort {
  /**
   * Applies a batch in one transaction. Idempotent by `n`, which rises with each batch: the last one may be repeated.
   * @param changes at most RULE_CHANGES_MAX, each subject once
   * @returns `last`: the number of the last batch that was applied; results in the order of the changes, or null if
   *   `n` is below `last`: nothing was changed
   * @throws if the batch cannot be applied now: send the same again
   */
  applyRuleEntries(
    n: number,
    changes: readonly RuleEntryChange[],
  ): Promise<{ readonly last: number; readonly results: readonly RuleEntryResult[] | null }>;
}
