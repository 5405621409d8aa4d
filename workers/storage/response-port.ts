/**
 * The desk of the joint response, of which there is one: it has the rules, and turns their decisions into blocks.
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

/** What a rule decided about a subject. */
export interface RuleDecision {
  readonly subjectKey: string;
  readonly subject: ReportSubject;
  readonly channel: Channel;
  readonly rule: RuleRef;
  /**
   * `confirmed`: an independent kind of partner supports what fired. `unconfirmed`: its reports were withdrawn.
   * `unsupported`: reports were withdrawn, and what is left would not have fired. `fired` comes again if what decided
   * has changed.
   */
  readonly event: 'fired' | 'confirmed' | 'unconfirmed' | 'unsupported';
  readonly distinct: number;
  readonly kinds: readonly PartnerKind[];
  /** Reporters that decided, by partner. */
  readonly byPartner: Readonly<Record<string, number>>;
  /** End of the window that decided, ms since 1970. */
  readonly decidedAt: number;
  /** The last end of a block of the subject that it took into account, ms since 1970; 0 for none. */
  readonly resetAt: number;
  /** Whether the rule only recorded it. */
  readonly shadow: boolean;
  readonly mock: boolean;
}

/** What subjects are evaluated with. */
export interface RuleContext {
  readonly rules: readonly Rule[];
  /** Effective weights, by partner. */
  readonly weights: Readonly<Record<string, number>>;
  /** Partners whose reports decide nothing more. */
  readonly suspended: readonly string[];
  /** Rises with every change. */
  readonly version: number;
}

export interface ResponseObject extends BlockHistory {
  /**
   * 32 random bytes, the same for ever. `ReportKeys` derives from them.
   * @throws REPORT_KEY_LOST while LIST_KEY does not have the key that opens it
   */
  reportKey(): Promise<Uint8Array<ArrayBuffer>>;
  context(): Promise<RuleContext>;
  /**
   * Takes decisions. Idempotent by shard of SubjectCounts and `n`, which rises.
   * @returns `last`: the number of the last batch of this shard that is taken
   */
  decide(shard: string, n: number, decisions: readonly RuleDecision[]): Promise<{ readonly last: number }>;
  /**
   * Lifts the block that rules have on a subject, because an appeal against it was accepted: its reports no longer count,
   * and the weights of their partners fall. Idempotent by the key of the request.
   * @param receivedAt of the appeal, in ms since 1970: later blocks stay
   * @returns the change of the head that lifted it; null if rules have no such block; UNAVAILABLE if the coordinator does
   *   not respond: it is lifted once the coordinator does
   */
  appealWon(
    request: StoreRequest,
    subject: ReportSubject,
    receivedAt: number,
  ): Promise<StoreResult<{ readonly seq: number } | null>>;
  /** Rule blocks of a number or a sender ID, the newest first. @param mock whether it is a number for tests */
  findRuleBlocks(subject: ReportSubject, mock: boolean): Promise<StoreResult<readonly RuleBlockInfo[]>>;
  /** Called by the cron: what waits is sent, and the key of reports is sealed with the current keys. */
  refresh(): Promise<void>;
  /** Figures of the blocks of a time, in ms since 1970. @param to exclusive */
  month(from: number, to: number): Promise<RuleBlockMonth>;
}

/** What the desk needs to know of an organisation that has registered a reported number. */
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
