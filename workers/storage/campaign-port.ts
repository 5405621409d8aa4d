/**
 * Campaigns, as reports, the desk of the joint response and admins use them. The text store implements these interfaces:
 * it gives each fingerprint its campaign, and publishes confirmed campaigns.
 */
import type {
  CampaignMatch,
  CampaignPage,
  ImportedCampaign,
  ImportedCampaigns,
  SharedFingerprint,
} from '../../shared/admin/campaigns.ts';
import type { CampaignInfo, CampaignState } from '../../shared/admin/text.ts';
import type { CampaignSubject } from '../../shared/reports/report.ts';
import type { RuleEntriesPort, RuleEntryChange } from './rule-entries-port.ts';
import type { StoreRequest, StoreResult } from './store-request.ts';

/** 64 values of 16 bits, little-endian. */
export type FingerprintBytes = Uint8Array<ArrayBuffer>;

/** The source of reported fingerprints. */
export interface FingerprintSource {
  /** Name of the intake, and ID of its partner. */
  readonly intake: string;
  readonly partner: string;
  /** Number of the flush. It rises, and the last flush may be repeated with the same fingerprints. */
  readonly n: number;
}

/** A fingerprint, the ID of the TEXT_KEY that made it, and when its text was received, in ms since 1970. */
export interface ReportedFingerprint {
  readonly fingerprint: FingerprintBytes;
  readonly keyId: string;
  readonly at: number;
}

/** One change of a campaign that a rule decided. */
export interface CampaignChange extends Omit<RuleEntryChange, 'subject'> {
  readonly subject: CampaignSubject;
  /** Distinct reporters that counted. */
  readonly reporters: number;
}

export interface CampaignRegistry {
  /**
   * The campaigns of reported texts, in the order of the texts. A fingerprint that is similar to no campaign begins one.
   * Idempotent by intake and `n`.
   * @returns `last`: the number of the last flush of the intake; `ids`: 0 for a text whose partner has begun too many
   *   campaigns today; null if the intake was set back, and must number the flush after `last`
   */
  campaignsOf(
    source: FingerprintSource,
    reported: readonly ReportedFingerprint[],
  ): Promise<{ readonly last: number; readonly ids: readonly number[] | null }>;
  /** Applies decisions of rules about campaigns, as RuleEntriesPort does. `applied` is the version of the store. */
  applyCampaignChanges(
    n: number,
    changes: readonly CampaignChange[],
  ): ReturnType<RuleEntriesPort['applyRuleEntries']>;
}

/** A request that may act for other authorities. */
export interface CampaignRequest extends StoreRequest {
  readonly overrideAuthorities?: readonly string[] | undefined;
}

export interface CampaignFilter {
  readonly state?: CampaignState | undefined;
}

/** The methods for admins. IDs are numbers. */
export interface CampaignDesk {
  campaignPage(filter: CampaignFilter, after: number, limit: number): Promise<CampaignPage>;
  campaign(id: number): Promise<CampaignInfo | null>;
  /** @param until ms since 1970 */
  enrolCampaigns(
    request: CampaignRequest,
    fingerprints: readonly SharedFingerprint[],
    until: number,
  ): Promise<StoreResult<readonly CampaignInfo[]>>;
  /** Imports campaigns from the feed of another installation. Decisions of people here are kept. */
  importCampaigns(
    request: StoreRequest,
    campaigns: readonly ImportedCampaign[],
  ): Promise<StoreResult<ImportedCampaigns>>;
  confirmCampaign(request: CampaignRequest, id: number, until: number): Promise<StoreResult<CampaignInfo>>;
  rejectCampaign(request: CampaignRequest, id: number): Promise<StoreResult<CampaignInfo>>;
  revokeCampaign(request: CampaignRequest, id: number): Promise<StoreResult<CampaignInfo>>;
  /** In the order of the fingerprints. */
  matchCampaigns(fingerprints: readonly SharedFingerprint[]): Promise<readonly CampaignMatch[]>;
}

export interface CampaignObject extends CampaignRegistry, CampaignDesk {}
