/**
 * What an intake still has to send: the reports and withdrawals after the last flush. A flush first goes to the budgets
 * of the reporters. Once that is stored its rows are fixed, so its number always means the same rows.
 */
import { REPORTS_PER_FLUSH_MAX } from '../../shared/limits/intake.ts';
import type { CountRow, Seals } from '../storage/reports-port.ts';
import { SingleValues } from '../storage/single-values.ts';
import { type IntakeStore, OVER_BUDGET } from './intake-store.ts';
import { unpackTraits } from './traits.ts';

type Key = 'source' | 'flushed' | 'admitted' | 'withdrawal' | 'announced';

/** Single values of an intake. docs/storage.md describes each key. */
export class IntakeMeta extends SingleValues<Key> {}

/** Where a flush ends: its number, and the number of its last report or withdrawal. */
export interface FlushEnd {
  readonly n: number;
  readonly to: number;
}

/** A report whose reporter's budget was not looked at yet. */
export interface Unadmitted {
  readonly seq: number;
  readonly reporter: string;
  readonly subject: string;
  /** When it came, in ms since 1970. */
  readonly received: number;
}

type ReportRow = {
  seq: number;
  subject: string;
  reporter: string;
  traits: number;
  at: number;
  received: number;
  state: number;
};

export class IntakeOutbox {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #meta: IntakeMeta;

  constructor(storage: DurableObjectStorage, meta: IntakeMeta) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#meta = meta;
  }

  /** The end of the last flush that all have. */
  get flushed(): FlushEnd {
    return this.#meta.json<FlushEnd>('flushed') ?? { n: 0, to: 0 };
  }

  /** The end of the flush whose rows are fixed; null if the next flush has not begun. */
  get admitted(): FlushEnd | null {
    const end = this.#meta.json<FlushEnd>('admitted');
    return end !== null && end.n > this.flushed.n ? end : null;
  }

  get isEmpty(): boolean {
    return this.#sql.exec('SELECT 1 FROM requests LIMIT 1').toArray().length === 0;
  }

  /** The end of the next flush: whole requests, as many as fit. Null if there are none. */
  next(): FlushEnd | null {
    const { n, to } = this.flushed;
    const { last } = this.#sql
      .exec<{ last: number | null }>(
        `SELECT COALESCE((SELECT MAX(last) FROM requests WHERE last <= ?), (SELECT MIN(last) FROM requests)) AS last`,
        to + REPORTS_PER_FLUSH_MAX,
      )
      .one();
    return last === null ? null : { n: n + 1, to: last };
  }

  /** The reports of the next flush. */
  unadmitted({ to }: FlushEnd): readonly Unadmitted[] {
    return this.#sql
      .exec<{ seq: number; reporter: string; subject: string; received: number }>(
        'SELECT seq, reporter, subject, received FROM reports WHERE seq > ? AND seq <= ? ORDER BY seq',
        ...[this.flushed.to, to],
      )
      .toArray();
  }

  /** Fixes the rows of the next flush. @param overBudget numbers of reports */
  admit(end: FlushEnd, overBudget: readonly number[], store: IntakeStore): void {
    this.#storage.transactionSync(() => {
      store.setOverBudget(overBudget);
      this.#meta.set('admitted', end);
    });
  }

  /** The rows of a flush in their order, and the seals of its subjects. */
  content({ to }: FlushEnd): { readonly rows: readonly CountRow[]; readonly seals: Seals } {
    const from = this.flushed.to;
    const reports = this.#sql
      .exec<ReportRow>(
        `SELECT seq, subject, reporter, traits, at, received, state FROM reports WHERE seq > ? AND seq <= ?`,
        ...[from, to],
      )
      .toArray()
      .map(({ seq, subject, reporter, traits, received, state, ...report }) => {
        // A clock that is ahead must not carry a report over the reset of its subject.
        const at = Math.min(report.at, received);
        const { channel, spam, origin } = unpackTraits(traits);
        const isCounted = (state & OVER_BUDGET) === 0;
        const row: CountRow = { op: 'report', seq, subject, reporter, at, channel, spam, origin, isCounted };
        return { order: seq, row };
      });
    const withdrawals = this.#sql
      .exec<
        { seq: number; report: number } & Pick<ReportRow, 'subject' | 'traits' | 'at' | 'received' | 'state'>
      >(
        `SELECT withdrawals.seq, report, subject, traits, at, received, state FROM withdrawals JOIN reports ON reports.seq = report
         WHERE withdrawals.seq > ? AND withdrawals.seq <= ?`,
        ...[from, to],
      )
      .toArray()
      .map(({ seq, report, subject, traits, at: sentAt, received, state }) => {
        const isCounted = (state & OVER_BUDGET) === 0;
        const at = Math.min(sentAt, received);
        const { channel, spam, origin } = unpackTraits(traits);
        const row: CountRow = { op: 'withdraw', seq: report, subject, at, channel, spam, origin, isCounted };
        return { order: seq, row };
      });
    const seals = this.#sql
      .exec<{ seals: string }>('SELECT seals FROM requests WHERE last > ? AND last <= ?', from, to)
      .toArray();
    return {
      rows: [...reports, ...withdrawals].sort((one, other) => one.order - other.order).map(({ row }) => row),
      seals: Object.assign({}, ...seals.map((each) => JSON.parse(each.seals) as Seals)),
    };
  }

  /** All have this flush. */
  finish(end: FlushEnd): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('DELETE FROM requests WHERE last <= ?', end.to);
      this.#sql.exec('DELETE FROM withdrawals WHERE seq <= ?', end.to);
      this.#meta.set('flushed', end);
    });
  }

  /** Numbers the flush after one that another object knows: this intake was set back to an earlier state. */
  renumber(end: FlushEnd, last: number): FlushEnd {
    const renumbered = { n: last + 1, to: end.to };
    this.#meta.set('admitted', renumbered);
    return renumbered;
  }
}
