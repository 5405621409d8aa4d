/**
 * Epochs of the log. The events of an epoch never change and are only appended to. When an epoch has enough of them, a
 * new one begins, with a signed statement that names the last digest of the epoch before it; what is older than that one
 * is deleted. The snapshot has what consumers need of it.
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
  /** Position of its first event, also before it is there. */
  readonly first: number;
  /** Digest of its statement: what its first event follows. */
  readonly start: string;
  /** Its statement as a note. */
  readonly note: string;
  /** When it was opened, in ms since 1970. */
  readonly at: number;
}

/** Tests make them smaller. */
export const epochLimits = { events: FEED_EPOCH_EVENTS, ms: FEED_EPOCH_MS, pageEvents: FEED_PAGE_EVENTS };

/** The newest event, or what is in its place before the first. */
export interface LastEvent {
  /** The first epoch before the first event. */
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

  /** Null before the first. */
  get current(): Epoch | null {
    return this.#sql.exec<Epoch>('SELECT * FROM epochs ORDER BY epoch DESC LIMIT 1').toArray()[0] ?? null;
  }

  get(epoch: number): Epoch | null {
    return this.#sql.exec<Epoch>('SELECT * FROM epochs WHERE epoch = ?', epoch).toArray()[0] ?? null;
  }

  /** The oldest that is kept: its first event is the first one kept. */
  get oldest(): Epoch | null {
    return this.#sql.exec<Epoch>('SELECT * FROM epochs ORDER BY epoch LIMIT 1').toArray()[0] ?? null;
  }

  /** That of a position that is kept, or will be next. */
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

  /** Opens an epoch, and gives up the oldest one. Its events are deleted later: see EventLog. */
  add({ epoch, first, start, note, at }: Epoch): void {
    this.#sql.exec('INSERT INTO epochs VALUES (?, ?, ?, ?, ?)', epoch, first, start, note, at);
    this.#sql.exec('DELETE FROM epochs WHERE epoch <= ?', epoch - FEED_EPOCHS_KEPT);
  }
}
