/** The tables of the router. docs/storage.md describes each. */
import {
  GUIDANCE_PER_DAY_MAX,
  OWNERS_USED_PER_DAY_MAX,
  ROUTED_SENDERS_MAX,
} from '../../shared/limits/notice-sources.ts';
import type { RoutedSender } from '../../shared/notices/routing.ts';
import { NOTICE_OUTBOX_TABLES } from '../storage/notice-outbox.ts';
import { applySteps } from '../storage/schema-steps.ts';
import { SingleValues } from '../storage/single-values.ts';

const STEPS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE senders (
     reference TEXT PRIMARY KEY, position INTEGER NOT NULL, sender TEXT NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX senders_position ON senders (position);

   CREATE TABLE owners (
     id INTEGER PRIMARY KEY AUTOINCREMENT, day INTEGER NOT NULL, number INTEGER NOT NULL, UNIQUE (day, number)
   );

   CREATE TABLE counters (sender TEXT PRIMARY KEY, n INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;

   CREATE TABLE operator_days (
     organisation TEXT NOT NULL, kind TEXT NOT NULL, day INTEGER NOT NULL,
     sent INTEGER NOT NULL, dropped INTEGER NOT NULL, PRIMARY KEY (organisation, kind)
   ) WITHOUT ROWID;

   ${NOTICE_OUTBOX_TABLES}`,
];

/** Maximum notices to one operator per day: about blocked senders, and about numbers that sent many texts. */
const PER_DAY_MAX = { blocked: GUIDANCE_PER_DAY_MAX, used: OWNERS_USED_PER_DAY_MAX };

type Key = 'position' | 'digest' | 'feed' | 'qualifications' | 'senders' | 'dropped';

export class RouterTables {
  readonly meta: SingleValues<Key>;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    applySteps(storage, STEPS);
    this.#sql = storage.sql;
    this.meta = new SingleValues<Key>(storage.sql);
  }

  /** The organisations that were notified of a sender's block; null if none was, or the sender is not blocked. */
  sender(reference: string): RoutedSender | null {
    const [row] = this.#sql
      .exec<{ sender: string }>('SELECT sender FROM senders WHERE reference = ?', reference)
      .toArray();
    return row === undefined ? null : (JSON.parse(row.sender) as RoutedSender);
  }

  /** Must run in a transaction. @param sender null to remove the row */
  putSender(reference: string, position: number, sender: RoutedSender | null): void {
    const removed = this.#sql
      .exec('DELETE FROM senders WHERE reference = ? RETURNING 1', reference)
      .toArray();
    let many = this.meta.number('senders') - removed.length;
    if (sender !== null) {
      this.#sql.exec('INSERT INTO senders VALUES (?, ?, ?)', reference, position, JSON.stringify(sender));
      many++;
    }
    if (many > ROUTED_SENDERS_MAX) {
      this.#sql.exec(
        'DELETE FROM senders WHERE reference IN (SELECT reference FROM senders ORDER BY position LIMIT 1)',
      );
      many--;
    }
    this.meta.set('senders', many);
  }

  /**
   * Counts a notice for the subscribers of an operator. Must run in a transaction.
   * @param day days since 1970 in Korea @returns false if the operator has had enough on this day: drop the notice
   */
  chargeOperator(organisation: string, kind: keyof typeof PER_DAY_MAX, day: number): boolean {
    const [row] = this.#sql
      .exec<{ day: number; sent: number; dropped: number }>(
        'SELECT day, sent, dropped FROM operator_days WHERE organisation = ? AND kind = ?',
        ...[organisation, kind],
      )
      .toArray();
    const sent = row?.day === day ? row.sent : 0;
    const isAllowed = sent < PER_DAY_MAX[kind];
    const dropped = (row?.day === day ? row.dropped : 0) + (isAllowed ? 0 : 1);
    this.#sql.exec(
      'INSERT OR REPLACE INTO operator_days VALUES (?, ?, ?, ?, ?)',
      ...[organisation, kind, day, sent + (isAllowed ? 1 : 0), dropped],
    );
    if (!isAllowed) this.meta.set('dropped', this.meta.number('dropped') + 1);
    return isAllowed;
  }

  /** The last batch of a counter of usage; 0 for none. */
  lastOf(sender: string): number {
    const [row] = this.#sql.exec<{ n: number }>('SELECT n FROM counters WHERE sender = ?', sender).toArray();
    return row?.n ?? 0;
  }

  /** Must run in a transaction. */
  setLast(sender: string, n: number, now: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO counters VALUES (?, ?, ?)', sender, n, now);
  }

  /** Must run in a transaction. @returns the ID of the number; null if its owner was notified on this day */
  addOwner(day: number, number: number): number | null {
    const [row] = this.#sql
      .exec<{ id: number }>(
        'INSERT INTO owners (day, number) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id',
        ...[day, number],
      )
      .toArray();
    return row?.id ?? null;
  }

  /** Removes the owners of days before this one. */
  forgetOwners(day: number): void {
    this.#sql.exec('DELETE FROM owners WHERE day < ?', day);
  }
}
