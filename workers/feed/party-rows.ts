/**
 * The parties that the feed follows: numbers and sources, each for one subject, with the entry that the feed last
 * published. A party is kept while it has an entry, or rows of the live layer. `due` is when it must be decided again.
 */
import type { FeedEntry, PartyEntry } from '../../shared/feed/entry.ts';
import { FEED_CHECKS_MAX } from '../../shared/limits/feed.ts';
import type { Subject } from '../../shared/verdict.ts';
import type { CurrentEntry } from '../storage/feed-port.ts';

/** A party to follow. */
export interface NewParty {
  /** The place of the party. For a source, this is its spelling. */
  readonly party: string;
  readonly subject: Subject;
  /** The skeleton of a source, if it differs from the spelling; otherwise null. */
  readonly skeleton: string | null;
  /** The text of a source as it was given; null for a number. */
  readonly source: string | null;
  readonly reference: string;
}

export interface Party extends NewParty {
  readonly id: number;
  readonly entry: PartyEntry | null;
}

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  party: string;
  subject: string;
  skeleton: string | null;
  source: string | null;
  reference: string;
  entry: string | null;
}

/** The progress of a check of all parties: the last party that the check made due. */
export type CheckCursor = readonly [party: string, subject: string];

/** The cursor before all parties. */
export const CHECK_START: CheckCursor = ['', ''];

export class PartyRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Follows a party from now on. A known party keeps its reference. */
  follow({ party, subject, skeleton, source, reference }: NewParty): void {
    this.#sql.exec(
      `INSERT INTO parties (party, subject, skeleton, source, reference, position, due) VALUES (?, ?, ?, ?, ?, 0, 0)
       ON CONFLICT (party, subject) DO UPDATE SET source = excluded.source`,
      ...[party, subject, skeleton, source, reference],
    );
  }

  /** Makes all parties that depend on a place due, because its rows have changed. */
  touch(place: string): void {
    this.#sql.exec('UPDATE parties SET due = 0 WHERE party = ?', place);
    this.#sql.exec('UPDATE parties SET due = 0 WHERE skeleton = ?', place);
  }

  /** The parties that are due, the most overdue first, at most FEED_CHECKS_MAX. @param now seconds since 1970 */
  due(now: number): Party[] {
    return this.#sql
      .exec<Row>('SELECT * FROM parties WHERE due <= ? ORDER BY due LIMIT ?', now, FEED_CHECKS_MAX)
      .toArray()
      .map(({ subject, entry, ...row }) => ({
        ...row,
        subject: subject as Subject,
        entry: entry === null ? null : (JSON.parse(entry) as PartyEntry),
      }));
  }

  /** When the next party is due, in seconds since 1970; null for never. */
  get nextDue(): number | null {
    return this.#sql
      .exec<{ due: number | null }>('SELECT MIN(due) AS due FROM parties WHERE due IS NOT NULL')
      .one().due;
  }

  /** Makes the next parties of a check due. @returns the progress of the check; null at its end */
  check([party, subject]: CheckCursor): CheckCursor | null {
    const next = this.#sql
      .exec<{ id: number; party: string; subject: string }>(
        'SELECT id, party, subject FROM parties WHERE (party, subject) > (?, ?) ORDER BY party, subject LIMIT ?',
        ...[party, subject, FEED_CHECKS_MAX],
      )
      .toArray();
    for (const { id } of next) this.#sql.exec('UPDATE parties SET due = 0 WHERE id = ?', id);
    const last = next.at(-1);
    return last === undefined ? null : [last.party, last.subject];
  }

  /** How many parties a check still has to make due. */
  countAfter([party, subject]: CheckCursor): number {
    const query = 'SELECT COUNT(*) AS many FROM parties WHERE (party, subject) > (?, ?)';
    return this.#sql.exec<{ many: number }>(query, party, subject).one().many;
  }

  /** How many parties are due. */
  countDue(now: number): number {
    return this.#sql.exec<{ many: number }>('SELECT COUNT(*) AS many FROM parties WHERE due <= ?', now).one()
      .many;
  }

  /** Records that the entry has not changed. */
  setDue(id: number, due: number | null): void {
    this.#sql.exec('UPDATE parties SET due = ? WHERE id = ?', due, id);
  }

  /** Records a published entry. @param position the position of its event */
  setEntry(id: number, entry: FeedEntry | null, position: number, due: number | null): void {
    this.#sql.exec(
      'UPDATE parties SET entry = ?, position = ?, due = ? WHERE id = ?',
      ...[entry === null ? null : JSON.stringify(entry), position, due, id],
    );
  }

  forget(id: number): void {
    this.#sql.exec('DELETE FROM parties WHERE id = ?', id);
  }

  /** Entries in the order of IDs. @returns each with its ID */
  entries(after: number, limit: number): (CurrentEntry & { readonly id: number })[] {
    return this.#sql
      .exec<{ id: number; reference: string; position: number; entry: string }>(
        'SELECT id, reference, position, entry FROM parties WHERE id > ? AND entry IS NOT NULL ORDER BY id LIMIT ?',
        ...[after, limit],
      )
      .toArray()
      .map(({ entry, ...row }) => ({ ...row, entry: JSON.parse(entry) as FeedEntry }));
  }
}
