/**
 * The Durable Object of text risk, with text releases and campaigns, one per installation. It gives the coordinator the
 * index of the values for the edge, at most once per HEAD_PART_INTERVAL_MS. It stores no text. Expected failures are values.
 */
import { DurableObject } from 'cloudflare:workers';
import type { CampaignMatch, CampaignPage } from '../../shared/admin/campaigns.ts';
import type {
  CampaignInfo,
  PromoteText,
  PutTextRelease,
  TextChangeDone,
  TextPlan,
  TextReleaseInfo,
  TextStatus,
} from '../../shared/admin/text.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import { ok } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import type { CampaignObject } from '../storage/campaign-port.ts';
import type { TextCanary } from '../storage/drift-port.ts';
import { FeedPokes } from '../storage/feed-pokes.ts';
import { FEED_NAME } from '../storage/feed-port.ts';
import { within } from '../storage/single-flight.ts';
import { type StoreRequest, type StoreResult, systemRequest } from '../storage/store-request.ts';
import type { TextChanges, TextCursor, TextObject, TextSource } from '../storage/text-port.ts';
import type { ReleaseChange } from './release-changes.ts';
import { createTables } from './schema.ts';
import { StoreParts } from './store-parts.ts';

export class TextStore
  extends DurableObject<ControlEnv>
  implements TextObject, TextSource, TextCanary, CampaignObject
{
  readonly #parts: StoreParts;
  readonly #feed: FeedPokes;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#parts = new StoreParts(ctx.storage, env);
    this.#feed = new FeedPokes(ctx, env.SHARING_KEY ? () => env.FEED.getByName(FEED_NAME) : null);
    ctx.blockConcurrencyWhile(async () => {
      await this.#parts.open();
      this.#alarmAt = await ctx.storage.getAlarm();
      // The platform gives up on an alarm that fails too often, so set it again.
      await this.#arm();
    });
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const { values, releases } = this.#parts.tables;
    return values.bytes(key) ?? releases.bytes(key);
  }

  async refresh(): Promise<void> {
    await this.#parts.head.refresh();
    await this.#arm();
  }

  async status(): Promise<TextStatus> {
    return this.#parts.status();
  }

  /** Newest first. */
  async releases(): Promise<readonly TextReleaseInfo[]> {
    return this.#parts.tables.releases.all.map((row) => this.#parts.releases.info(row));
  }

  async release(release: string): Promise<TextReleaseInfo | null> {
    const row = this.#parts.tables.releases.get(release);
    return row && this.#parts.releases.info(row);
  }

  async manifest(release: string): Promise<SignedText | null> {
    return this.#parts.tables.releases.get(release)?.signed ?? null;
  }

  async plan(release: string): Promise<StoreResult<TextPlan>> {
    return this.#parts.releases.plan(release);
  }

  /** Stores a release. The release affects no response before it is promoted. */
  async pushRelease(request: StoreRequest, body: PutTextRelease): Promise<StoreResult<TextReleaseInfo>> {
    const done = await this.#parts.releases.push(request, body);
    await this.#arm();
    return done;
  }

  async promote(
    request: StoreRequest,
    release: string,
    options: PromoteText,
  ): Promise<StoreResult<TextChangeDone>> {
    return this.#published(await this.#parts.releases.promote(request, release, options));
  }

  async withdraw(request: StoreRequest, release: string): Promise<StoreResult<TextChangeDone>> {
    return this.#published(this.#parts.releases.withdraw(request, release));
  }

  /** @param expected the release to undo; undefined for any release */
  async rollBack(request: StoreRequest, expected: string | undefined): Promise<StoreResult<TextChangeDone>> {
    return this.#published(await this.#parts.releases.rollBack(request, expected));
  }

  async canary(): ReturnType<TextCanary['canary']> {
    const { current, candidate } = this.#parts.tables.releases;
    if (candidate === null) return null;
    const since = candidate.promotedAt ?? candidate.pushedAt;
    return { current: current?.release ?? null, candidate: candidate.release, since };
  }

  async withdrawCandidate(release: string, reason: string): Promise<boolean> {
    const done = this.#parts.releases.withdraw(systemRequest(reason), release);
    if (done.ok) await this.#changed();
    return done.ok;
  }

  async campaignsOf(
    ...args: Parameters<CampaignObject['campaignsOf']>
  ): ReturnType<CampaignObject['campaignsOf']> {
    await this.#parts.canBegin();
    const found = this.#parts.tables.campaigns.campaignsOf(...args);
    await this.#arm();
    return found;
  }

  /** Publishes after the response. */
  async applyCampaignChanges(
    ...args: Parameters<CampaignObject['applyCampaignChanges']>
  ): ReturnType<CampaignObject['applyCampaignChanges']> {
    const done = this.#parts.decisions.apply(...args);
    await this.#arm();
    this.ctx.waitUntil(this.#changed());
    return done;
  }

  async campaignPage(
    ...[{ state }, after, limit]: Parameters<CampaignObject['campaignPage']>
  ): Promise<CampaignPage> {
    return this.#parts.decisions.page(state, after, limit);
  }

  async campaign(id: number): Promise<CampaignInfo | null> {
    return this.#parts.decisions.info(id);
  }

  async matchCampaigns(
    fingerprints: Parameters<CampaignObject['matchCampaigns']>[0],
  ): Promise<readonly CampaignMatch[]> {
    return this.#parts.decisions.match(fingerprints);
  }

  async enrolCampaigns(
    ...args: Parameters<CampaignObject['enrolCampaigns']>
  ): ReturnType<CampaignObject['enrolCampaigns']> {
    await this.#parts.canBegin();
    return this.#decided(this.#parts.decisions.enrol(...args));
  }

  async importCampaigns(
    ...args: Parameters<CampaignObject['importCampaigns']>
  ): ReturnType<CampaignObject['importCampaigns']> {
    await this.#parts.canBegin();
    return this.#decided(this.#parts.imports.run(...args));
  }

  async confirmCampaign(
    ...args: Parameters<CampaignObject['confirmCampaign']>
  ): Promise<StoreResult<CampaignInfo>> {
    return this.#decided(this.#parts.decisions.confirm(...args));
  }

  async rejectCampaign(
    ...args: Parameters<CampaignObject['rejectCampaign']>
  ): Promise<StoreResult<CampaignInfo>> {
    return this.#decided(this.#parts.decisions.reject(...args));
  }

  async revokeCampaign(
    ...args: Parameters<CampaignObject['revokeCampaign']>
  ): Promise<StoreResult<CampaignInfo>> {
    return this.#decided(this.#parts.decisions.revoke(...args));
  }

  async textChanges(after: TextCursor | null, limit: number): Promise<TextChanges> {
    const { releases, campaigns } = this.#parts.tables;
    const { manifest: { release, hosts } = { release: '', hosts: null } } = releases.current ?? {};
    return {
      ...campaigns.changes(after, limit),
      hosts: hosts === null ? null : { release, value: hosts.value, lists: hosts.lists },
    };
  }

  /** @param after number of a record */
  async audit(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this.#parts.tables.audit.records(after, limit);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const { version } = this.#parts.tables.publication;
    await this.#parts.runDue();
    if (this.#parts.tables.publication.version > version) this.#feed.poke();
    await this.#arm();
  }

  /** Answers once the head has the change, or with `published: false` if the coordinator does not respond. */
  async #published(done: StoreResult<ReleaseChange>): Promise<StoreResult<TextChangeDone>> {
    if (!done.ok) return done;
    if (done.value.dryRun) return ok({ ...done.value, published: false });
    const { publication } = this.#parts.tables;
    await within(this.#changed(), LOAD_WAIT_MS).catch(() => undefined);
    return ok({ ...done.value, published: publication.publishedVersion >= done.value.version });
  }

  /** Answers once the head has the decision of a person, or after LOAD_WAIT_MS. The alarm repeats a failure. */
  async #decided<Value>(done: StoreResult<Value>): Promise<StoreResult<Value>> {
    const { isBehind } = this.#parts.tables.publication;
    if (done.ok && isBehind) await within(this.#changed(), LOAD_WAIT_MS).catch(() => undefined);
    else await this.#arm();
    return done;
  }

  /** Publishes a change. Never throws: the alarm repeats a failed publication. */
  async #changed(): Promise<void> {
    await this.#arm();
    this.#feed.poke();
    const published = this.#parts.head
      .publish()
      .catch((error: unknown) => warnFailed('textNotPublished', error))
      .then(() => this.#arm());
    this.ctx.waitUntil(published);
    await published;
  }

  /** Sets the alarm to the next time at which work is due. */
  async #arm(): Promise<void> {
    const next = this.#parts.nextDueAt(Date.now());
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}
