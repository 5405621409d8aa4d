/**
 * Text risk in the admin API: text releases and campaigns. Times are RFC 3339.
 */
import * as v from 'valibot';
import { signedTextSchema } from '../release/signed.ts';
import type { TextManifest } from '../text/text-manifest.ts';
import type { BlockStage } from '../verdict.ts';

/** Values of a text release that control stores: base64 of the sealed bytes, by KV key. */
export const putTextReleaseSchema = v.strictObject({
  manifest: signedTextSchema,
  values: v.record(v.string(), v.string()),
});
export type PutTextRelease = v.InferOutput<typeof putTextReleaseSchema>;

export interface TextReleaseInfo {
  readonly release: string;
  readonly manifest: TextManifest;
  readonly state: 'current' | 'candidate' | 'former' | 'pushed';
  /** Of a candidate: 0 to 1. */
  readonly share?: number;
  readonly pushedAt: string;
}

/** Why a text release should not be promoted. Each can be overridden by name, with a reason. */
export const TEXT_GUARDS = ['domain-rate', 'canary-text', 'label-rate', 'older-base', 'fewer-hosts'] as const;
export type TextGuard = (typeof TEXT_GUARDS)[number];

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
}
