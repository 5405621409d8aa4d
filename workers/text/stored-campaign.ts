/** A campaign as the text store keeps it: its tables, its row, and the bytes of its fingerprint. */
import type { CampaignState } from '../../shared/admin/text.ts';
import { FINGERPRINT_VALUES, type Fingerprint } from '../../shared/text/fingerprint.ts';
import type { BlockStage } from '../../shared/verdict.ts';
import type { FingerprintBytes } from '../storage/campaign-port.ts';

/** Steps of the tables of the text store (schema.ts). */
export const CAMPAIGN_TABLES = `
   CREATE TABLE campaigns (
     id INTEGER PRIMARY KEY,
     state TEXT NOT NULL,
     fingerprint BLOB NOT NULL,
     key_id TEXT NOT NULL,
     partner TEXT,
     authority TEXT NOT NULL,
     rule TEXT,
     stage TEXT,
     by_person INTEGER NOT NULL,
     first_seen INTEGER NOT NULL,
     last_seen INTEGER NOT NULL,
     reports INTEGER NOT NULL,
     reporters INTEGER,
     until INTEGER,
     changed_at INTEGER NOT NULL,
     from_feed INTEGER NOT NULL,
     version INTEGER
   );
   CREATE INDEX campaigns_state ON campaigns (state, id);
   CREATE INDEX campaigns_key ON campaigns (key_id);
   CREATE INDEX campaigns_least ON campaigns (partner, reports, last_seen) WHERE state = 'observed';
   CREATE INDEX campaigns_unseen ON campaigns (last_seen) WHERE state = 'observed';
   CREATE INDEX campaigns_until ON campaigns (until) WHERE state = 'confirmed';
   CREATE INDEX campaigns_old ON campaigns (MAX(last_seen, changed_at))
     WHERE state IN ('rejected', 'revoked', 'ended');
   CREATE INDEX campaigns_version ON campaigns (version, id) WHERE version IS NOT NULL;

   CREATE TABLE campaign_flushes (intake TEXT PRIMARY KEY, n INTEGER NOT NULL, ids TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE campaigns_begun (partner TEXT PRIMARY KEY, day INTEGER NOT NULL, many INTEGER NOT NULL) WITHOUT ROWID;

   CREATE TABLE totals (name TEXT PRIMARY KEY, many INTEGER NOT NULL) WITHOUT ROWID;`;
export const CAMPAIGN_REASONS = `
   ALTER TABLE campaigns ADD COLUMN changed_by TEXT;
   ALTER TABLE campaigns ADD COLUMN reason TEXT;`;

/** Times are in ms since 1970. */
export interface StoredCampaign {
  readonly id: number;
  readonly state: CampaignState;
  readonly fingerprint: Fingerprint;
  /** ID of the TEXT_KEY of the fingerprint. */
  readonly keyId: string;
  /** Partner whose report began the campaign; null if a person enrolled or imported it. */
  readonly partner: string | null;
  /** Authority that decided last; that of the service for rules, and before any decision. */
  readonly authority: string;
  /** Rule that last confirmed the campaign, with its version. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  /** Whether a person decided last. If so, no rule changes the campaign until it has ended. */
  readonly byPerson: boolean;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly reports: number;
  /** Distinct reporters at the last decision of a rule. */
  readonly reporters: number | null;
  /** End of a confirmed campaign; null in all other states. */
  readonly until: number | null;
  readonly changedAt: number;
  /** Who last changed the state, and why. Null if there was no change, or if an older version made it. */
  readonly changedBy: string | null;
  readonly reason: string | null;
  /** Whether an import from the feed of another installation confirmed the campaign. If so, the campaign is not shared. */
  readonly fromFeed: boolean;
  /** Version of the store at the last change; null if the campaign was never confirmed, or is not shared. */
  readonly version: number | null;
}

export interface CampaignRow extends Record<string, SqlStorageValue> {
  id: number;
  state: string;
  fingerprint: ArrayBuffer;
  key_id: string;
  partner: string | null;
  authority: string;
  rule: string | null;
  stage: string | null;
  by_person: number;
  first_seen: number;
  last_seen: number;
  reports: number;
  reporters: number | null;
  until: number | null;
  changed_at: number;
  from_feed: number;
  version: number | null;
  changed_by: string | null;
  reason: string | null;
}

/** Little-endian, like all machines that run this code. */
export function bytesOf(fingerprint: Fingerprint): FingerprintBytes {
  return new Uint8Array(fingerprint.slice().buffer);
}

/** Null if the bytes are no fingerprint. */
export function fingerprintIn(bytes: FingerprintBytes): Fingerprint | null {
  if (bytes.length !== FINGERPRINT_VALUES * 2) return null;
  return new Uint16Array(bytes.slice().buffer);
}

export function campaignOf(row: CampaignRow): StoredCampaign {
  const { id, partner, authority, rule, reports, reporters, until } = row;
  return {
    ...{ id, state: row.state as CampaignState, fingerprint: new Uint16Array(row.fingerprint) },
    ...{ keyId: row.key_id, partner, authority, rule, stage: row.stage as BlockStage | null },
    ...{ byPerson: row.by_person === 1, firstSeen: row.first_seen, lastSeen: row.last_seen },
    ...{ reports, reporters, until, changedAt: row.changed_at },
    ...{ fromFeed: row.from_feed === 1, version: row.version },
    ...{ changedBy: row.changed_by, reason: row.reason },
  };
}
