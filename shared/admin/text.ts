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

/** Values of a text release that control stores: base64 of the sealed bytes, by KV key. */
export const putTextReleaseSchema = v.strictObject({
  manifest: signedTextSchema,
  values: v.record(v.string(), v.string()),
  reason: v.optional(reasonSchema),
});
export type PutTextRelease = v.InferOutput<typeof putTextReleaseSchema>;

/** `former`: it was current before. `withdrawn`: a rollback took it back, or the candidate was withdrawn. */
export const TEXT_RELEASE_STATES = ['pushed', 'candidate', 'current', 'former', 'withdrawn'] as const;
export type TextReleaseState = (typeof TEXT_RELEASE_STATES)[number];

export interface TextReleaseInfo {
  readonly release: string;
  readonly manifest: TextManifest;
  readonly state: TextReleaseState;
  /** Of a candidate: above 0 and below 1. */
  readonly share?: number;
  readonly pushedAt: string;
  readonly pushedBy: string;
  readonly promotedAt: string | null;
}

/** `GET /v1/admin/text/releases`, newest first. */
export interface TextReleaseList {
  readonly releases: readonly TextReleaseInfo[];
}

/** `GET /v1/admin/text/releases/{release}/plan`: against the release in force. */
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
  /** Only says what it would do. */
  dryRun: v.optional(v.boolean(), false),
  reason: reasonSchema,
});
export type PromoteText = Omit<v.InferOutput<typeof promoteTextSchema>, 'reason'>;

/** `POST /v1/admin/text/rollback`: undo the last step: the candidate if there is one, else the current release. */
export const rollBackTextSchema = v.strictObject({
  /** The release that you expect to undo. If it is another one, nothing happens. */
  release: v.optional(releaseName),
  reason: reasonSchema,
});

/** `POST /v1/admin/text/releases/{release}/withdraw`: of the candidate. */
export const withdrawTextSchema = v.strictObject({ reason: reasonSchema });

/** What a change of text releases did. */
export interface TextChangeDone {
  readonly release: string;
  readonly state: TextReleaseState;
  /** Of a candidate; absent otherwise. */
  readonly share?: number;
  /** The release in force now; null for none. */
  readonly current: string | null;
  /** The version of text risk with this change; `published`: whether the head has it already. */
  readonly version: number;
  readonly published: boolean;
  /** Guards that it hits: those that were overridden, and with `dryRun` all. */
  readonly guards?: readonly TextGuardHit[];
  readonly dryRun?: true;
}

/** `GET /v1/admin/text/status` */
export interface TextStatus {
  /** Rises with every change; 0 before the first. `published`: the last one that the head has. */
  readonly version: number;
  readonly published: number;
  readonly current: string | null;
  readonly candidate: { readonly release: string; readonly share: number } | null;
  /** Campaigns by state. */
  readonly campaigns: Readonly<Partial<Record<CampaignState, number>>>;
  /** ID of TEXT_KEY; null without it: no campaign is recognised. */
  readonly textKeyId: string | null;
  /** IDs of the keys in LIST_KEY that seal the published values. */
  readonly listKeyIds: readonly string[];
}

/** States of a campaign. Only `confirmed` ones block; `observed` ones were reported. */
export const CAMPAIGN_STATES = ['observed', 'confirmed', 'rejected', 'revoked', 'ended'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

export interface CampaignInfo {
  /** `c-17`. */
  readonly id: string;
  readonly state: CampaignState;
  readonly authority: string;
  /** ID and version of the rule that confirmed it, and how far; null if a person did. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Reports with such a text, and distinct reporters when a rule last decided; null if none has. */
  readonly reports: number;
  readonly reporters: number | null;
  /** Null unless it is confirmed. */
  readonly until: string | null;
  /** Fingerprint in base64 (128 bytes), and the ID of its TEXT_KEY. */
  readonly fingerprint: string;
  readonly textKeyId: string;
  /** The last change of its state; null if there was none, or if the service did not keep it yet. Older services omit it. */
  readonly changed?: CampaignChanged | null;
}

/** Who changed the state of a campaign, when and why. Rules and ends are by `numgate`. */
export interface CampaignChanged {
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}
