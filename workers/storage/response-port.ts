/**
 * The desk of the joint response, of which there is one: it has the rules, and turns their decisions into blocks.
 */

import type { RuleBlockCause } from '../../shared/admin/rule-blocks.ts';
import type { KnownRecord } from '../../shared/audit.ts';
import type { PartnerKind } from '../../shared/reports/partner.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import type { Rule, RuleRef } from '../../shared/reports/rule.ts';
import type { BlockState } from '../../shared/reports/stages.ts';
import type { Channel } from '../../shared/request.ts';
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
   * `unsupported`: reports were withdrawn, and what is left would not have fired.
   */
  readonly event: 'fired' | 'confirmed' | 'unconfirmed' | 'unsupported';
  readonly distinct: number;
  readonly kinds: readonly PartnerKind[];
  /** Reporters that decided, by partner. */
  readonly byPartner: Readonly<Record<string, number>>;
  /** ms since 1970. */
  readonly decidedAt: number;
  readonly mock: boolean;
}

/** What subjects are evaluated with. */
export interface RuleContext {
  readonly rules: readonly Rule[];
  /** Effective weights, by partner. */
  readonly weights: Readonly<Record<string, number>>;
  /** Rises with every change. */
  readonly version: number;
}

/** What became of a rule block, for the rehearsal of a rule. */
export interface SubjectBlock {
  readonly subject: string;
  /** ID and version of its rule. */
  readonly rule: RuleRef;
  readonly state: BlockState;
  readonly cause: RuleBlockCause | null;
  /** ms since 1970. */
  readonly createdAt: number;
}

export interface ResponseObject {
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
   * Lifts the rule block of a subject because an appeal was accepted, and lowers the records of the partners that it
   * rested on. Idempotent by the key of the request.
   * @returns the ID of the block, null if rules have none there; and the `seq` from which on it is lifted, null if the
   *   live layer had no entry of it, or does not have the lift yet
   */
  appealWon(
    request: StoreRequest,
    subject: ReportSubject,
  ): Promise<StoreResult<{ readonly ruleBlock: string | null; readonly seq: number | null }>>;
  /** Rule blocks of keyed subjects, at most RULE_BLOCK_SUBJECTS_MAX of them. `cause` is `appeal` for a won appeal. */
  blocksOf(subjects: readonly string[]): Promise<readonly SubjectBlock[]>;
  /** Called by the cron: what waits is sent, and the key of reports is sealed with the current keys. */
  refresh(): Promise<void>;
}

/** What the desk needs to know of an organisation that has registered a reported number. */
export interface SenderFacts {
  readonly organisation: string;
  readonly isCertified: boolean;
  readonly clients: readonly string[];
}

/** What the desk needs from the coordinator. */
export interface ResponseKeeper extends RuleEntriesPort {
  rules(): Promise<readonly Rule[]>;
  partners(): Promise<Pick<Partners, 'partners'>>;
  senderFacts(organisations: readonly string[]): Promise<readonly SenderFacts[]>;
  /** Records the end of the audit chain of the desk in the audit log. */
  anchorResponse(end: KnownRecord): Promise<void>;
}

/** The name of the only desk. */
export const RESPONSE_NAME = 'main';
