/**
 * The Durable Object that keeps monthly statistics, one per installation. It reads the stores with the counts once a day
 * for the month that is not over, and closes a month once late reports can no longer arrive. A closed month changes only
 * by a correction, which makes a further version. Each version is in the audit log before it is published.
 */
import { DurableObject } from 'cloudflare:workers';
import {
  INTAKE_MONTHS_KEPT,
  MONTH_CHECKS_AFTER_MS,
  MONTH_CLOSED_AFTER_MS,
  MONTH_VERSIONS_MAX,
  MONTHS_PAGE_MAX,
  SOURCE_RETRY_MS,
  SOURCE_RETRY_MS_MAX,
  TRACE_SOURCES_MAX,
} from '../../shared/limits/statistics.ts';
import { ok } from '../../shared/result.ts';
import { dayOf, endOf, isMonth, monthOf, shifted } from '../../shared/statistics/month.ts';
import {
  type Correction,
  type MonthPage,
  type MonthVersions,
  type PublishedMonth,
  publishedTables,
  type Trace,
  tracedCells,
} from '../../shared/statistics/published.ts';
import type { TableName } from '../../shared/statistics/texts.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { RetriedWork } from '../storage/retried-work.ts';
import type { StatisticsObject, StatisticsStatus } from '../storage/statistics-port.ts';
import {
  refuse,
  refuseField,
  type StoreRefusal,
  type StoreRequest,
  type StoreResult,
} from '../storage/store-request.ts';
import { JobRunner } from './job-runner.ts';
import type { StoredVersion } from './month-rows.ts';
import { createTables } from './schema.ts';
import { Sources } from './sources.ts';

export class StatisticsStore extends DurableObject<ControlEnv> implements StatisticsObject {
  readonly #runner: JobRunner;
  readonly #work = new RetriedWork(SOURCE_RETRY_MS, SOURCE_RETRY_MS_MAX, (error) =>
    warnFailed('statisticsNotRead', error),
  );

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#runner = new JobRunner(ctx.storage, new Sources(() => this.env));
  }

  async announce(intake: string): Promise<void> {
    this.#runner.addIntake(intake);
  }

  async sweep(): Promise<void> {
    this.#plan(Date.now());
    await this.#run();
  }

  override async alarm(): Promise<void> {
    await this.#run();
  }

  async status(): Promise<StatisticsStatus> {
    const { months, jobs, intakeCount: intakes } = this.#runner;
    const [newest] = months.closed(null, 1);
    return {
      ...{ closed: newest?.month ?? null, due: this.#due(Date.now()).length, intakes },
      waiting: jobs.waitingCount,
    };
  }

  /** The current month and closed months, newest first. @param before a month; null for the first page */
  async page(before: string | null, limit: number): Promise<MonthPage> {
    const { months } = this.#runner;
    const closed = months.closed(before, Math.min(limit, MONTHS_PAGE_MAX));
    return {
      ...{ first: this.#first(Date.now()), current: monthOf(Date.now()), timeZone: 'Asia/Seoul' },
      months: closed.map(({ month, version, at, digest }) => ({ month, version, at: timeOf(at), digest })),
      next: closed.length < limit ? null : closed.at(-1)!.month,
    };
  }

  async versions(month: string): Promise<StoreResult<MonthVersions>> {
    const known = this.#known(month);
    if (known !== null) return known;
    const { months, jobs } = this.#runner;
    const recorded = months.versions(month).filter(({ isRecorded }) => isRecorded);
    return ok({
      month,
      versions: recorded.map(({ version, at, digest, reason, actor }) => ({
        ...{ version, at: timeOf(at), digest, reason, by: actor?.name ?? null },
      })),
      isCorrecting: jobs.get(month, 'correct') !== null,
    });
  }

  /** @param version null for the newest version, or for the figures of a month that is not closed */
  async published(month: string, version: number | null): Promise<StoreResult<PublishedMonth>> {
    const found = this.#version(month, version);
    if (!found.ok) return found;
    if (found.value !== null) {
      const { digest, at, reason, version: n, kept } = found.value;
      return ok({
        ...{ month, version: n, provisional: false, at: timeOf(at), digest, reason },
        ...{ timeZone: 'Asia/Seoul', tables: publishedTables(kept) },
      });
    }
    const open = this.#runner.months.open(month);
    if (open === null) {
      const message = `the first figures of ${month} are ready within minutes: try again`;
      return { ...refuse('UNAVAILABLE', message), retryAfterSeconds: 60 };
    }
    return ok({
      ...{ month, version: null, provisional: true, at: timeOf(open.at), digest: null, reason: null },
      ...{ timeZone: 'Asia/Seoul', tables: open.tables },
    });
  }

  /** The sources of a closed table, with exact counts. */
  async tracedTable(month: string, version: number | null, table: TableName): Promise<StoreResult<Trace>> {
    const found = this.#version(month, version);
    if (!found.ok) return found;
    if (found.value === null) return this.#notOver(month);
    const { at, digest, reason, kept, version: n, salt, exactDigest } = found.value;
    const readings = this.#runner.jobs.readings(month, n);
    const cells = tracedCells(kept, table, readings, TRACE_SOURCES_MAX);
    return ok({
      ...{ month, version: n, provisional: false, at: timeOf(at), digest, reason },
      ...{ table, salt, exactDigest, cells },
    });
  }

  /** Counts the reports of a closed month again. A further version follows within minutes, if anything has changed. */
  async correct({ actor, reason }: StoreRequest, month: string): Promise<StoreResult<Correction>> {
    const found = this.#version(month, null);
    if (!found.ok) return found;
    if (found.value === null) return this.#notOver(month);
    const { version } = found.value;
    const { jobs } = this.#runner;
    if (version >= MONTH_VERSIONS_MAX)
      return refuse('MONTH_FINAL', `${month} has ${MONTH_VERSIONS_MAX} versions, and cannot have more`);
    if (month <= shifted(monthOf(Date.now()), -INTAKE_MONTHS_KEPT)) {
      // The intakes' oldest month is refused too: they may remove it before the correction has read all of them.
      const message = `counts of reports by month are kept for ${INTAKE_MONTHS_KEPT} months: ${month} can no longer be corrected`;
      return refuse('MONTH_FINAL', message);
    }
    jobs.add({ month, kind: 'correct', version: version + 1, actor, reason });
    await this.ctx.storage.setAlarm(Date.now());
    return ok({ month, version, isCorrecting: true });
  }

  /** The version, or null for figures of a month that is not closed. */
  #version(month: string, version: number | null): StoreResult<StoredVersion | null> {
    const known = this.#known(month);
    if (known !== null) return known;
    const recorded = this.#runner.months.versions(month).filter(({ isRecorded }) => isRecorded);
    if (version === null) return ok(recorded.at(-1) ?? null);
    const found = recorded.find((each) => each.version === version);
    if (found !== undefined) return ok(found);
    if (recorded.length === 0) return this.#notOver(month);
    return refuse('VERSION_UNKNOWN', `${month} has versions 1 to ${recorded.length}`);
  }

  /** The reason why a month has no figures; null if it has figures. */
  #known(month: string): StoreRefusal | null {
    if (!isMonth(month)) return refuseField('month', 'must be a month such as 2026-11');
    const now = Date.now();
    const first = this.#first(now);
    if (month < first) return refuse('MONTH_UNKNOWN', `nothing was counted before ${first}`);
    return month > monthOf(now) ? this.#notOver(month) : null;
  }

  #notOver(month: string): StoreRefusal {
    const at = timeOf(endOf(month) + MONTH_CLOSED_AFTER_MS);
    return refuse('MONTH_NOT_OVER', `${month} closes at ${at}: until then, reports can still arrive`);
  }

  /** The first month with a report, or the month in which counting began. */
  #first(now: number): string {
    const { meta } = this.#runner;
    const known = meta.text('first');
    if (known !== null) return known;
    meta.set('first', monthOf(now));
    return monthOf(now);
  }

  /** Months that can be closed, but are not closed yet. */
  #due(now: number): string[] {
    const due: string[] = [];
    const { months } = this.#runner;
    for (let month = this.#first(now); endOf(month) + MONTH_CLOSED_AFTER_MS <= now; month = shifted(month, 1))
      if (!months.has(month)) due.push(month);
    return due;
  }

  #plan(now: number): void {
    const { months, jobs } = this.#runner;
    const current = monthOf(now);
    const service = { actor: null, reason: null };
    if (months.open(current)?.day !== dayOf(now))
      jobs.add({ month: current, kind: 'open', version: 0, ...service });
    for (let month = this.#first(now); endOf(month) + MONTH_CHECKS_AFTER_MS <= now; month = shifted(month, 1))
      if (!months.areChecksRead(month)) jobs.add({ month, kind: 'checks', version: 1, ...service });
    for (const month of this.#due(now)) jobs.add({ month, kind: 'close', version: 1, ...service });
  }

  /** Runs jobs until nothing is left, or a source fails. The alarm continues with the rest. */
  async #run(): Promise<void> {
    await this.#work.run(async () => {
      while (await this.#runner.step()) this.#work.progressed();
    });
    const { jobs, months } = this.#runner;
    if (jobs.next() === null && months.unrecorded() === null) return;
    await this.ctx.storage.setAlarm(Math.max(this.#work.retryAt, Date.now() + 1));
  }
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
