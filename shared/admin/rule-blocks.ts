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

/** What a person can do with a rule block. */
export const RULE_BLOCK_ACTIONS = ['approve', 'confirm', 'lift', 'dismiss'] as const;
export type RuleBlockAction = (typeof RULE_BLOCK_ACTIONS)[number];

/** What a person did with a rule block; `appeal`: an appeal was accepted. */
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
 * - `withdrawn`: its reports were withdrawn
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
  /** Reports that came before this time stay. Without it, all that are kept are withdrawn. */
  since: v.optional(v.nullable(timeSchema), null),
  reason: reasonSchema,
});

/** What speaks against a block. */
export interface CounterEvidence {
  /** Organisations that have registered the number, in force now. */
  readonly registered: readonly string[];
  /** Those of them that are certified. */
  readonly certified: readonly string[];
  /** Reporters per thousand texts or calls that their clients sent in the window; null if they sent none. */
  readonly perThousand: number | null;
}

/** A rule that decided, and what it rests on. */
export interface GroundInfo {
  /** `kr-50@3` */
  readonly rule: string;
  readonly channel: Channel;
  /** Reporters that counted, and those that counted for each partner. */
  readonly distinct: number;
  readonly partners: Readonly<Record<string, number>>;
  readonly kinds: readonly PartnerKind[];
  readonly firedAt: string;
  /** Whether reports of an independent kind of partner confirm it. */
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
  /** Null for a sender ID or a campaign, and if the key of reports is lost. */
  readonly number: string | null;
  readonly source: string | null;
  /** `c-17`: the campaign of texts that it is about; null for a number or sender ID. */
  readonly campaign: string | null;
  readonly state: BlockState;
  readonly cause: RuleBlockCause | null;
  /** From mock partners: it blocks nothing. */
  readonly mock: boolean;
  /** The first of its rules that still supports it. */
  readonly rule: string;
  readonly distinct: number;
  readonly kinds: readonly PartnerKind[];
  readonly grounds: readonly GroundInfo[];
  /** Null if it could not be read. */
  readonly evidence: CounterEvidence | null;
  /** Name of the person who confirmed it; null if none has. */
  readonly confirmedBy: string | null;
  /** What persons did with it, the oldest first. */
  readonly actions: readonly RuleBlockDone[];
  /** When its stage ends; null once it has ended. */
  readonly until: string | null;
  /** The `seq` at which its entry became visible; null if it has none, and for a campaign. */
  readonly seq: number | null;
  /** Whether the live layer does not have its newest state yet. */
  readonly pending: boolean;
  /** Of a proposal for a range: the numbers of the range that rules blocked or would block, this one included. */
  readonly members?: readonly RangeMember[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** `GET /v1/admin/rule-blocks`: in the order of their IDs, which rise. */
export interface RuleBlockPage {
  readonly ruleBlocks: readonly RuleBlockInfo[];
  /** Pass as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

/** The withdrawal of a partner's reports. */
export interface WithdrawalInfo {
  /** Null for all. */
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
  /** Weight that the installation gave it, its record, and what its reports weigh. */
  readonly weight: number;
  readonly record: number;
  readonly effectiveWeight: number;
  /** Blocks that rested on its reports and were confirmed, and those that an appeal lifted. */
  readonly confirmed: number;
  readonly appealed: number;
  readonly withdrawal: WithdrawalInfo | null;
  /** Only for a single partner. Null if an intake does not respond. */
  readonly reports?: PartnerReports | null;
}

export interface PartnerReports {
  readonly acknowledged: number;
  readonly withdrawn: number;
  /** Beyond the budgets of their reporters: they do not count. */
  readonly overBudget: number;
  /** Reports and withdrawals that are not counted yet. */
  readonly waiting: number;
}

/** In `GET /v1/admin/status`. */
export interface ResponseInfo {
  /** Proposals that wait for a person, and blocks in force by stage. Those of mock partners are left out. */
  readonly proposed: number;
  readonly provisional: number;
  readonly confirmed: number;
  readonly shadow: number;
  /** Decisions whose facts are being read. */
  readonly decisions: number;
  /** Blocks whose newest state the live layer does not have yet. */
  readonly unsent: number;
  /** Since when the reserve of rule entries refuses blocks; null if it does not. */
  readonly rulesFullSince: string | null;
  /** IDs of the keys that the key of reports is sealed with. Empty if none of LIST_KEY opens it: it is lost. */
  readonly keyIds: readonly string[];
}
