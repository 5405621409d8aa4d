/**
 * Campaigns: texts that are alike, known by their fingerprints. Reports observe them; rules and people confirm them, until
 * an end.
 */
import type { Campaign } from '../../shared/text/campaign-table.ts';
import type { CampaignRegistry } from '../storage/text-port.ts';
import type { TextTables } from './tables.ts';

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

export class Campaigns implements CampaignRegistry {
  readonly #tables: TextTables;

  constructor(tables: TextTables) {
    this.#tables = tables;
  }

  async campaignsOf(
    _fingerprints: readonly Uint16Array<ArrayBuffer>[],
    _at: number,
  ): Promise<readonly number[]> {
    throw new Error('campaigns are not there yet');
  }

  /** Calls `this.#tables.publication.changed()` in its transaction if confirmed campaigns change. */
  async decideCampaign(
    _id: number,
    _decision: Parameters<CampaignRegistry['decideCampaign']>[1],
  ): Promise<void> {
    throw new Error('campaigns are not there yet');
  }

  /** Those that the edge must know: confirmed, not ended, with the current TEXT_KEY. @param _now ms since 1970 */
  published(_now: number): Campaign[] {
    return [];
  }

  /** When the next confirmed campaign ends, in ms since 1970; null if none does. */
  get nextEndAt(): number | null {
    void this.#tables;
    return null;
  }

  /** Ends campaigns whose time is over, and forgets old observed ones. Runs in the alarm. @param _now ms since 1970 */
  run(_now: number): void {}
}
