/**
 * Appeals in the admin API. Numbers and statements appear only in bodies, never in a path or a query.
 */
import * as v from 'valibot';
import { type AppealState, REJECTIONS, type Rejection } from '../appeals/appeal.ts';
import { LIVE_GUARDS } from '../release/guard-settings.ts';
import { breakGlassSchema, reasonSchema } from '../schemas.ts';
import type { Code, Subject } from '../verdict.ts';
import { overrideAuthorities } from './change.ts';
import type { RuleBlockInfo } from './rule-blocks.ts';

/** `POST /v1/admin/appeals/{id}/claim` and `…/release` */
export const claimAppealSchema = v.strictObject({ reason: v.optional(reasonSchema) });

/** `POST /v1/admin/appeals/{id}/accept`: the fields of the change that lifts the block. */
export const acceptAppealSchema = v.strictObject({
  /** Guards that you override. */
  overrides: v.optional(v.pipe(v.array(v.picklist(LIVE_GUARDS)), v.maxLength(LIVE_GUARDS.length))),
  overrideAuthorities,
  breakGlass: breakGlassSchema,
  reason: reasonSchema,
});
export type AcceptAppeal = Omit<v.InferOutput<typeof acceptAppealSchema>, 'reason'>;

/** `POST /v1/admin/appeals/{id}/reject` */
export const rejectAppealSchema = v.strictObject({
  /** What the appellant reads: shared/appeals/texts.ts. */
  code: v.picklist(REJECTIONS),
  reason: reasonSchema,
});

/** An appeal in a list. */
export interface AppealInfo {
  readonly id: number;
  readonly state: AppealState;
  readonly subject: Subject;
  /** E.164; null for a sender ID. */
  readonly number: string | null;
  readonly source: string | null;
  /** What blocked: the name of the list, or `live` and the `seq` of the entry. */
  readonly list: string;
  readonly entrySeq: number | null;
  readonly code: Code;
  readonly authority: string;
  readonly receivedAt: string;
  /** How often somebody appealed against this block. */
  readonly appellants: number;
  readonly claimedBy: string | null;
  readonly claimedUntil: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  /** Of a rejected appeal. */
  readonly rejection: Rejection | null;
  /** Of an accepted appeal: the change that lifted the block. */
  readonly seq: number | null;
}

/** `GET /v1/admin/appeals/{id}` */
export interface AppealDetails extends AppealInfo {
  /** The first of them, oldest first. */
  readonly statements: readonly {
    readonly at: string;
    readonly statement: string;
    readonly contact: string | null;
  }[];
  /** What blocks the number or sender ID now; null if that cannot be read. */
  readonly blocks: readonly StandingBlock[] | null;
  /** The newest rule block of the number or sender ID, if a rule blocked; null if it cannot be read, or no longer exists. */
  readonly ruleBlock: AppealedRuleBlock | null;
}

export type AppealedRuleBlock = Pick<RuleBlockInfo, 'id' | 'rule' | 'state'>;

/** A block in force, by a list or a live entry. */
export interface StandingBlock {
  readonly list: string;
  /** `seq` of the live entry; null for a list. */
  readonly seq: number | null;
  readonly code: string;
  readonly authority: string;
}

/** `GET /v1/admin/appeals?state=&after=&limit=`: oldest first. */
export interface AppealPage {
  readonly appeals: readonly AppealInfo[];
  /** Pass as `after` for the next page; null on the last page. */
  readonly next: number | null;
}

/** `GET /v1/admin/appeals/summary` */
export interface AppealSummary {
  readonly open: number;
  /** When the oldest open one was received; null without any. */
  readonly oldestAt: string | null;
  /** Decisions of the last 30 days. */
  readonly decided: Readonly<Record<Exclude<AppealState, 'received' | 'inReview'>, number>>;
  /** From receipt to decision, over those decisions; null without any. */
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
}
