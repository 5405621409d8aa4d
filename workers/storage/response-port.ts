/**
 * The desk of the joint response, of which there is one: it has the rules, and turns their decisions into blocks.
 */

import type { PartnerKind } from '../../shared/reports/partner.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import type { Rule, RuleRef } from '../../shared/reports/rule.ts';
import type { Channel } from '../../shared/request.ts';

/** What a rule decided about a subject. */
export interface RuleDecision {
  readonly subjectKey: string;
  readonly subject: ReportSubject;
  readonly channel: Channel;
  readonly rule: RuleRef;
  /**
   * `confirmed`: an independent kind of partner supports what fired. `unsupported`: reports were withdrawn, and what is
   * left would not have fired.
   */
  readonly event: 'fired' | 'confirmed' | 'unsupported';
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

export interface ResponseObject {
  /** 32 random bytes, the same for ever. `ReportKeys` derives from them. */
  reportKey(): Promise<Uint8Array<ArrayBuffer>>;
  context(): Promise<RuleContext>;
  /**
   * Takes decisions. Idempotent by shard of SubjectCounts and `n`, which rises.
   * @returns `last`: the number of the last batch of this shard that is taken
   */
  decide(shard: string, n: number, decisions: readonly RuleDecision[]): Promise<{ readonly last: number }>;
}

/** The name of the only desk. */
export const RESPONSE_NAME = 'main';
