/**
 * Epochs of the log. Events within an epoch never change; new ones are only appended. When an epoch has enough
 * events, or is old enough, a new epoch begins with a signed statement that names the last digest of the
 * previous epoch. Older epochs are deleted, because the snapshot has what consumers need from them.
 */
import { digestOfStatement } from '../../shared/feed/digest.ts';
import { formatEpoch } from '../../shared/feed/statement.ts';
import {
  FEED_EPOCH_EVENTS,
  FEED_EPOCH_MS,
  FEED_EPOCHS_KEPT,
  FEED_PAGE_EVENTS,
} from '../../shared/limits/feed.ts';
import type { NoteSigner } from '../../shared/signed-note.ts';

export interface Epoch extends Record<string, SqlStorageValue> {
  readonly epoch: number;
  /** Position of its first event, even before that event exists. */
  readonly first: number;
  /** Digest of its statement, which its first event follows in the digest chain. */
  readonly start: string;
  /** Its statement as a note. */
  readonly note: string;
  /** When it was opened, in ms since 1970. */
  readonly at: number;
}

/** Tests lower these limits. */
export const epochLimits = { events: FEED_EPOCH_EVENTS, ms: FEED_EPOCH_MS, pageEvents: FEED_PAGE_EVENTS };

/** The newest event, or its substitute before the first event. */
export interface LastEvent {
  /** The epoch of the event; the first epoch before the first event. */
  readonly epoch: number;
  /** 0 before the first event. */
  readonly position: number;
  readonly digest: string;
}

export class Epochs {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The newest epoch; null before the first one. */
  get current(): Epoch | null {
    return this.#sql.exec<Epoch>('SELECT * FROM epochs ORDER BY epoch DESC LIMIT 1').toArray()[0] ?? null;
  }

  get(epoch: number): Epoch | null {
    return this.#sql.exec<Epoch>('SELECT * FROM epochs WHERE epoch = ?', epoch).toArray()[0] ?? null;
  }

  /** The oldest epoch that is kept. Its first event is the oldest event that is kept. */
  get oldest(): Epoch | null {
    return this.#sql.exec<Epoch>('SELECT * FROM epochs ORDER BY epoch LIMIT 1').toArray()[0] ?? null;
  }

  /** The epoch of a position that is kept, or of the next position. */
  of(position: number): Epoch | null {
    const query = 'SELECT * FROM epochs WHERE first <= ? ORDER BY epoch DESC LIMIT 1';
    return this.#sql.exec<Epoch>(query, position).toArray()[0] ?? null;
  }

  /** Whether the next event must begin another epoch. @param now ms since 1970 */
  isDue(last: LastEvent, now: number): boolean {
    const { current } = this;
    if (current === null) return true;
    const events = last.position - current.first + 1;
    return events >= epochLimits.events || (events > 0 && now - current.at >= epochLimits.ms);
  }

  /** The next epoch, for `add`. @param last null before the first epoch @param signer null if there is no key */
  async next(feed: string, last: LastEvent | null, signer: NoteSigner | null, now: number): Promise<Epoch> {
    const epoch = (this.current?.epoch ?? 0) + 1;
    const first = (last?.position ?? 0) + 1;
    const previous = last?.digest ?? null;
    const statement = formatEpoch({ feed, epoch, first, previous, at: new Date(now).toISOString() });
    const note = signer === null ? statement : await signer.sign(statement);
    return { epoch, first, start: digestOfStatement(statement), note, at: now };
  }

  /** Opens an epoch, and removes the oldest one. Its events are deleted later: see EventLog. */
  add({ epoch, first, start, note, at }: Epoch): void {
    this.#sql.exec('INSERT INTO epochs VALUES (?, ?, ?, ?, ?)', epoch, first, start, note, at);
    this.#sql.exec('DELETE FROM epochs WHERE epoch <= ?', epoch - FEED_EPOCHS_KEPT);
  }
}
