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

/** `POST /v1/admin/appeals/{id}/accept`: the body has the fields of the change that lifts the block. */
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
  /** Selects the explanation that the appellant reads, from shared/appeals/texts.ts. */
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
  /** The cause of the block: the name of a list, or `live` with the `seq` of the entry. */
  readonly list: string;
  readonly entrySeq: number | null;
  readonly code: Code;
  readonly authority: string;
  readonly receivedAt: string;
  /** Number of submissions against this block that share this appeal. */
  readonly appellants: number;
  readonly claimedBy: string | null;
  readonly claimedUntil: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  /** Why the appeal was rejected; null in all other states. */
  readonly rejection: Rejection | null;
  /** The change that lifted the block; null unless the appeal was accepted. */
  readonly seq: number | null;
}

/** `GET /v1/admin/appeals/{id}` */
export interface AppealDetails extends AppealInfo {
  /** The first statements of appellants, oldest first. */
  readonly statements: readonly {
    readonly at: string;
    readonly statement: string;
    readonly contact: string | null;
  }[];
  /** The blocks that are now in force for the number or sender ID; null if they cannot be read. */
  readonly blocks: readonly StandingBlock[] | null;
  /** If a rule blocked: the newest rule block of the number or sender ID. Null if unreadable or gone. */
  readonly ruleBlock: AppealedRuleBlock | null;
}

export type AppealedRuleBlock = Pick<RuleBlockInfo, 'id' | 'rule' | 'state'>;

/** A block in force, from a list or a live entry. */
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
  /** When the oldest open appeal was received; null if none is open. */
  readonly oldestAt: string | null;
  /** Decisions of the last 30 days. */
  readonly decided: Readonly<Record<Exclude<AppealState, 'received' | 'inReview'>, number>>;
  /** Time from receipt to decision, over the decisions of `decided`; null if there are none. */
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
}
