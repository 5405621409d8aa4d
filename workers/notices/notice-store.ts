/**
 * The Durable Object that keeps the notices to one organisation, and delivers them to its webhooks. It is named by the
 * ID of the organisation. Expected failures are values.
 */
import { DurableObject } from 'cloudflare:workers';
import type {
  AddWebhook,
  DeliveryInfo,
  DeliveryPage,
  DeliveryState,
  NoticeDetails,
  Replay,
  Replayed,
  WebhookInfo,
  WebhookSecret,
} from '../../shared/admin/webhooks.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import { NOTICES_RETRY_MS, NOTICES_RETRY_MS_MAX } from '../../shared/limits/notices.ts';
import type { GivenAcknowledgement } from '../../shared/notices/acknowledgement.ts';
import type {
  NewNotice,
  Notice,
  NoticeCount,
  NoticePage,
  NoticeRecord,
} from '../../shared/notices/notice.ts';
import { ok } from '../../shared/result.ts';
import { openSharingKeys } from '../../shared/sharing-keys.ts';
import { type ControlEnv, publicUrlOf } from '../env.ts';
import { warnFailed } from '../log.ts';
import { Anchoring } from '../storage/anchoring.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { FigureReporter } from '../storage/figure-reporter.ts';
import { METRIC_TOTALS_NAME } from '../storage/metrics-port.ts';
import type {
  NoticeObject,
  NoticeQuery,
  NoticesAdded,
  NoticesStatus,
  OrganisationSource,
} from '../storage/notices-port.ts';
import { RetriedWork } from '../storage/retried-work.ts';
import { refuse, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { type Answering, acknowledge, unknownNotice } from './acknowledgements.ts';
import { Additions } from './additions.ts';
import { Courier } from './courier.ts';
import { Deliveries } from './deliveries.ts';
import { noticeOf, recordOf } from './notice-rows.ts';
import { FactsReader } from './organisation-facts.ts';
import { createTables } from './schema.ts';
import { WebhookSigner } from './signing.ts';
import { figuresOf, statusOf } from './status.ts';
import { Tables } from './tables.ts';
import { sendTest } from './test-notice.ts';
import { unknown, WebhookChanges } from './webhook-changes.ts';

export class NoticeStore extends DurableObject<ControlEnv> implements NoticeObject {
  readonly #tables: Tables;
  readonly #additions: Additions;
  readonly #webhooks: WebhookChanges;
  readonly #deliveries: Deliveries;
  readonly #anchoring: Anchoring;
  readonly #reporter: FigureReporter;
  readonly #facts: FactsReader;
  readonly #work: RetriedWork;
  #courier!: Courier;
  #signer: WebhookSigner | null = null;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#tables = new Tables(ctx.storage);
    this.#additions = new Additions(this.#tables);
    this.#webhooks = new WebhookChanges(this.#tables);
    this.#deliveries = new Deliveries(this.#tables, Math.random);
    const coordinator = () =>
      this.env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as OrganisationSource;
    this.#facts = new FactsReader(coordinator);
    const { audit, meta } = this.#tables;
    this.#anchoring = new Anchoring(
      ctx.storage.sql,
      audit,
      meta,
      (end) => coordinator().anchorWebhooks(this.#tables.organisation, end),
      'webhooksNotAnchored',
    );
    this.#reporter = new FigureReporter(
      () => figuresOf(this.#tables, Date.now()),
      () => this.env.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME),
    );
    this.#work = new RetriedWork(NOTICES_RETRY_MS, NOTICES_RETRY_MS_MAX, (error) =>
      warnFailed('noticesNotDelivered', error, { organisation: this.#tables.organisation }),
    );
    ctx.blockConcurrencyWhile(async () => {
      const keys = await openSharingKeys(env.SHARING_KEY ?? '');
      this.#signer = keys.ok ? new WebhookSigner(keys.value) : null;
      const url = publicUrlOf(env);
      this.#courier = new Courier(this.#tables, this.#deliveries, this.#facts, {
        ...{
          signer: this.#signer,
          source: url.ok ? url.value : null,
          isLocal: env.PLATFORM !== 'cloudflare',
        },
      });
      this.#alarmAt = await ctx.storage.getAlarm();
      this.#deliveries.endCutOff(Date.now());
      // Set the alarm again, because the platform gives up on an alarm that fails too often.
      await this.#arm();
    });
  }

  async add(
    organisation: string,
    sender: string,
    n: number,
    notices: readonly NewNotice[],
  ): Promise<NoticesAdded> {
    this.#tables.name(organisation);
    const added = this.#additions.add(sender, n, notices, Date.now());
    await this.#follow();
    return added;
  }

  async totals(fromMonth: string, toMonth: string): Promise<readonly NoticeCount[]> {
    return this.#tables.counts.between(fromMonth, toMonth);
  }

  async evidence(query: NoticeQuery): Promise<readonly NoticeRecord[]> {
    return this.#tables.notices.matching(query).map(recordOf);
  }

  async status(): Promise<NoticesStatus> {
    return statusOf(this.#tables, Date.now());
  }

  /** @param after version */
  async page(after: number, limit: number): Promise<NoticePage> {
    const found = this.#tables.notices.page(after, limit);
    return { notices: found.map(noticeOf), next: found.length < limit ? null : found.at(-1)!.version };
  }

  async notice(version: number): Promise<StoreResult<Notice>> {
    const found = this.#tables.notices.get(version);
    return found === null ? unknownNotice() : ok(noticeOf(found));
  }

  async noticeDetails(version: number): Promise<StoreResult<NoticeDetails>> {
    const found = this.#tables.notices.get(version);
    if (found === null) return unknownNotice();
    return ok({ ...noticeOf(found), deliveries: this.#tables.deliveries.of(version) });
  }

  async acknowledge(
    version: number,
    given: GivenAcknowledgement,
    by: Answering,
  ): Promise<StoreResult<Notice>> {
    return acknowledge(this.#tables, version, given, by, Date.now());
  }

  async webhooks(): Promise<readonly WebhookInfo[]> {
    return this.#webhooks.list(Date.now());
  }

  async webhook(id: string): Promise<StoreResult<WebhookInfo>> {
    return this.#webhooks.get(id, Date.now());
  }

  /** @param added has a URL that was checked */
  async addWebhook(
    request: StoreRequest,
    organisation: string,
    added: Pick<AddWebhook, 'url' | 'types'>,
  ): Promise<StoreResult<WebhookSecret>> {
    this.#tables.name(organisation);
    return this.#withSecret(() => this.#webhooks.add(request, added));
  }

  async removeWebhook(request: StoreRequest, id: string): Promise<StoreResult<{ readonly id: string }>> {
    return this.#changed(this.#webhooks.remove(request, id));
  }

  async enableWebhook(request: StoreRequest, id: string, skip: boolean): Promise<StoreResult<WebhookInfo>> {
    return this.#changed(this.#webhooks.enable(request, id, skip));
  }

  async disableWebhook(request: StoreRequest, id: string): Promise<StoreResult<WebhookInfo>> {
    return this.#changed(this.#webhooks.disable(request, id));
  }

  async rotateWebhook(request: StoreRequest, id: string): Promise<StoreResult<WebhookSecret>> {
    return this.#withSecret(() => this.#webhooks.rotate(request, id));
  }

  async replay(request: StoreRequest, id: string, replay: Replay): Promise<StoreResult<Replayed>> {
    return this.#changed(this.#webhooks.replay(request, id, replay));
  }

  /** Sends a test notice now. @returns its delivery */
  async testWebhook(request: StoreRequest, id: string): Promise<StoreResult<DeliveryInfo>> {
    if (this.#signer === null) return notConfigured();
    const facts = await this.#facts.read(this.#tables.organisation).catch(() => null);
    if (facts === null) return refuse('UNAVAILABLE', 'the coordinator does not respond: try again');
    const send = this.#courier.send.bind(this.#courier);
    return sendTest(this.#tables, this.#deliveries, request, id, (webhook, notice) =>
      send(webhook, notice, facts, this.#signer!),
    );
  }

  /** Newest first. @param before version; null for the newest */
  async deliveries(
    id: string,
    state: DeliveryState | null,
    before: number | null,
    limit: number,
  ): Promise<StoreResult<DeliveryPage>> {
    if (this.#tables.webhooks.get(id) === null) return unknown();
    const found = this.#tables.deliveries.page(id, state, before, limit);
    return ok({ deliveries: found, next: found.length < limit ? null : found.at(-1)!.version });
  }

  /** @param after number of a record */
  async audit(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this.#tables.audit.records(after, limit);
  }

  /** Never throws: the platform gives up on an alarm that fails too often. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    // Report first, because the deliveries may take long.
    await this.#reporter.run();
    await this.#work.run(async () => {
      const { sweepAt } = this.#tables.room;
      // One step per alarm. The next alarm follows at once.
      if (sweepAt !== null && sweepAt <= Date.now()) this.#tables.room.sweep(Date.now());
      this.#tables.forget(Date.now());
      await this.#anchoring.run();
      await this.#courier.run();
      this.#work.progressed();
    });
    this.#reporter.changed();
    await this.#reporter.run();
    await this.#arm();
  }

  async #withSecret(change: () => StoreResult<WebhookInfo>): Promise<StoreResult<WebhookSecret>> {
    if (this.#signer === null) return notConfigured();
    const done = await this.#changed(change());
    if (!done.ok) return done;
    const { id, secretNumber } = done.value;
    const name = { organisation: this.#tables.organisation, webhook: id, n: secretNumber };
    return ok({ webhook: done.value, ...(await this.#signer.secretOf(name)) });
  }

  async #changed<Value>(done: StoreResult<Value>): Promise<StoreResult<Value>> {
    if (done.ok) await this.#follow();
    return done;
  }

  /** Call after a change, because something may be due at once. The alarm is set first, in case the woken run dies. */
  async #follow(): Promise<void> {
    this.#reporter.changed();
    await this.#arm();
    this.#courier.wake();
  }

  /** Sets the alarm for the next time at which there is something to do. */
  async #arm(): Promise<void> {
    const now = Date.now();
    const times = [this.#deliveries.nextDueAt, this.#anchoring.dueAt, this.#tables.room.sweepAt];
    const due = times.filter((time) => time !== null).map((time) => Math.max(time, this.#work.retryAt));
    const reportAt = this.#reporter.dueAt;
    if (reportAt !== null) due.push(reportAt);
    if (due.length === 0) return;
    const next = Math.max(Math.min(...due), now);
    if (this.#alarmAt !== null && this.#alarmAt <= next) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}

function notConfigured(): StoreResult<never> {
  const message = 'SHARING_KEY is not set or not valid: set it with wrangler secret put SHARING_KEY';
  return refuse('NOT_CONFIGURED', message);
}
