/**
 * Notices on their way from an object to the stores of their receivers. They are written in the transaction of their
 * cause, and numbered for each receiver. A batch is sent again, unchanged, until the store has it, so a crash at any time
 * neither loses nor repeats a notice. No receiver waits for another one.
 */
import { utf8 } from '../../shared/bytes.ts';
import {
  NOTICE_RETRY_MS,
  NOTICE_RETRY_MS_MAX,
  NOTICE_WAIT_MS,
  OUTBOX_NOTICES_MAX,
} from '../../shared/limits/notice-sources.ts';
import { NOTICE_BATCH_MAX } from '../../shared/limits/notices.ts';
import type { NewNotice } from '../../shared/notices/notice.ts';
import { warn, warnFailed } from '../log.ts';
import type { NoticeObject } from './notices-port.ts';
import { within } from './single-flight.ts';

/** docs/storage.md describes each column. */
export const NOTICE_OUTBOX_TABLES = `
  CREATE TABLE notice_outbox (
    organisation TEXT NOT NULL, n INTEGER NOT NULL, count INTEGER NOT NULL, notices TEXT NOT NULL,
    PRIMARY KEY (organisation, n)
  ) WITHOUT ROWID;

  CREATE TABLE notice_receivers (
    organisation TEXT PRIMARY KEY, n INTEGER NOT NULL, waiting INTEGER NOT NULL, dropped INTEGER NOT NULL
  ) WITHOUT ROWID;
`;

/** Size of one batch as JSON in UTF-8. SQLite allows 2 MB in one value. */
const BATCH_BYTES_MAX = 1_000_000;
/** The number of stores that are called at the same time: the platform holds back more than 6 connections. */
const RECEIVERS_AT_ONCE = 4;

export type NoticeObjects = () => { getByName(name: string): Pick<NoticeObject, 'add'> };

interface Batch {
  readonly n: number;
  readonly notices: readonly NewNotice[];
}

interface Pause {
  readonly failures: number;
  /** ms since 1970. */
  readonly retryAt: number;
}

export class NoticeOutbox {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #sender: () => string;
  readonly #objects: NoticeObjects;
  /** Receivers whose store failed, or is full. In memory only: a new object tries at once. */
  readonly #pauses = new Map<string, Pause>();
  #running: Promise<void> | null = null;
  #isWanted = false;

  /** @param sender name of this object in each store, which no other object may have */
  constructor(storage: DurableObjectStorage, sender: () => string, objects: NoticeObjects) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sender = sender;
    this.#objects = objects;
  }

  /** Adds notices for one receiver. Must run in the transaction of their cause. */
  add(organisation: string, notices: readonly NewNotice[]): void {
    if (notices.length === 0) return;
    let { n, waiting } = this.#receiver(organisation);
    const kept = notices.slice(0, Math.max(0, OUTBOX_NOTICES_MAX - waiting));
    const dropped = notices.length - kept.length;
    if (dropped > 0) warn('noticesDropped', { organisation, sender: this.#sender(), notices: dropped });
    for (const batch of batchesOf(kept)) {
      const text = JSON.stringify(batch);
      this.#sql.exec('INSERT INTO notice_outbox VALUES (?, ?, ?, ?)', organisation, ++n, batch.length, text);
    }
    waiting += kept.length;
    this.#sql.exec(
      `INSERT INTO notice_receivers VALUES (?, ?, ?, ?) ON CONFLICT (organisation) DO UPDATE SET
       n = excluded.n, waiting = excluded.waiting, dropped = dropped + excluded.dropped`,
      ...[organisation, n, waiting, dropped],
    );
  }

  /** Adds notices for several receivers, in order. Must run in the transaction of their cause. */
  addAll(notices: readonly (readonly [organisation: string, notice: NewNotice])[]): void {
    for (const [organisation, own] of Map.groupBy(notices, ([id]) => id)) {
      this.add(
        organisation,
        own.map(([, notice]) => notice),
      );
    }
  }

  /** Notices that no store has yet. */
  get waiting(): number {
    return this.#total('waiting');
  }

  /** Notices that were dropped since the first one. */
  get dropped(): number {
    return this.#total('dropped');
  }

  #total(column: 'waiting' | 'dropped'): number {
    const { total } = this.#sql
      .exec<{ total: number | null }>(`SELECT SUM(${column}) AS total FROM notice_receivers`)
      .one();
    return total ?? 0;
  }

  /** When to call `run` again, in ms since 1970: 0 for at once; null if nothing is to be sent. */
  get dueAt(): number | null {
    const times = this.#waitingReceivers.map((each) => this.#pauses.get(each)?.retryAt ?? 0);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** The same for an alarm. The call that fills the outbox also sends it, so the alarm is needed only if that fails. */
  alarmAt(now: number): number | null {
    const { dueAt } = this;
    return dueAt === null ? null : Math.max(dueAt, now + NOTICE_RETRY_MS);
  }

  /** Sends waiting notices, except to receivers that pause. A call during a run adds another run. Never throws. */
  run(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#runAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #runAll(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      const due = this.#waitingReceivers.filter(
        (each) => (this.#pauses.get(each)?.retryAt ?? 0) <= Date.now(),
      );
      const next = due[Symbol.iterator]();
      const work = async (): Promise<void> => {
        for (const organisation of next) await this.#send(organisation);
      };
      await Promise.all(Array.from({ length: RECEIVERS_AT_ONCE }, work));
    }
  }

  async #send(organisation: string): Promise<void> {
    try {
      for (let batch = this.#next(organisation); batch !== null; batch = this.#next(organisation)) {
        const { n, notices } = batch;
        const added = this.#objects().getByName(organisation).add(organisation, this.#sender(), n, notices);
        const { last, isFull } = await within(added, NOTICE_WAIT_MS);
        if (isFull) return this.#pause(organisation);
        if (last > n) {
          warn('noticesSetBack', { organisation, sender: this.#sender(), n, last });
          this.#renumber(organisation, last);
          continue;
        }
        this.#sent(organisation, n);
        this.#pauses.delete(organisation);
      }
    } catch (error) {
      warnFailed('noticesNotSent', error, { organisation, sender: this.#sender() });
      this.#pause(organisation);
    }
  }

  #pause(organisation: string): void {
    const failures = this.#pauses.get(organisation)?.failures ?? 0;
    const pauseMs = Math.min(NOTICE_RETRY_MS * 2 ** failures, NOTICE_RETRY_MS_MAX);
    this.#pauses.set(organisation, { failures: Math.min(failures + 1, 20), retryAt: Date.now() + pauseMs });
  }

  get #waitingReceivers(): string[] {
    return this.#sql
      .exec<{ organisation: string }>('SELECT DISTINCT organisation FROM notice_outbox')
      .toArray()
      .map(({ organisation }) => organisation);
  }

  #receiver(organisation: string): { readonly n: number; readonly waiting: number } {
    const [row] = this.#sql
      .exec<{ n: number; waiting: number }>(
        'SELECT n, waiting FROM notice_receivers WHERE organisation = ?',
        organisation,
      )
      .toArray();
    return row ?? { n: 0, waiting: 0 };
  }

  #next(organisation: string): Batch | null {
    const [row] = this.#sql
      .exec<{ n: number; notices: string }>(
        'SELECT n, notices FROM notice_outbox WHERE organisation = ? ORDER BY n LIMIT 1',
        organisation,
      )
      .toArray();
    return row === undefined ? null : { n: row.n, notices: JSON.parse(row.notices) as NewNotice[] };
  }

  #sent(organisation: string, n: number): void {
    this.#storage.transactionSync(() => {
      const removed = this.#sql
        .exec<{ count: number }>(
          'DELETE FROM notice_outbox WHERE organisation = ? AND n <= ? RETURNING count',
          ...[organisation, n],
        )
        .toArray();
      const sent = removed.reduce((sum, { count }) => sum + count, 0);
      this.#sql.exec(
        'UPDATE notice_receivers SET waiting = waiting - ? WHERE organisation = ?',
        ...[sent, organisation],
      );
    });
  }

  /** Renumbers the batches to follow the last batch of the store, after these tables were set back to an earlier state. */
  #renumber(organisation: string, last: number): void {
    this.#storage.transactionSync(() => {
      const rows = this.#sql
        .exec<{ n: number; count: number; notices: string }>(
          'DELETE FROM notice_outbox WHERE organisation = ? RETURNING n, count, notices',
          organisation,
        )
        .toArray()
        .sort((a, b) => a.n - b.n);
      rows.forEach(({ count, notices }, index) => {
        this.#sql.exec(
          'INSERT INTO notice_outbox VALUES (?, ?, ?, ?)',
          ...[organisation, last + 1 + index, count, notices],
        );
      });
      this.#sql.exec(
        'UPDATE notice_receivers SET n = ? WHERE organisation = ?',
        ...[last + rows.length, organisation],
      );
    });
  }
}

function batchesOf(notices: readonly NewNotice[]): NewNotice[][] {
  const batches: NewNotice[][] = [];
  let bytes = BATCH_BYTES_MAX;
  for (const notice of notices) {
    const size = utf8(JSON.stringify(notice)).length + 1;
    const isFull = bytes + size > BATCH_BYTES_MAX || batches.at(-1)!.length >= NOTICE_BATCH_MAX;
    if (isFull) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)!.push(notice);
    bytes += size;
  }
  return batches;
}
