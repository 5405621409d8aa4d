/** The log of events. Positions have no gaps, and each event has its digest: see shared/feed/digest.ts. */
import { digestOf } from '../../shared/feed/digest.ts';
import type { FeedEntry } from '../../shared/feed/entry.ts';
import { FEED_DELETED_AT_ONCE } from '../../shared/limits/feed.ts';
import type { KeptEvent } from '../storage/feed-port.ts';
import type { Epochs, LastEvent } from './epochs.ts';

export interface NewEvent {
  readonly reference: string;
  readonly entry: FeedEntry | null;
  readonly before: FeedEntry | null;
}

interface Row extends Record<string, SqlStorageValue> {
  position: number;
  reference: string;
  entry: string | null;
  before: string | null;
  at: number;
  digest: string;
}

export class EventLog {
  readonly #sql: SqlStorage;
  readonly #epochs: Epochs;

  constructor(sql: SqlStorage, epochs: Epochs) {
    this.#sql = sql;
    this.#epochs = epochs;
  }

  /** The newest event. There must be an epoch. */
  get last(): LastEvent {
    const [last] = this.#sql
      .exec<{ position: number; digest: string }>(
        'SELECT position, digest FROM events ORDER BY position DESC LIMIT 1',
      )
      .toArray();
    const { epoch, start } = this.#epochs.of(last?.position ?? 1)!;
    return last === undefined ? { epoch, position: 0, digest: start } : { epoch, ...last };
  }

  /** Position of the first event that is kept, even before that event exists. */
  get first(): number {
    return this.#epochs.oldest?.first ?? 1;
  }

  /** Appends events to the current epoch. Must run in a transaction. @param now ms since 1970 */
  append(events: readonly NewEvent[], now: number): number {
    const { epoch, first, start } = this.#epochs.current!;
    const last = this.last;
    let { position } = last;
    let digest = position < first ? start : last.digest;
    const at = new Date(now).toISOString();
    for (const { reference, entry, before } of events) {
      position++;
      digest = digestOf(digest, { position, epoch, reference, entry, at });
      this.#sql.exec(
        'INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)',
        ...[position, reference, textOf(entry), textOf(before), now, digest],
      );
    }
    return position;
  }

  /** Events after a position and up to another one, in order. */
  range(after: number, upTo: number): KeptEvent[] {
    let epoch = this.#epochs.of(after + 1);
    let next = epoch === null ? null : this.#epochs.get(epoch.epoch + 1);
    return this.#sql
      .exec<Row>('SELECT * FROM events WHERE position > ? AND position <= ? ORDER BY position', after, upTo)
      .toArray()
      .map(({ position, reference, entry, before, at, digest }) => {
        if (next !== null && position >= next.first) {
          epoch = next;
          next = this.#epochs.get(epoch.epoch + 1);
        }
        return {
          ...{ position, epoch: epoch!.epoch, reference, entry: entryOf(entry), before: entryOf(before) },
          ...{ at: new Date(at).toISOString(), digest },
        };
      });
  }

  /** The digest that the event at a position follows: of the previous event, or of the statement of its epoch. */
  previousOf(position: number): string {
    const epoch = this.#epochs.of(position)!;
    if (position <= epoch.first) return epoch.start;
    const query = 'SELECT digest FROM events WHERE position = ?';
    return this.#sql.exec<{ digest: string }>(query, position - 1).one().digest;
  }

  /** Deletes events of epochs that are no longer kept. @returns whether there may be more */
  trim(): boolean {
    const old = 'SELECT position FROM events WHERE position < ? ORDER BY position LIMIT ?';
    const done = this.#sql.exec(
      `DELETE FROM events WHERE position IN (${old})`,
      ...[this.first, FEED_DELETED_AT_ONCE],
    );
    return done.rowsWritten >= FEED_DELETED_AT_ONCE;
  }
}

function textOf(entry: FeedEntry | null): string | null {
  return entry === null ? null : JSON.stringify(entry);
}

function entryOf(text: string | null): FeedEntry | null {
  return text === null ? null : (JSON.parse(text) as FeedEntry);
}
