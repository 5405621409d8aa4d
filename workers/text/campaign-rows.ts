/** Campaigns as rows: their fingerprints and states, and when and how often they were reported. */
import type { CampaignState } from '../../shared/admin/text.ts';
import { CAMPAIGNS_DECIDED_KEPT_MS, TEXT_OBSERVED_KEPT_MS } from '../../shared/limits/campaigns.ts';
import type { Fingerprint } from '../../shared/text/fingerprint.ts';
import { Totals } from '../storage/totals.ts';
import { bytesOf, type CampaignRow, campaignOf, type StoredCampaign } from './stored-campaign.ts';

/** The reports of one flush about a campaign. */
export interface Sighting {
  readonly reports: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

const IS_DECIDED = `state IN ('rejected', 'revoked', 'ended')`;

/** Prefix of the totals of observed campaigns, by the partner that began them. */
const OBSERVED_OF = 'begun ';

/** The totals that count a campaign. */
function namesOf({
  state,
  partner,
  byPerson,
}: Pick<StoredCampaign, 'state' | 'partner' | 'byPerson'>): string[] {
  return [
    state,
    ...(state === 'confirmed' && !byPerson ? ['ofRules'] : []),
    ...(state === 'observed' && partner !== null ? [OBSERVED_OF + partner] : []),
  ];
}

export class CampaignRows {
  readonly #sql: SqlStorage;
  readonly #totals: Totals;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#totals = new Totals(sql);
  }

  get(id: number): StoredCampaign | null {
    return this.#select('id = ?', id)[0] ?? null;
  }

  /** Campaigns in the order of their IDs. @param after an ID; 0 for the first page */
  page(state: CampaignState | undefined, after: number, limit: number): StoredCampaign[] {
    return state === undefined
      ? this.#select('id > ? ORDER BY id LIMIT ?', after, limit)
      : this.#select('state = ? AND id > ? ORDER BY id LIMIT ?', state, after, limit);
  }

  /** Confirmed campaigns of one key that have not ended. */
  inForce(keyId: string, now: number): StoredCampaign[] {
    return this.#select(`state = 'confirmed' AND until > ? AND key_id = ? ORDER BY id`, now, keyId);
  }

  /** IDs and fingerprints of all campaigns of one key. */
  *ofKey(keyId: string): Generator<{ readonly id: number; readonly fingerprint: Fingerprint }> {
    const rows = this.#sql.exec<{ id: number; fingerprint: ArrayBuffer }>(
      'SELECT id, fingerprint FROM campaigns WHERE key_id = ? ORDER BY id',
      keyId,
    );
    for (const { id, fingerprint } of rows) yield { id, fingerprint: new Uint16Array(fingerprint) };
  }

  count(state: CampaignState): number {
    return this.#totals.get(state);
  }

  /** The number of campaigns that rules have confirmed. */
  get ofRules(): number {
    return this.#totals.get('ofRules');
  }

  /** Must run in the transaction of the change. @param before null for a new campaign */
  put(before: StoredCampaign | null, after: StoredCampaign): void {
    const { id, state, fingerprint, keyId, partner, authority, rule, stage, byPerson } = after;
    this.#sql.exec(
      `INSERT OR REPLACE INTO campaigns VALUES (${Array(19).fill('?').join(', ')})`,
      ...[id, state, bytesOf(fingerprint), keyId, partner, authority, rule, stage, byPerson ? 1 : 0],
      ...[after.firstSeen, after.lastSeen, after.reports, after.reporters, after.until, after.changedAt],
      ...[after.fromFeed ? 1 : 0, after.version, after.changedBy, after.reason],
    );
    if (before !== null) this.#count(before, -1);
    this.#count(after, 1);
  }

  /** Campaigns that were ever confirmed and have changed, in the order of (version, ID). */
  changedSince(version: number, id: number, limit: number): StoredCampaign[] {
    return this.#select(
      'version IS NOT NULL AND (version > ? OR (version = ? AND id > ?)) ORDER BY version, id LIMIT ?',
      ...[version, version, id, limit],
    );
  }

  /** Adds reports to a campaign. Must run in a transaction. */
  see(id: number, { reports, firstAt, lastAt }: Sighting): void {
    this.#sql.exec(
      `UPDATE campaigns SET reports = reports + ?, first_seen = MIN(first_seen, ?), last_seen = MAX(last_seen, ?)
       WHERE id = ?`,
      ...[reports, firstAt, lastAt, id],
    );
  }

  /** Confirmed campaigns whose time is over, earliest first. */
  due(now: number, limit: number): StoredCampaign[] {
    return this.#select(`state = 'confirmed' AND until <= ? ORDER BY until LIMIT ?`, now, limit);
  }

  get nextEndAt(): number | null {
    return this.#sql
      .exec<{ at: number | null }>(`SELECT MIN(until) AS at FROM campaigns WHERE state = 'confirmed'`)
      .one().at;
  }

  /** When the next campaign is removed, in ms since 1970; null if there is none. */
  get nextForgottenAt(): number | null {
    const { unseen, old } = this.#sql
      .exec<{ unseen: number | null; old: number | null }>(
        `SELECT (SELECT MIN(last_seen) FROM campaigns WHERE state = 'observed') AS unseen,
           (SELECT MIN(MAX(last_seen, changed_at)) FROM campaigns WHERE ${IS_DECIDED}) AS old`,
      )
      .one();
    const times = [
      ...(unseen === null ? [] : [unseen + TEXT_OBSERVED_KEPT_MS]),
      ...(old === null ? [] : [old + CAMPAIGNS_DECIDED_KEPT_MS]),
    ];
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Removes observed campaigns without reports since a time. Must run in a transaction. @returns their IDs */
  forgetUnseen(since: number, limit: number): number[] {
    return this.#forget(`state = 'observed' AND last_seen <= ? ORDER BY last_seen LIMIT ?`, since, limit);
  }

  /**
   * Removes observed campaigns to make room: from the partner that began the most, so that no partner can push out the
   * campaigns of others. Campaigns with the fewest reports go first; on a tie, the least recently reported.
   */
  forgetLeast(many: number): number[] {
    const removed: number[] = [];
    while (removed.length < many) {
      const [most, next] = this.#sql
        .exec<{ name: string; many: number }>(
          `SELECT name, many FROM totals WHERE name LIKE 'begun %' ORDER BY many DESC LIMIT 2`,
        )
        .toArray();
      if (most === undefined || most.many === 0) break;
      const some = Math.min(many - removed.length, Math.max(1, most.many - (next?.many ?? 0)));
      const partner = most.name.slice(OBSERVED_OF.length);
      const where = `state = 'observed' AND partner = ? ORDER BY reports, last_seen LIMIT ?`;
      const found = this.#forget(where, partner, some);
      if (found.length === 0) break; // The total is higher than the number of rows.
      removed.push(...found);
    }
    return removed;
  }

  /** Removes rejected, revoked and ended campaigns without a report or a change since a time. */
  forgetDecided(since: number, limit: number): number[] {
    const age = 'MAX(last_seen, changed_at)';
    return this.#forget(`${IS_DECIDED} AND ${age} <= ? ORDER BY ${age} LIMIT ?`, since, limit);
  }

  #forget(where: string, ...values: (string | number)[]): number[] {
    const removed = this.#sql
      .exec<{ id: number; state: string; partner: string | null }>(
        `DELETE FROM campaigns WHERE id IN (SELECT id FROM campaigns WHERE ${where}) RETURNING id, state, partner`,
        ...values,
      )
      .toArray();
    // None of the removed campaigns is confirmed.
    for (const { state, partner } of removed)
      for (const name of namesOf({ state: state as CampaignState, partner, byPerson: true }))
        this.#totals.add(name, -1);
    return removed.map(({ id }) => id);
  }

  #count(campaign: StoredCampaign, many: number): void {
    for (const name of namesOf(campaign)) this.#totals.add(name, many);
  }

  #select(where: string, ...values: (string | number)[]): StoredCampaign[] {
    return this.#sql
      .exec<CampaignRow>(`SELECT * FROM campaigns WHERE ${where}`, ...values)
      .toArray()
      .map(campaignOf);
  }
}
