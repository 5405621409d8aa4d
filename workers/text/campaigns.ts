/**
 * Campaigns: texts that are alike, known by their fingerprints. Reports observe them; rules and people confirm them, until
 * an end.
 */
import type { CampaignState } from '../../shared/admin/text.ts';
import type { Campaign } from '../../shared/text/campaign-table.ts';
import type { TextChanges, TextCursor } from '../storage/text-port.ts';
import type { Publication } from './publication.ts';

/** A step of the tables of the text store. */
export const CAMPAIGN_TABLES = `
   CREATE TABLE campaigns (
     id INTEGER PRIMARY KEY,
     state TEXT NOT NULL,
     fingerprint BLOB NOT NULL,
     key_id TEXT NOT NULL,
     authority TEXT NOT NULL,
     rule TEXT,
     first_seen INTEGER NOT NULL,
     last_seen INTEGER NOT NULL,
     reporters INTEGER NOT NULL,
     until INTEGER
   );`;

export interface CampaignTables {
  readonly publication: Publication;
}

export class Campaigns {
  readonly #tables: CampaignTables;

  constructor(tables: CampaignTables) {
    this.#tables = tables;
  }

  /** Those that the edge must know: confirmed, not ended, with the current TEXT_KEY. @param _now ms since 1970 */
  published(_now: number): Campaign[] {
    return [];
  }

  /** When the next confirmed campaign ends, in ms since 1970; null if none does. */
  get nextEndAt(): number | null {
    return null;
  }

  /** Ends campaigns whose time is over, and forgets old observed ones. Runs in the alarm. @param _now ms since 1970 */
  run(_now: number): void {}

  get counts(): Partial<Record<CampaignState, number>> {
    return {};
  }

  /** For the feed: see TextSource. */
  changes(
    _after: TextCursor | null,
    _limit: number,
  ): Pick<TextChanges, 'generation' | 'campaigns' | 'next' | 'more'> {
    return { generation: String(this.#tables.publication.version), campaigns: [], next: null, more: false };
  }
}
