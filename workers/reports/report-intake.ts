/**
 * The Durable Object that keeps the reports of one partner, or of a slice of them. Acknowledged reports are counted
 * exactly once: the response comes after the transaction, and each flush is sent again until all objects have it.
 */
import { DurableObject } from 'cloudflare:workers';
import {
  FLUSH_INTERVAL_MS,
  FLUSH_WAIT_MS,
  REPORT_RETRY_MS,
  REPORT_RETRY_MS_MAX,
  REPORTS_PER_SLICE_MINUTE_MAX,
} from '../../shared/limits/intake.ts';
import { MINUTE_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { FigureReporter, type OwnFigures } from '../storage/figure-reporter.ts';
import { METRIC_TOTALS_NAME } from '../storage/metrics-port.ts';
import type {
  Acceptance,
  CountSource,
  IntakeMonth,
  IntakeObject,
  IntakePartner,
  IntakeStatus,
  KeptReport,
  PartnerWithdrawal,
  Seals,
} from '../storage/reports-port.ts';
import { RetriedWork } from '../storage/retried-work.ts';
import { within } from '../storage/single-flight.ts';
import { STATISTICS_NAME } from '../storage/statistics-port.ts';
import { FlushSender } from './flush-sender.ts';
import { IntakeMeta, IntakeOutbox } from './intake-outbox.ts';
import { IntakeStore } from './intake-store.ts';
import { PartnerWithdrawals } from './partner-withdrawal.ts';
import { createIntakeTables } from './schema.ts';

export class ReportIntake extends DurableObject<ControlEnv> implements IntakeObject {
  readonly #meta: IntakeMeta;
  readonly #outbox: IntakeOutbox;
  readonly #store: IntakeStore;
  readonly #withdrawals: PartnerWithdrawals;
  readonly #sender: FlushSender;
  readonly #reporter: FigureReporter;
  readonly #work = new RetriedWork(REPORT_RETRY_MS, REPORT_RETRY_MS_MAX, (error) =>
    warnFailed('reportsNotCounted', error),
  );
  /** The statistics must know every intake, because partners and their slices change. */
  readonly #announcing = new RetriedWork(REPORT_RETRY_MS, REPORT_RETRY_MS_MAX, (error) =>
    warnFailed('intakeNotAnnounced', error),
  );
  /** In memory only: a restart begins a new minute. */
  #minute = { from: 0, used: 0 };
  #alarmAt: number | null = null;
  /** When the last flush began, in ms since 1970. */
  #flushedAt = 0;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createIntakeTables(ctx.storage);
    this.#meta = new IntakeMeta(ctx.storage.sql);
    this.#outbox = new IntakeOutbox(ctx.storage, this.#meta);
    this.#store = new IntakeStore(ctx.storage, this.#outbox.flushed.to);
    this.#withdrawals = new PartnerWithdrawals(this.#meta, this.#store);
    this.#sender = new FlushSender(this.#outbox, this.#store, () => this.env);
    this.#reporter = new FigureReporter(
      () => this.#reported,
      () => this.env.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME),
    );
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  async accept(
    { reportsPerDay, ...source }: IntakePartner,
    reports: readonly KeptReport[],
    seals: Seals,
  ): Promise<readonly Acceptance[]> {
    const now = Date.now();
    const room = {
      day: reportsPerDay - this.#store.usedOn(now),
      minute: this.#take(reports.length, now),
    };
    const answers = this.#store.accept(reports, seals, room, now);
    this.#setSource(source);
    await this.#send();
    return answers;
  }

  async withdraw(ids: readonly string[]): Promise<readonly boolean[] | null> {
    if (this.#take(ids.length, Date.now()) < ids.length) return null;
    const answers = this.#store.withdraw(ids);
    await this.#send();
    return answers;
  }

  async withdrawSince(since: number): Promise<PartnerWithdrawal> {
    this.#withdrawals.begin(since, Date.now());
    await this.#send();
    return this.#withdrawals.last!;
  }

  async status(): Promise<IntakeStatus> {
    const { accepted: acknowledged, ...others } = this.#figures;
    return { acknowledged, ...others, withdrawal: this.#withdrawals.last };
  }

  /** The figures for metrics. Null for a mock partner, whose reports are not real. */
  get #reported(): OwnFigures | null {
    const source = this.#meta.json<CountSource>('source');
    if (source === null || source.mock) return null;
    return { kind: 'reports', source: source.intake, figures: this.#figures, waitingSince: null };
  }

  get #figures() {
    const { acknowledged: accepted, withdrawn, over_budget: overBudget } = this.#store.totals;
    return { accepted, withdrawn, overBudget, waiting: this.#store.last - this.#outbox.flushed.to };
  }

  async month(month: string): Promise<IntakeMonth> {
    const source = this.#meta.json<CountSource>('source');
    const { first } = this.#store.months;
    return {
      partner: source && { id: source.id, kind: source.kind, mock: source.mock },
      ...{ first, counts: this.#store.months.of(month) },
    };
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    await Promise.all([this.#run(), this.#announce()]);
    this.#store.months.removeOld(Date.now());
    // A withdrawal in the outbox still reads its report.
    const isDue = (this.#store.endsAt ?? Number.POSITIVE_INFINITY) <= Date.now();
    if (isDue && this.#outbox.isEmpty) this.#store.removeEnded(Date.now(), this.#outbox.flushed.to);
    await this.#report();
  }

  /** Sends after the response. If that fails, the alarm sends again. */
  async #send(): Promise<void> {
    await this.#arm();
    this.ctx.waitUntil(Promise.all([this.#run(), this.#announce()]).then(() => this.#report()));
  }

  /** Reports the figures. The alarm reports figures that are not due yet. */
  async #report(): Promise<void> {
    this.#reporter.changed();
    await this.#reporter.run();
    await this.#arm();
  }

  #announce(): Promise<void> {
    return this.#announcing.run(async () => {
      const source = this.#meta.json<CountSource>('source');
      if (source === null || this.#isAnnounced) return;
      const statistics = this.env.STATISTICS.getByName(STATISTICS_NAME);
      await within(statistics.announce(source.intake), FLUSH_WAIT_MS);
      this.#meta.set('announced', 1);
    });
  }

  get #isAnnounced(): boolean {
    return this.#meta.number('announced') === 1;
  }

  #run(): Promise<void> {
    return this.#work.run(async () => {
      const source = this.#meta.json<CountSource>('source');
      if (source === null) return;
      while (!this.#outbox.isEmpty || this.#withdrawals.step()) {
        await this.#pause();
        await this.#sender.send(source);
        this.#work.progressed();
      }
    });
  }

  /** Takes room for reports in the current minute. @returns how many of them have room */
  #take(count: number, now: number): number {
    if (now - this.#minute.from >= MINUTE_MS) this.#minute = { from: now, used: 0 };
    const taken = Math.min(count, REPORTS_PER_SLICE_MINUTE_MAX - this.#minute.used);
    this.#minute.used += taken;
    return taken;
  }

  /** Waits only in a busy intake, so that its flushes carry more rows. */
  async #pause(): Promise<void> {
    const pauseMs = this.#flushedAt + FLUSH_INTERVAL_MS - Date.now();
    if (pauseMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(pauseMs, FLUSH_INTERVAL_MS)));
    }
    this.#flushedAt = Date.now();
  }

  #setSource(source: CountSource): void {
    if (JSON.stringify(source) !== this.#meta.text('source')) this.#meta.set('source', source);
  }

  async #arm(): Promise<void> {
    const isIdle = this.#outbox.isEmpty && this.#withdrawals.isDone;
    const work = isIdle ? this.#store.endsAt : this.#work.retryAt;
    const announcedAt = this.#isAnnounced ? null : this.#announcing.retryAt;
    const due = [work, announcedAt, this.#reporter.dueAt].filter((time) => time !== null);
    if (due.length === 0) return;
    // The call that fills the outbox also sends it. The alarm is needed only if that fails.
    const next = Math.max(Math.min(...due), Date.now() + REPORT_RETRY_MS);
    if (this.#alarmAt !== null && this.#alarmAt <= next) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}
