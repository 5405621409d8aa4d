/**
 * Campaigns: similar texts, recognised by their fingerprints. Reports begin them; rules and people confirm them for a
 * limited time. This file keeps campaigns. campaign-decisions.ts has the decisions of people and rules.
 */
import type { CampaignMatch } from '../../shared/admin/campaigns.ts';
import { CAMPAIGN_STATES, type CampaignState } from '../../shared/admin/text.ts';
import {
  CAMPAIGNS_AT_ONCE,
  CAMPAIGNS_BEGUN_PER_DAY_MAX,
  CAMPAIGNS_DECIDED_KEPT_MS,
  CAMPAIGNS_DECIDED_MAX,
  TEXT_OBSERVED_KEPT_MS,
  TEXT_OBSERVED_MAX,
} from '../../shared/limits/campaigns.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { formatCampaignId } from '../../shared/text/campaign-id.ts';
import type { Campaign } from '../../shared/text/campaign-table.ts';
import type { Fingerprint } from '../../shared/text/fingerprint.ts';
import { DAY_MS } from '../../shared/time.ts';
import { warn } from '../log.ts';
import type { AuditChain } from '../storage/audit-chain.ts';
import type { CampaignRegistry, FingerprintSource, ReportedFingerprint } from '../storage/campaign-port.ts';
import type { StoreResult } from '../storage/store-request.ts';
import type { TextChanges, TextCursor } from '../storage/text-port.ts';
import { CampaignIndex, type SimilarCampaign } from './campaign-index.ts';
import { CampaignRows, type Sighting } from './campaign-rows.ts';
import { sharedOf } from './campaign-views.ts';
import { CampaignWriter } from './campaign-writer.ts';
import type { Meta } from './meta.ts';
import type { Publication } from './publication.ts';
import { ReportedCampaigns } from './reported-campaigns.ts';
import { fingerprintIn, type StoredCampaign } from './stored-campaign.ts';

const SYSTEM = 'numgate';
/** After a loss, IDs continue from the tenths of a second since this time: no installation began as many campaigns. */
const IDS_SINCE = Date.UTC(2026, 0, 1);

/** What campaigns need from the tables of the store. */
export interface CampaignTables {
  readonly storage: DurableObjectStorage;
  readonly sql: SqlStorage;
  readonly meta: Meta;
  readonly audit: AuditChain;
  readonly publication: Publication;
}

export class Campaigns {
  readonly rows: CampaignRows;
  readonly writer: CampaignWriter;
  readonly #tables: CampaignTables;
  readonly #reported: ReportedCampaigns;
  /** By ID of the TEXT_KEY. In memory only: each index is read when it is first needed. */
  readonly #indexes = new Map<string, CampaignIndex>();
  #keyId: string | null = null;
  /** Whether `remember` was called since the last attempt began. */
  #hasRemembered = false;

  constructor(tables: CampaignTables) {
    this.#tables = tables;
    this.rows = new CampaignRows(tables.sql);
    this.writer = new CampaignWriter(this.rows, tables.audit, () => tables.publication);
    this.#reported = new ReportedCampaigns(tables.sql);
  }

  /** ID of the TEXT_KEY of this installation; null without one. */
  get keyId(): string | null {
    return this.#keyId;
  }

  /** Sets the TEXT_KEY of this start. If the key has changed, other campaigns are published. */
  open(keyId: string | null): void {
    this.#keyId = keyId;
    const { meta, publication, storage } = this.#tables;
    const known = meta.text('textKeyId') ?? '';
    if (known === (keyId ?? '')) return;
    storage.transactionSync(() => {
      meta.set('textKeyId', keyId ?? '');
      if (this.rows.count('confirmed') > 0) publication.changed();
    });
  }

  /** See CampaignRegistry. */
  campaignsOf(
    { intake, partner, n }: FingerprintSource,
    reported: readonly ReportedFingerprint[],
  ): Awaited<ReturnType<CampaignRegistry['campaignsOf']>> {
    const last = this.#reported.last(intake);
    // An earlier flush, or another flush with the same number: the intake was set back.
    if (n < last.n || (n === last.n && last.ids.length !== reported.length))
      return { last: last.n, ids: null };
    if (n === last.n) return { last: n, ids: last.ids };
    const ids = this.change(() => {
      const found = this.#observe(partner, reported, Date.now());
      this.#reported.store(intake, n, found);
      return found;
    });
    return { last: n, ids };
  }

  /** Runs a change in a transaction. If it fails, the indexes are read again. */
  change<Value>(apply: () => Value): Value {
    try {
      return this.#tables.storage.transactionSync(apply);
    } catch (error) {
      this.#indexes.clear();
      throw error;
    }
  }

  /** Runs a change with its own transaction. If it is refused or fails, the indexes keep nothing of it. */
  attempt<Value>(run: () => StoreResult<Value>): StoreResult<Value> {
    this.#hasRemembered = false;
    let isDone = false;
    try {
      const done = run();
      isDone = done.ok;
      return done;
    } finally {
      // Reading all campaigns takes long, so keep the indexes if the change was refused before it added anything.
      if (!isDone && this.#hasRemembered) this.#indexes.clear();
    }
  }

  /** The most similar campaign in any state, of the same TEXT_KEY. */
  find(fingerprint: Fingerprint, keyId: string): SimilarCampaign | null {
    return this.#index(keyId).find(fingerprint);
  }

  /** Raises the next ID after the tables were lost, because counts of reports may still know campaigns by old IDs. */
  restart(now: number): void {
    const { meta } = this.#tables;
    const tenths = Math.floor((now - IDS_SINCE) / 100);
    meta.set('lastCampaign', Math.max(meta.number('lastCampaign'), tenths));
  }

  /** Whether these tables may have lost campaigns, so that no ID can be assigned before the head is known. */
  get isNew(): boolean {
    return this.#tables.meta.text('lastCampaign') === null;
  }

  /** Allows IDs to be assigned, because the head is known. */
  begin(): void {
    const { meta } = this.#tables;
    meta.set('lastCampaign', meta.number('lastCampaign'));
  }

  /** An ID that no campaign ever had. Must run in the transaction that uses it. */
  nextId(): number {
    const { meta } = this.#tables;
    const id = meta.number('lastCampaign') + 1;
    meta.set('lastCampaign', id);
    return id;
  }

  /** Makes a campaign known to `find`. Must run in the change that stores it. */
  remember({ id, fingerprint, keyId }: Pick<StoredCampaign, 'id' | 'fingerprint' | 'keyId'>): void {
    this.#hasRemembered = true;
    this.#index(keyId).add(id, fingerprint);
  }

  /** @param fingerprint of the current TEXT_KEY @param now ms since 1970 */
  match(fingerprint: Fingerprint, keyId: string, now: number): CampaignMatch {
    const none = { campaign: null, blocks: false, hasFingerprint: true };
    if (keyId !== this.#keyId) return none;
    // The edge knows only blocking campaigns. A more similar campaign in another state protects no text from them.
    const blocking = this.#index(keyId).find(fingerprint, (id) => {
      const campaign = this.rows.get(id);
      return campaign?.state === 'confirmed' && campaign.until! > now;
    });
    const found = blocking ?? this.find(fingerprint, keyId);
    if (found === null) return none;
    return { campaign: formatCampaignId(found.id), blocks: blocking !== null, hasFingerprint: true };
  }

  /** Campaigns that the edge must know: confirmed, not ended, with the current TEXT_KEY. @param now ms since 1970 */
  published(now: number): Campaign[] {
    if (this.#keyId === null) return [];
    return this.rows.inForce(this.#keyId, now).map(({ id, fingerprint, until, authority, rule, stage }) => ({
      ...{ id, fingerprint, until: Math.ceil(until! / 1000), authority },
      ...(rule === null || stage === null ? {} : { rule, stage }),
    }));
  }

  /** Changes for the feed: see TextSource. */
  changes(
    after: TextCursor | null,
    limit: number,
  ): Pick<TextChanges, 'generation' | 'campaigns' | 'next' | 'more'> {
    const { generation } = this.#tables.publication;
    const from = after?.generation === generation ? after : null;
    const found = this.rows.changedSince(from?.version ?? 0, from?.id ?? 0, limit + 1);
    const campaigns = found.slice(0, limit);
    const last = campaigns.at(-1);
    const next = last === undefined ? from : { generation, version: last.version!, id: last.id };
    return { generation, campaigns: campaigns.map(sharedOf), next, more: found.length > limit };
  }

  get counts(): Partial<Record<CampaignState, number>> {
    return Object.fromEntries(
      CAMPAIGN_STATES.map((state) => [state, this.rows.count(state)] as const).filter(([, many]) => many > 0),
    );
  }

  /** When `run` has something to do, in ms since 1970; null for never. */
  get nextEndAt(): number | null {
    const times = [this.rows.nextEndAt, this.rows.nextForgottenAt].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Ends some campaigns whose time is over, and removes some old ones. Runs in the alarm. @param now ms since 1970 */
  run(now: number): void {
    this.change(() => {
      const author = { actor: SYSTEM, reason: 'its time is over', at: now };
      for (const campaign of this.rows.due(now, CAMPAIGNS_AT_ONCE))
        this.writer.write(author, 'end', campaign, { ...campaign, state: 'ended', until: null });
      const removed = [
        ...this.rows.forgetUnseen(now - TEXT_OBSERVED_KEPT_MS, CAMPAIGNS_AT_ONCE),
        ...this.rows.forgetDecided(now - CAMPAIGNS_DECIDED_KEPT_MS, CAMPAIGNS_AT_ONCE),
      ];
      const decided = ['rejected', 'revoked', 'ended'] as const;
      const excess = decided.reduce((sum, state) => sum + this.rows.count(state), 0) - CAMPAIGNS_DECIDED_MAX;
      if (excess > 0) removed.push(...this.rows.forgetDecided(now, Math.min(excess, CAMPAIGNS_AT_ONCE)));
      this.#unlist(removed);
    });
  }

  /** Must run in a change. @returns the campaign of each fingerprint; 0 for none */
  #observe(partner: string, reported: readonly ReportedFingerprint[], now: number): readonly number[] {
    const day = Math.floor(now / DAY_MS);
    const begunBefore = this.#reported.begun(partner, day);
    const begun = new Map<number, Pick<StoredCampaign, 'id' | 'fingerprint' | 'keyId' | 'partner'>>();
    const seen = new Map<number, Sighting>();
    const ids = reported.map(({ fingerprint: bytes, keyId, at: given }) => {
      const fingerprint = fingerprintIn(bytes);
      if (fingerprint === null) return 0;
      const at = Math.min(given, now);
      let id = this.find(fingerprint, keyId)?.id ?? 0;
      if (id === 0) {
        if (begunBefore + begun.size >= CAMPAIGNS_BEGUN_PER_DAY_MAX) return 0;
        id = this.nextId();
        begun.set(id, { id, fingerprint, keyId, partner });
        this.remember(begun.get(id)!);
      }
      const before = seen.get(id) ?? { reports: 0, firstAt: at, lastAt: at };
      seen.set(id, {
        reports: before.reports + 1,
        firstAt: Math.min(before.firstAt, at),
        lastAt: Math.max(before.lastAt, at),
      });
      return id;
    });
    if (begunBefore < CAMPAIGNS_BEGUN_PER_DAY_MAX && begunBefore + begun.size >= CAMPAIGNS_BEGUN_PER_DAY_MAX)
      warn('campaignsTooMany', { partner });
    for (const [id, sighting] of seen) if (!begun.has(id)) this.rows.see(id, sighting);
    if (begun.size === 0) return ids;
    this.#reported.setBegun(partner, day, begunBefore + begun.size);
    // Evict before inserting the new campaigns, because those have the fewest reports.
    const excess = this.rows.count('observed') + begun.size - TEXT_OBSERVED_MAX;
    if (excess > 0) this.#unlist(this.rows.forgetLeast(excess));
    for (const [id, own] of begun) this.rows.put(null, observed(own, seen.get(id)!, now));
    return ids;
  }

  #unlist(ids: readonly number[]): void {
    for (const id of ids) for (const index of this.#indexes.values()) index.remove(id);
  }

  #index(keyId: string): CampaignIndex {
    let index = this.#indexes.get(keyId);
    if (index === undefined) {
      index = new CampaignIndex(CAMPAIGN_STATES.reduce((sum, state) => sum + this.rows.count(state), 0));
      for (const { id, fingerprint } of this.rows.ofKey(keyId)) index.add(id, fingerprint);
      this.#indexes.set(keyId, index);
    }
    return index;
  }
}

function observed(
  own: Pick<StoredCampaign, 'id' | 'fingerprint' | 'keyId' | 'partner'>,
  { reports, firstAt, lastAt }: Sighting,
  now: number,
): StoredCampaign {
  return {
    ...{ ...own, state: 'observed', authority: SYSTEM_AUTHORITY, rule: null, stage: null, byPerson: false },
    ...{ firstSeen: firstAt, lastSeen: lastAt, reports, reporters: null, until: null, changedAt: now },
    ...{ changedBy: null, reason: null, fromFeed: false, version: null },
  };
}
