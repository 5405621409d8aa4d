/** Runs jobs: plans their sources, reads the sources, and makes figures and versions from the readings. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../../shared/bytes.ts';
import { INTAKES_MAX, SOURCE_CALLS_MAX, SOURCES_AT_ONCE } from '../../shared/limits/statistics.ts';
import type { Organisation } from '../../shared/organisations.ts';
import { type Counts, type Durations, sumOfCounts } from '../../shared/statistics/counts.ts';
import { dayOf } from '../../shared/statistics/month.ts';
import {
  type KeptVersion,
  newVersion,
  openTables,
  publishedTables,
  reachedCells,
} from '../../shared/statistics/published.ts';
import { frameOf } from '../../shared/statistics/tables.ts';
import type { TableName } from '../../shared/statistics/texts.ts';
import { SingleValues } from '../storage/single-values.ts';
import { systemRequest } from '../storage/store-request.ts';
import { type Job, JobRows, type SourceReading, sumOfReadings } from './job-rows.ts';
import { MonthRows, type StoredVersion } from './month-rows.ts';
import { REPORTS, type Sources } from './sources.ts';

/** Single values of the store. docs/storage.md describes each key. */
export class StatisticsMeta extends SingleValues<'first'> {}

export class JobRunner {
  readonly jobs: JobRows;
  readonly months: MonthRows;
  readonly meta: StatisticsMeta;
  readonly #storage: DurableObjectStorage;
  readonly #sources: Sources;

  constructor(storage: DurableObjectStorage, sources: Sources) {
    this.#storage = storage;
    this.#sources = sources;
    this.jobs = new JobRows(storage);
    this.months = new MonthRows(storage.sql);
    this.meta = new StatisticsMeta(storage.sql);
  }

  addIntake(name: string): void {
    const { sql } = this.#storage;
    if (this.intakeCount >= INTAKES_MAX) throw new Error('there are too many intakes');
    sql.exec('INSERT OR IGNORE INTO intakes VALUES (?)', name);
  }

  get intakeCount(): number {
    return this.#storage.sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM intakes').one().n;
  }

  /** Runs one step. @returns false if nothing is left to do @throws if a source does not respond */
  async step(): Promise<boolean> {
    const unrecorded = this.months.unrecorded();
    if (unrecorded !== null) {
      await this.#record(unrecorded);
      return true;
    }
    const job = this.jobs.next();
    if (job === null) return false;
    if (!job.isPlanned) {
      this.jobs.plan(job, await this.#sourcesOf(job));
      return true;
    }
    const waiting = this.jobs.waiting(job, SOURCES_AT_ONCE);
    if (waiting.length > 0) await this.#readAll(job, waiting);
    else await this.#finish(job);
    return true;
  }

  /** Reads a few sources at a time. After a failure, the others are still read. @throws the first failure */
  async #readAll(job: Job, sources: readonly string[]): Promise<void> {
    const queue = [...sources];
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
        try {
          const { first, ...reading } = await this.#sources.read(source, job.month);
          this.jobs.read(job, source, reading, Date.now());
          const known = this.meta.text('first');
          if (first != null && (known === null || first < known)) this.meta.set('first', first);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: SOURCE_CALLS_MAX }, lane));
    if (failures.length > 0) throw failures[0];
  }

  async #sourcesOf({ kind }: Job): Promise<string[]> {
    const { sql } = this.#storage;
    const names = (table: string, column: string): string[] =>
      sql
        .exec<{ name: string }>(`SELECT ${column} AS name FROM ${table}`)
        .toArray()
        .map(({ name }) => name);
    // Clients may be removed before the month is over, so their IDs are kept.
    for (const id of await this.#sources.clients()) sql.exec('INSERT OR IGNORE INTO clients VALUES (?)', id);
    if (kind === 'checks') return this.#sources.forChecks(names('clients', 'id'));
    const intakes = new Set([...names('intakes', 'name'), ...(await this.#sources.intakes())]);
    const reports = this.#sources.forReports([...intakes]);
    return kind === 'close' ? [...reports, ...(await this.#sources.forClose())] : reports;
  }

  async #finish(job: Job): Promise<void> {
    const isVersion = job.kind === 'close' || job.kind === 'correct';
    const organisations = isVersion ? await this.#sources.organisations() : [];
    const readings = this.jobs.readings(job.month, job.version);
    this.#storage.transactionSync(() => {
      if (job.kind === 'open') this.#putOpen(job, sumOfReadings(readings));
      else if (job.kind === 'checks') this.months.setChecksRead(job.month);
      else this.#putVersion(job, organisations);
      this.jobs.finish(job);
    });
  }

  #putOpen({ month }: Job, counts: Counts): void {
    const now = Date.now();
    const reached = new Map(Object.entries(this.months.open(month)?.reached ?? {}));
    for (const [cell, value] of reachedCells(counts))
      reached.set(cell, Math.max(value, reached.get(cell) ?? 0));
    this.months.putOpen({
      ...{ month, day: dayOf(now), at: now, tables: openTables(counts) },
      reached: Object.fromEntries(reached),
    });
  }

  #putVersion({ month, version, actor, reason }: Job, organisations: readonly Organisation[]): void {
    const earlier = this.months.versions(month);
    if (version > 1) this.jobs.copy(month, version - 1, version, REPORTS);
    const readings = this.jobs.readings(month, version);
    const counts = sortedCounts(sumOfReadings(readings));
    const last = earlier.at(-1);
    if (last !== undefined && JSON.stringify(last.kept.counts) === JSON.stringify(counts)) {
      // Nothing to correct.
      this.jobs.removeReadings(month, version);
      return;
    }
    const frame = last?.kept.frame ?? frameOf(counts, holdersOf(organisations));
    const reached = new Map(Object.entries(this.months.open(month)?.reached ?? {}));
    const kept = newVersion(
      ...([frame, counts, durationsOf(readings)] as const),
      ...([earlier.map((each) => each.kept), reached] as const),
    );
    const salt = toHex(crypto.getRandomValues(new Uint8Array(16)));
    const exact = JSON.stringify({ month, version, counts, frame });
    this.months.add({
      ...{ month, version, at: Date.now(), kept, digest: digestOf(month, version, kept), salt },
      exactDigest: toHex(sha256(utf8(salt + exact))),
      ...{ actor, reason },
    });
  }

  async #record(version: StoredVersion): Promise<void> {
    const { month, version: n, digest, exactDigest, actor, reason } = version;
    const by = systemRequest(reason ?? 'the month is over, and its late reports have come');
    const request = { ...by, ...(actor === null ? {} : { actor }) };
    const repeat = { key: `statistics ${month} ${n}`, sha256: digest };
    await this.#sources.coordinator.recordStatistics(
      { ...request, repeat },
      { month, version: n, digest, exactDigest },
    );
    this.months.setRecorded(version);
  }
}

/** SHA-256 of the published tables, hex. */
function digestOf(month: string, version: number, kept: KeptVersion): string {
  return toHex(sha256(utf8(JSON.stringify({ month, version, tables: publishedTables(kept) }))));
}

function holdersOf(organisations: readonly Organisation[]) {
  return organisations.flatMap(({ displayName: name, senderCode: code, reseller }) =>
    // Organisations stored by an older version have neither field.
    code == null ? [] : [{ code, name, isReseller: reseller === true }],
  );
}

function sortedCounts(counts: Counts): Counts {
  return Object.fromEntries(
    Object.entries(sumOfCounts([counts])).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

function durationsOf(readings: readonly SourceReading[]): Partial<Record<TableName, Durations>> {
  const of = (source: string): Durations | null =>
    readings.find((reading) => reading.source === source)?.durations ?? null;
  const [appeals, ruleBlocks] = [of('appeals'), of('rule-blocks')];
  return {
    ...(appeals === null ? {} : { appeals }),
    ...(ruleBlocks === null ? {} : { 'rule-blocks-begun': ruleBlocks }),
  };
}
