/**
 * Campaigns in the admin API (`/v1/admin/text/campaigns`). Texts are sent in bodies only: control computes their
 * fingerprints and drops them.
 */
import * as v from 'valibot';
import { CAMPAIGN_TEXTS_MAX, FINGERPRINT_CHARS } from '../limits/campaigns.ts';
import { TEXT_CHARS_MAX } from '../limits/text.ts';
import { reasonSchema, timeSchema } from '../schemas.ts';
import { overrideAuthorities } from './change.ts';
import type { CampaignInfo } from './text.ts';

/** `overrideAuthorities`: other authorities that the change acts for. */
const common = { overrideAuthorities, reason: reasonSchema };

/** A text in a report or in a request to the admin API. */
export const campaignTextSchema = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(TEXT_CHARS_MAX, `must have at most ${TEXT_CHARS_MAX} characters`),
  v.check((text) => text.isWellFormed(), 'must be well-formed Unicode: it has half of a surrogate pair'),
);

const textsSchema = v.pipe(
  v.array(campaignTextSchema),
  v.minLength(1, 'must not be empty'),
  v.maxLength(CAMPAIGN_TEXTS_MAX, `must have at most ${CAMPAIGN_TEXTS_MAX} texts`),
);

/** A fingerprint that another party computed, such as a member of the community. */
export const sharedFingerprintSchema = v.strictObject({
  fingerprint: v.pipe(
    v.string(),
    v.regex(
      new RegExp(`^[A-Za-z0-9+/]{${FINGERPRINT_CHARS - 1}}=$`),
      'must be a fingerprint: 128 bytes in base64',
    ),
  ),
  /** ID of the TEXT_KEY that computed the fingerprint. It must be the TEXT_KEY of this installation. */
  textKeyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'must have 16 hex digits')),
});
export type SharedFingerprint = v.InferOutput<typeof sharedFingerprintSchema>;

/** `POST /v1/admin/text/campaigns`: enrols campaigns, from either `texts` or `fingerprints`. */
export const enrolCampaignsSchema = v.strictObject({
  texts: v.optional(textsSchema),
  fingerprints: v.optional(
    v.pipe(
      v.array(sharedFingerprintSchema),
      v.minLength(1, 'must not be empty'),
      v.maxLength(CAMPAIGN_TEXTS_MAX, `must have at most ${CAMPAIGN_TEXTS_MAX} fingerprints`),
    ),
  ),
  /** At most 90 days ahead. */
  until: timeSchema,
  ...common,
});

/** `POST /v1/admin/text/campaigns/{id}/confirm` */
export const confirmCampaignSchema = v.strictObject({ until: timeSchema, ...common });

/** `POST /v1/admin/text/campaigns/{id}/reject` and `…/revoke` */
export const decideCampaignSchema = v.strictObject(common);

/** `POST /v1/admin/text/campaigns/match`: a lookup. It uses POST because texts do not belong in URLs. */
export const matchCampaignsSchema = v.strictObject({ texts: textsSchema });

/** `POST /v1/admin/text/campaigns/import`: campaigns from the feed of another installation. They are not shared on. */
export const importCampaignsSchema = v.strictObject({
  campaigns: v.pipe(
    v.array(
      v.strictObject({
        ...sharedFingerprintSchema.entries,
        state: v.picklist(['confirmed', 'revoked']),
        /** End of a confirmed campaign. An end more than 90 days ahead is shortened to 90 days. */
        until: v.nullable(timeSchema),
      }),
    ),
    v.minLength(1, 'must not be empty'),
    v.maxLength(CAMPAIGN_TEXTS_MAX, `must have at most ${CAMPAIGN_TEXTS_MAX} campaigns`),
  ),
  reason: reasonSchema,
});
export type ImportedCampaign = v.InferOutput<typeof importCampaignsSchema>['campaigns'][number];

/**
 * What an import did with a campaign. `kept`: a decision made here contradicts it, or has already confirmed it.
 * `unknown`: there is nothing to revoke. `ended`: its end has passed. `foreignKey`: it has another TEXT_KEY.
 */
export const CAMPAIGN_IMPORT_RESULTS = [
  'confirmed',
  'revoked',
  'kept',
  'unknown',
  'ended',
  'foreignKey',
] as const;

/** The response to an import, in the order of the request. */
export interface ImportedCampaigns {
  readonly results: readonly {
    readonly campaign: string | null;
    readonly result: (typeof CAMPAIGN_IMPORT_RESULTS)[number];
  }[];
}

/** Actions of a person on a campaign. */
export const CAMPAIGN_ACTIONS = ['confirm', 'reject', 'revoke'] as const;
export type CampaignAction = (typeof CAMPAIGN_ACTIONS)[number];

/** `GET /v1/admin/text/campaigns`: in the order of the campaigns' numbers. */
export interface CampaignPage {
  readonly campaigns: readonly CampaignInfo[];
  /** Pass as `after` for the next page; null on the last page. */
  readonly next: number | null;
}

/** The response to an enrolment, in the order of the texts. Similar texts share one campaign. */
export interface EnrolledCampaigns {
  readonly campaigns: readonly CampaignInfo[];
}

/** The response to a match, in the order of the texts. */
export interface MatchedCampaigns {
  readonly matches: readonly CampaignMatch[];
}

export interface CampaignMatch {
  /** `c-17`: the campaign that blocks the text, else the most similar one in any state; null if none is similar enough. */
  readonly campaign: string | null;
  /** Whether the campaign blocks a check of this text now. */
  readonly blocks: boolean;
  /** Whether the text has a fingerprint. Texts that are too short have none. */
  readonly hasFingerprint: boolean;
}
