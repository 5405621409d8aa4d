/**
 * Rule blocks and partners in the admin API. Numbers appear only in bodies, never in a path or a query.
 */
import * as v from 'valibot';
import { PARTY_CHARS_MAX } from '../limits/requests.ts';
import { PROPOSAL_CAUSES } from '../reports/counter-evidence.ts';
import type { PartnerKind } from '../reports/partner.ts';
import type { BlockState } from '../reports/stages.ts';
import type { Channel } from '../request.ts';
import { reasonSchema, timeSchema } from '../schemas.ts';

/** Actions of a person on a rule block. */
export const RULE_BLOCK_ACTIONS = ['approve', 'confirm', 'lift', 'dismiss'] as const;
export type RuleBlockAction = (typeof RULE_BLOCK_ACTIONS)[number];

/** A person's action on a rule block. `appeal`: the person accepted an appeal. */
export interface RuleBlockDone {
  readonly action: RuleBlockAction | 'appeal';
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/**
 * Why a block was only proposed (PROPOSAL_CAUSES), or why it has ended.
 * - `factsMissing`: the counter-evidence could not be read
 * - `blocked`: an entry of another authority blocks it
 * - `invalid`: the subject can have no entry
 * - `withdrawn`: the reports that it rests on were withdrawn
 * - `appeal`: an appeal was accepted
 */
export const RULE_BLOCK_CAUSES = [
  ...PROPOSAL_CAUSES,
  ...(['factsMissing', 'blocked', 'invalid', 'withdrawn', 'appeal'] as const),
] as const;
export type RuleBlockCause = (typeof RULE_BLOCK_CAUSES)[number];

/** `POST /v1/admin/rule-blocks/{id}/{action}` */
export const ruleBlockActionSchema = v.strictObject({ reason: reasonSchema });

/** `POST /v1/admin/rule-blocks/find`: a number as people write it, or a sender ID. */
export const findRuleBlocksSchema = v.strictObject({
  from: v.pipe(v.string(), v.minLength(1), v.maxLength(PARTY_CHARS_MAX)),
});

/** `POST /v1/admin/partners/{organisation}/withdraw` */
export const withdrawReportsSchema = v.strictObject({
  /** Reports received before this time stay. Without it, all kept reports are withdrawn. */
  since: v.optional(v.nullable(timeSchema), null),
  reason: reasonSchema,
});

/** Evidence against a block. */
export interface CounterEvidence {
  /** Organisations with a registration of the number that is in force now. */
  readonly registered: readonly string[];
  /** Those of `registered` that are certified. */
  readonly certified: readonly string[];
  /** Reporters per thousand texts or calls that clients of `registered` sent in the window; null if they sent none. */
  readonly perThousand: number | null;
}

/** A rule that supports a block, with the reporters that it counted. */
export interface GroundInfo {
  /** `kr-50@3` */
  readonly rule: string;
  readonly channel: Channel;
  /** Reporters that counted: in total, and by partner. */
  readonly distinct: number;
  readonly partners: Readonly<Record<string, number>>;
  readonly kinds: readonly PartnerKind[];
  readonly firedAt: string;
  /** Whether reports of an independent kind of partner confirm the decision. */
  readonly confirmed: boolean;
}

export interface RangeMember {
  readonly id: string;
  readonly number: string | null;
  readonly state: BlockState;
  readonly distinct: number;
}

export interface RuleBlockInfo {
  readonly id: string;
  /** Null for a sender ID or a campaign, or if the key of reports is lost. */
  readonly number: string | null;
  readonly source: string | null;
  /** `c-17`: the campaign that is blocked; null for a number or sender ID. */
  readonly campaign: string | null;
  readonly state: BlockState;
  readonly cause: RuleBlockCause | null;
  /** Whether the reports came from mock partners. Such a block has no effect. */
  readonly mock: boolean;
  /** The first rule that still supports the block. */
  readonly rule: string;
  readonly distinct: number;
  readonly kinds: readonly PartnerKind[];
  readonly grounds: readonly GroundInfo[];
  /** Null if the counter-evidence could not be read. */
  readonly evidence: CounterEvidence | null;
  /** Name of the person who confirmed the block; null if no person has. */
  readonly confirmedBy: string | null;
  /** Actions of persons on the block, oldest first. */
  readonly actions: readonly RuleBlockDone[];
  /** End of the current stage; null once the block has ended. */
  readonly until: string | null;
  /** The `seq` at which the entry of the block became visible; null without an entry, and for a campaign. */
  readonly seq: number | null;
  /** Whether the newest state has yet to reach the live layer. */
  readonly pending: boolean;
  /** For the proposal of a range: its numbers that rules blocked or would block, including this one. */
  readonly members?: readonly RangeMember[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** `GET /v1/admin/rule-blocks`: in ascending order of ID. */
export interface RuleBlockPage {
  readonly ruleBlocks: readonly RuleBlockInfo[];
  /** Pass as `after` for the next page; null on the last page. */
  readonly next: string | null;
}

/** The withdrawal of a partner's reports. */
export interface WithdrawalInfo {
  /** Reports received from this time on are withdrawn; null for all reports. */
  readonly since: string | null;
  readonly requestedAt: string;
  readonly by: string;
  readonly reason: string;
  readonly state: 'running' | 'done';
  /** Reports withdrawn so far; null if an intake does not respond. */
  readonly withdrawn: number | null;
}

export interface PartnerInfo {
  readonly organisation: string;
  readonly kind: PartnerKind;
  readonly mock: boolean;
  /** `weight` is set by the installation. `effectiveWeight` is how much a report counts: the weight times the record. */
  readonly weight: number;
  readonly record: number;
  readonly effectiveWeight: number;
  /** Blocks that rested on the partner's reports: those that were confirmed, and those that an appeal lifted. */
  readonly confirmed: number;
  readonly appealed: number;
  readonly withdrawal: WithdrawalInfo | null;
  /** Present only in the response for a single partner. Null if an intake does not respond. */
  readonly reports?: PartnerReports | null;
}

export interface PartnerReports {
  readonly acknowledged: number;
  readonly withdrawn: number;
  /** Reports beyond the budget of their reporter. They do not count. */
  readonly overBudget: number;
  /** Reports and withdrawals that are not counted yet. */
  readonly waiting: number;
}

/** State of the joint response, in `GET /v1/admin/status`. */
export interface ResponseInfo {
  /** Proposals that wait for a person, and blocks in force by stage. Blocks of mock partners are not counted. */
  readonly proposed: number;
  readonly provisional: number;
  readonly confirmed: number;
  readonly shadow: number;
  /** Decisions whose facts are being read. */
  readonly decisions: number;
  /** Blocks whose newest state the live layer does not have yet. */
  readonly unsent: number;
  /** Since when blocks are refused because rule entries have reached their limit; null if they are not refused. */
  readonly rulesFullSince: string | null;
  /** IDs of the keys that seal the key of reports. Empty if no key of LIST_KEY opens it, so that it is lost. */
  readonly keyIds: readonly string[];
}
