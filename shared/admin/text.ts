/**
 * Text risk in the admin API: text releases and campaigns. Times are RFC 3339.
 */
import * as v from 'valibot';
import { RELEASE_CHARS_MAX } from '../limits/control.ts';
import { signedTextSchema } from '../release/signed.ts';
import { reasonSchema } from '../schemas.ts';
import { TEXT_GUARDS, type TextGuardHit } from '../text/text-guards.ts';
import type { TextManifest } from '../text/text-manifest.ts';
import type { BlockStage } from '../verdict.ts';

/** Upload of a text release. `values`: its sealed bytes in base64, by KV key. */
export const putTextReleaseSchema = v.strictObject({
  manifest: signedTextSchema,
  values: v.record(v.string(), v.string()),
  reason: v.optional(reasonSchema),
});
export type PutTextRelease = v.InferOutput<typeof putTextReleaseSchema>;

/** `former`: was current, and a later release replaced it. `withdrawn`: rolled back, or withdrawn as a candidate. */
export const TEXT_RELEASE_STATES = ['pushed', 'candidate', 'current', 'former', 'withdrawn'] as const;
export type TextReleaseState = (typeof TEXT_RELEASE_STATES)[number];

export interface TextReleaseInfo {
  readonly release: string;
  readonly manifest: TextManifest;
  readonly state: TextReleaseState;
  /** Share of the data centres that use a candidate, above 0 and below 1. Absent in all other states. */
  readonly share?: number;
  readonly pushedAt: string;
  readonly pushedBy: string;
  readonly promotedAt: string | null;
}

/** `GET /v1/admin/text/releases`, newest first. */
export interface TextReleaseList {
  readonly releases: readonly TextReleaseInfo[];
}

/** `GET /v1/admin/text/releases/{release}/plan`: the guards that a promotion would hit, against the release in force. */
export interface TextPlan {
  readonly release: string;
  readonly base: string | null;
  readonly guards: readonly TextGuardHit[];
}

const releaseName = v.pipe(v.string(), v.maxLength(RELEASE_CHARS_MAX));

/** `POST /v1/admin/text/releases/{release}/promote` */
export const promoteTextSchema = v.strictObject({
  /** The text release that you believe is current; null for none. */
  base: v.nullable(releaseName),
  /** Share of the data centres, above 0; 1 is all. */
  share: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
  /** Guards that you override. */
  overrides: v.optional(v.pipe(v.array(v.picklist(TEXT_GUARDS)), v.maxLength(TEXT_GUARDS.length)), []),
  /** Only return what the promotion would do. */
  dryRun: v.optional(v.boolean(), false),
  reason: reasonSchema,
});
export type PromoteText = Omit<v.InferOutput<typeof promoteTextSchema>, 'reason'>;

/** `POST /v1/admin/text/rollback`: undoes the last step, which is the candidate if there is one, else the current release. */
export const rollBackTextSchema = v.strictObject({
  /** The release that you expect to undo. If the last step is another release, nothing happens. */
  release: v.optional(releaseName),
  reason: reasonSchema,
});

/** `POST /v1/admin/text/releases/{release}/withdraw`: withdraws the candidate. */
export const withdrawTextSchema = v.strictObject({ reason: reasonSchema });

/** What a change of text releases did. */
export interface TextChangeDone {
  readonly release: string;
  readonly state: TextReleaseState;
  /** Share of a candidate. Absent otherwise. */
  readonly share?: number;
  /** The release in force now; null for none. */
  readonly current: string | null;
  /** `version`: the version of text risk that contains the change. `published`: whether the head already has it. */
  readonly version: number;
  readonly published: boolean;
  /** Guards that the change hit and that were overridden. With `dryRun`, all guards that it would hit. */
  readonly guards?: readonly TextGuardHit[];
  readonly dryRun?: true;
}

/** `GET /v1/admin/text/status` */
export interface TextStatus {
  /** `version` rises with every change, from 0. `published` is the last version that the head has. */
  readonly version: number;
  readonly published: number;
  readonly current: string | null;
  readonly candidate: { readonly release: string; readonly share: number } | null;
  /** Campaigns by state. */
  readonly campaigns: Readonly<Partial<Record<CampaignState, number>>>;
  /** ID of TEXT_KEY; null without TEXT_KEY. Without it, no campaign is recognised. */
  readonly textKeyId: string | null;
  /** IDs of the keys in LIST_KEY that seal the published values. */
  readonly listKeyIds: readonly string[];
}

/** States of a campaign. Only a `confirmed` campaign blocks. An `observed` campaign was only reported. */
export const CAMPAIGN_STATES = ['observed', 'confirmed', 'rejected', 'revoked', 'ended'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

export interface CampaignInfo {
  /** `c-17`. */
  readonly id: string;
  readonly state: CampaignState;
  readonly authority: string;
  /** The rule that confirmed the campaign (ID and version), and the stage. Both are null if a person confirmed it. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Reports with a text of the campaign. Distinct reporters when a rule last decided; null if no rule has. */
  readonly reports: number;
  readonly reporters: number | null;
  /** End of a confirmed campaign; null in all other states. */
  readonly until: string | null;
  /** Fingerprint in base64 (128 bytes), and the ID of its TEXT_KEY. */
  readonly fingerprint: string;
  readonly textKeyId: string;
  /** Last change of state; null if none, or if it predates the record of these changes. Older services omit it. */
  readonly changed?: CampaignChanged | null;
}

/** A change of a campaign's state: by whom, when and why. `by` is `numgate` if a rule or the campaign's end caused it. */
export interface CampaignChanged {
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}
