/**
 * The Durable Object that counts the reports of the subjects of one shard, and evaluates the rules as reports arrive. A
 * decision is stored together with the rows that led to it, and sent again until the desk has it.
 */
import { DurableObject } from 'cloudflare:workers';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { REPORT_DAYS_KEPT } from '../../shared/limits/evidence-files.ts';
import {
  FLUSH_WAIT_MS,
  REPORT_RETRY_MS,
  REPORT_RETRY_MS_MAX,
  RULE_CONTEXT_FRESH_MS,
  SUBJECTS_SWEPT_AT_ONCE,
} from '../../shared/limits/intake.ts';
import type { ReportFacts } from '../../shared/notices/routing.ts';
import { ReportKeys } from '../../shared/reports/report-keys.ts';
import { type RuleTarget, targetOf } from '../../shared/reports/rule.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import { NoticeOutbox } from '../storage/notice-outbox.ts';
import type { ScanPage } from '../storage/rehearsal-port.ts';
import {
  type CountRow,
  type CountSource,
  type Seals,
  type SubjectObject,
  type SubjectTotals,
  shardOf,
} from '../storage/reports-port.ts';
import {
  RESPONSE_NAME,
  type ResponseObject,
  type RuleContext,
  type RuleDecision,
} from '../storage/response-port.ts';
import { RetriedWork } from '../storage/retried-work.ts';
import { SharedWork } from '../storage/shared-work.ts';
import { within } from '../storage/single-flight.ts';
import { DecisionStore, type SealedDecision, SubjectMeta } from './decision-store.ts';
import { ReportedHours } from './reported-hours.ts';
import { ReportedNotices } from './reported-notices.ts';
import { createSubjectTables } from './schema.ts';
import { movesOf, type Rules } from './subject-rules.ts';
import { SubjectStore } from './subject-store.ts';

export class SubjectCounts extends DurableObject<ControlEnv> implements SubjectObject {
  readonly #meta: SubjectMeta;
  readonly #store: SubjectStore;
  readonly #decisions: DecisionStore;
  readonly #hours: ReportedHours;
  readonly #outbox: NoticeOutbox;
  readonly #notices: ReportedNotices;
  readonly #notifying = new RetriedWork(REPORT_RETRY_MS, REPORT_RETRY_MS_MAX, (error) =>
    warnFailed('reportsNotNotified', error),
  );
  readonly #work = new RetriedWork(REPORT_RETRY_MS, REPORT_RETRY_MS_MAX, (error) =>
    warnFailed('decisionsNotSent', error),
  );
  readonly #reading = new SharedWork<void>();
  #rules: (Rules & { readonly version: number }) | null = null;
  #rulesReadAt = 0;
  #keys: Promise<ReportKeys> | null = null;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createSubjectTables(ctx.storage);
    this.#meta = new SubjectMeta(ctx.storage.sql);
    this.#store = new SubjectStore(ctx.storage.sql);
    this.#decisions = new DecisionStore(ctx.storage, this.#meta);
    this.#hours = new ReportedHours(ctx.storage.sql);
    this.#outbox = new NoticeOutbox(
      ctx.storage,
      () => `reports/${this.#meta.text('shard') ?? ''}`,
      () => this.env.NOTICES,
    );
    this.#notices = new ReportedNotices(
      ctx.storage,
      () => this.env,
      this.#hours,
      this.#outbox,
      () => this.#reportKeys(),
    );
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  get #desk(): ResponseObject {
    return this.env.RESPONSE.getByName(RESPONSE_NAME);
  }

  async apply(
    source: CountSource,
    n: number,
    rows: readonly CountRow[],
    seals: Seals,
  ): Promise<{ readonly last: number }> {
    const rules = await this.#currentRules();
    const last = this.#store.lastOf(source.intake);
    if (last >= n) return { last };
    const now = Date.now();
    this.ctx.storage.transactionSync(() => {
      if (this.#meta.text('shard') === null) {
        this.#meta.set('shard', shardOf(rows[0]!.subject));
        this.#meta.set('sweepAt', now + DAY_MS);
      }
      const touched = this.#store.count(source, n, rows, seals, now);
      if (!source.mock)
        this.#hours.add(
          rows.filter(({ target }) => target !== 'campaign'),
          now,
        );
      const decided = [...touched].flatMap(([subject, hasWithdrawn]) =>
        this.#evaluate(subject, hasWithdrawn, rules, now),
      );
      this.#decisions.add(decided);
    });
    await this.#send();
    return { last: n };
  }

  async reset(subject: string, at: number): Promise<void> {
    // A repeated call must not end decisions that were made since the first call.
    if (this.#store.reset(subject, at)) this.#decisions.forget(subject);
  }

  async totalsOf(subject: string): Promise<SubjectTotals | null> {
    return this.#store.totalsOf(subject);
  }

  async reported(subjects: readonly string[]): Promise<readonly (ReportFacts | null)[]> {
    return subjects.map((subject) => this.#hours.facts(subject));
  }

  async reportEvidence(subject: string, from: number, to: number) {
    const first = Math.max(from, to - REPORT_DAYS_KEPT);
    return { totals: this.#store.totalsOf(subject), days: this.#store.days.of(subject, first, to) };
  }

  async totals(): Promise<SubjectTotals> {
    return this.#store.totals;
  }

  async scan(
    after: string,
    limit: number,
    since: number,
    reportsMin: number,
    target: RuleTarget = 'number',
  ): Promise<ScanPage> {
    return this.#store.scan(after, limit, since, reportsMin, target);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    await this.#run();
    await this.#notify();
    this.#sweep(Date.now());
    await this.#arm();
  }

  #evaluate(key: string, hasWithdrawn: boolean, rules: Rules, now: number): readonly SealedDecision[] {
    const subject = this.#store.subject(key);
    if (subject === null) return [];
    const reports = this.#store.reports(key);
    const held = this.#decisions.held(key);
    const own = { ...rules, rules: rules.rules.filter((rule) => targetOf(rule) === subject.target) };
    const moves = movesOf({ reports, held, resetAt: subject.resetAt, hasWithdrawn }, own, now);
    return this.#decisions.store(subject, moves);
  }

  /** Rules and weights from the desk. While the desk does not respond, the last known ones are used, even after a restart. */
  async #currentRules(): Promise<Rules> {
    if (this.#rules === null || Date.now() - this.#rulesReadAt > RULE_CONTEXT_FRESH_MS) {
      await this.#reading
        .run('rules', () => this.#readRules())
        .catch((error: unknown) => {
          warnFailed('rulesNotRead', error);
          const stored = this.#rules === null ? this.#meta.json<RuleContext>('context') : null;
          if (stored !== null) this.#setRules(stored);
        });
    }
    if (this.#rules === null) throw new Error('the rules were never read');
    return this.#rules;
  }

  async #readRules(): Promise<void> {
    const context = await within(this.#desk.context(), LOAD_WAIT_MS);
    if (context.version !== this.#rules?.version) this.#meta.set('context', context);
    this.#setRules(context);
  }

  #setRules({ rules, weights, suspended, version }: RuleContext): void {
    const partners = { weights: new Map(Object.entries(weights)), suspended: new Set(suspended) };
    this.#rules = { rules, ...partners, version };
    this.#rulesReadAt = Date.now();
  }

  /** Sends after the response. If that fails, the alarm sends again. */
  async #send(): Promise<void> {
    await this.#arm();
    if (!this.#decisions.isEmpty) this.ctx.waitUntil(this.#run().then(() => this.#arm()));
  }

  #run(): Promise<void> {
    return this.#work.run(async () => {
      const shard = this.#meta.text('shard') ?? '';
      for (let batch = this.#decisions.next(); batch !== null; batch = this.#decisions.next()) {
        const decisions = await this.#opened(batch.decisions);
        const { last } = await within(this.#desk.decide(shard, batch.n, decisions), FLUSH_WAIT_MS);
        if (last > batch.n) {
          warn('decisionsSetBack', { shard, n: batch.n, last });
          this.#decisions.renumber(last);
          continue;
        }
        this.#decisions.sent(batch.n);
        this.#work.progressed();
      }
    });
  }

  #reportKeys(): Promise<ReportKeys> {
    this.#keys ??= this.#desk.reportKey().then((key) => ReportKeys.open(key));
    return this.#keys.catch((error: unknown) => {
      this.#keys = null;
      throw error;
    });
  }

  /** Makes and sends the notices of the hours that are over. Never throws. */
  async #notify(): Promise<void> {
    await this.#notifying.run(async () => {
      while (await this.#notices.step(Date.now())) this.#notifying.progressed();
    });
    await this.#outbox.run();
  }

  async #opened(decisions: readonly SealedDecision[]): Promise<RuleDecision[]> {
    const keys = await this.#reportKeys();
    const opened: RuleDecision[] = [];
    for (const { seal, ...decision } of decisions) {
      const subject = await keys.unseal(seal);
      // The desk lost its key. Its blocks are gone too, and new reports are keyed with a new key.
      if (subject !== null) opened.push({ ...decision, subject });
      else {
        warn('reportSealInvalid', { rule: decision.rule });
        this.#keys = null;
      }
    }
    return opened;
  }

  /** A step of the daily removal. */
  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.ctx.storage.transactionSync(() => {
      const last = this.#store.sweep(this.#meta.text('swept') ?? '', SUBJECTS_SWEPT_AT_ONCE, now);
      this.#meta.set('swept', last ?? '');
      const hasMore = this.#store.days.sweep(now);
      if (last !== null || hasMore) return;
      this.#decisions.removeEnded(now);
      this.#meta.set('sweepAt', now + DAY_MS);
    });
  }

  /** When the next daily removal begins or continues, in ms since 1970. */
  get #sweepAt(): number {
    return this.#meta.number('sweepAt');
  }

  async #arm(): Promise<void> {
    const now = Date.now();
    // The call that fills the outbox also sends it. The alarm is needed only if that fails.
    const sendAt = this.#decisions.isEmpty ? null : Math.max(this.#work.retryAt, now + REPORT_RETRY_MS);
    const reportedAt = this.#hours.dueAt;
    const notifyAt = reportedAt === null ? null : Math.max(reportedAt, this.#notifying.retryAt, now);
    const next = Math.min(
      ...[sendAt, notifyAt, this.#outbox.alarmAt(now)].map((time) => time ?? now + DAY_MS),
      Math.max(this.#sweepAt, now + REPORT_RETRY_MS),
    );
    if (this.#alarmAt !== null && this.#alarmAt <= next) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}
