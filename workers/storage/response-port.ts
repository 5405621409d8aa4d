/**
 * The only desk of the joint response: it gives the counts the rules, and turns the decisions of rules into blocks.
 */

import type { RuleBlockInfo } from '../../shared/admin/rule-blocks.ts';
import type { RuleSet } from '../../shared/admin/rules.ts';
import type { PartnerKind } from '../../shared/reports/partner.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import type { Rule, RuleRef } from '../../shared/reports/rule.ts';
import type { Channel } from '../../shared/request.ts';
import type { RuleBlockMonth } from '../../shared/statistics/figures.ts';
import type { ChainAnchor } from './chain-anchor.ts';
import type { BlockHistory } from './rehearsal-port.ts';
import type { Partners } from './reports-port.ts';
import type { RuleEntriesPort } from './rule-entries-port.ts';
import type { StoreRequest, StoreResult } from './store-request.ts';

/** A decision of a rule about a subject. */
export interface RuleDecision {
  readonly subjectKey: string;
  readonly subject: ReportSubject;
  readonly channel: Channel;
  readonly rule: RuleRef;
  /**
   * `confirmed`: an independent kind of partner supports the decision. `unconfirmed`: the reports of that kind were
   * withdrawn. `unsupported`: reports were withdrawn, and the rule would not have fired without them. `fired` is sent
   * again if the reports that decided have changed.
   */
  readonly event: 'fired' | 'confirmed' | 'unconfirmed' | 'unsupported';
  readonly distinct: number;
  readonly kinds: readonly PartnerKind[];
  /** Reporters that decided, by partner. */
  readonly byPartner: Readonly<Record<string, number>>;
  /** End of the window that decided, ms since 1970. */
  readonly decidedAt: number;
  /** End of the last block of the subject that the decision took into account, ms since 1970; 0 for none. */
  readonly resetAt: number;
  /** Whether the rule only recorded the decision. */
  readonly shadow: boolean;
  readonly mock: boolean;
}

/** The data with which subjects are evaluated. */
export interface RuleContext {
  readonly rules: readonly Rule[];
  /** Effective weights, by partner. */
  readonly weights: Readonly<Record<string, number>>;
  /** Partners whose reports no longer decide anything. */
  readonly suspended: readonly string[];
  /** Rises with every change. */
  readonly version: number;
}

export interface ResponseObject extends BlockHistory {
  /**
   * 32 random bytes, which never change. `ReportKeys` derives its keys from them.
   * @throws REPORT_KEY_LOST while LIST_KEY does not have the key that opens them
   */
  reportKey(): Promise<Uint8Array<ArrayBuffer>>;
  context(): Promise<RuleContext>;
  /**
   * Receives decisions. Idempotent by shard of SubjectCounts and `n`, which rises with each batch.
   * @returns `last`: the number of the last batch that was received from this shard
   */
  decide(shard: string, n: number, decisions: readonly RuleDecision[]): Promise<{ readonly last: number }>;
  /**
   * Lifts the rule block of a subject, because an appeal against the block was accepted. The reports of the subject no
   * longer count, and the weights of their partners fall. Idempotent by the key of the request.
   * @param receivedAt of the appeal, in ms since 1970: later blocks stay
   * @returns the change of the head that lifted the block; null if rules have no such block; UNAVAILABLE if the
   *   coordinator does not respond: the block is lifted once the coordinator does
   */
  appealWon(
    request: StoreRequest,
    subject: ReportSubject,
    receivedAt: number,
  ): Promise<StoreResult<{ readonly seq: number } | null>>;
  /** Rule blocks of a number or a sender ID, newest first. @param mock whether it is a number for tests */
  findRuleBlocks(subject: ReportSubject, mock: boolean): Promise<StoreResult<readonly RuleBlockInfo[]>>;
  /** Called by the cron: sends everything that waits. A desk that starts for the call seals its key with the current keys. */
  refresh(): Promise<void>;
  /** Figures of the blocks in a period, in ms since 1970. @param to exclusive */
  month(from: number, to: number): Promise<RuleBlockMonth>;
}

/** What the desk needs to know about an organisation that has registered a reported number. */
export interface SenderFacts {
  readonly organisation: string;
  readonly isCertified: boolean;
  readonly clients: readonly string[];
}

/** What the desk needs from the coordinator. */
export interface ResponseKeeper extends RuleEntriesPort {
  rules(): Promise<RuleSet>;
  partners(): Promise<Pick<Partners, 'partners'>>;
  senderFacts(organisations: readonly string[]): Promise<readonly SenderFacts[]>;
  /** Records the end of the audit chain of the desk in the audit log. */
  anchorResponse(end: ChainAnchor): Promise<number>;
}

/** The name of the only desk. */
export const RESPONSE_NAME = 'main';
