/**
 * The part of the live layer that the feed reads: each number and source that has changed, in the order of `seq`, with its
 * rows in force. The live layer is a log: every change gives its rows a new, higher `seq`, and only expiry and folding
 * delete rows without one. `feed_unread` keeps the places of folded rows that the feed has not read, up to
 * FEED_UNREAD_MAX. So a feed that stands still loses no changes up to that limit, and takes no room from live entries.
 *
 * An answer costs an index range of its places, and a lookup for each: about 20 ms for the largest answer.
 */
import { FEED_CHANGES_MAX, FEED_UNREAD_MAX } from '../../shared/limits/feed.ts';
import { LIVE_KINDS, type LiveKey, type LiveOp } from '../../shared/live/entry.ts';
import { formOf } from '../../shared/sources/source.ts';
import type { BlockStage } from '../../shared/verdict.ts';
import { warn } from '../log.ts';
import type { LiveChanges, LiveCursor, LivePlace } from '../storage/feed-port.ts';
import type { ActiveKeys } from './active-keys.ts';
import { subjectsOf } from './live-row.ts';
import type { LiveStore } from './live-store.ts';
import type { Meta } from './meta.ts';
import type { ReleaseStore } from './release-store.ts';

/** Places whose rows were dropped before the feed read them. This is a step of schema.ts, so it must not change. */
export const FEED_UNREAD = `
  CREATE TABLE feed_unread (
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    high INTEGER NOT NULL,
    low INTEGER NOT NULL,
    subjects INTEGER NOT NULL,
    source TEXT,
    PRIMARY KEY (seq, kind, high, low)
  ) WITHOUT ROWID;
  CREATE INDEX feed_unread_place ON feed_unread (kind, high, low);
`;

interface PlaceRow extends Record<string, SqlStorageValue> {
  seq: number;
  kind: number;
  high: number;
  low: number;
}

const BEFORE_ALL = [-1, 0, 0, 0];
const AFTER = '(seq, kind, high, low) > (?, ?, ?, ?)';
const UP_TO = '(seq, kind, high, low) <= (?, ?, ?, ?)';
const IN_ORDER = 'GROUP BY seq, kind, high, low ORDER BY seq, kind, high, low LIMIT ?';
const GENERATION_BYTES = 8;

/** Tests lower this limit. */
export const unreadLimits = { places: FEED_UNREAD_MAX };

export class FeedSource {
  readonly #sql: SqlStorage;
  readonly #meta: Meta;
  readonly #keys: ActiveKeys;
  readonly #live: LiveStore;
  readonly #releases: ReleaseStore;
  /** Whether there is a feed. Without SHARING_KEY there is none, and nobody would read the places kept for it. */
  isOn = false;

  constructor(sql: SqlStorage, meta: Meta, keys: ActiveKeys, live: LiveStore, releases: ReleaseStore) {
    this.#sql = sql;
    this.#meta = meta;
    this.#keys = keys;
    this.#live = live;
    this.#releases = releases;
  }

  /** See LiveSource. */
  changes(cursor: LiveCursor | null, limit: number): LiveChanges {
    const now = Math.floor(Date.now() / 1000);
    const generation = this.#generation;
    const after = cursor?.generation === generation ? cursor : null;
    this.#acknowledge(after);
    const wanted = Math.max(1, Math.min(limit, FEED_CHANGES_MAX));
    const found = this.#after(after, wanted + 1);
    const rows = found.slice(0, wanted);
    const last = rows.at(-1);
    const shown = new Map(rows.map((row) => [`${row.kind} ${row.high} ${row.low}`, row]));
    return {
      places: [...shown.values()].map((row) => this.#place(row, now)),
      next: last === undefined ? after : { generation, seq: last.seq, ...keyOf(last) },
      more: found.length > wanted,
      generation,
      keyId: this.#keys.current.keyId,
      release: this.#releases.current?.release ?? null,
      foldedSeq: this.#releases.current?.manifest.foldedSeq ?? 0,
      droppedSeq: this.#meta.number('droppedSeq'),
    };
  }

  /** Makes the feed read everything again, because rows may be lost or have other keys. Must run in a transaction. */
  startAgain(): void {
    const bytes = crypto.getRandomValues(new Uint8Array(GENERATION_BYTES));
    this.#meta.set(
      'liveGeneration',
      Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    );
  }

  /**
   * Keeps the places of rows that are about to be dropped and that the feed has not read. Must run in the transaction
   * that drops the rows.
   */
  keepUnread(foldedSeq: number): void {
    if (!this.isOn) return;
    const { held } = this.#sql.exec<{ held: number }>('SELECT COUNT(*) AS held FROM feed_unread').one();
    const room = Math.max(0, unreadLimits.places - held);
    const read = this.#meta.number('feedRead');
    const unread = `FROM live WHERE seq >= ? AND seq <= ? GROUP BY seq, kind, high, low`;
    const { many } = this.#sql
      .exec<{ many: number }>(`SELECT COUNT(*) AS many FROM (SELECT 1 ${unread})`, read, foldedSeq)
      .one();
    // Keep the oldest places, because they have waited the longest.
    this.#sql.exec(
      `INSERT OR REPLACE INTO feed_unread SELECT seq, kind, high, low, SUM(subject), MAX(source) ${unread} ORDER BY seq LIMIT ?`,
      ...[read, foldedSeq, room],
    );
    if (many > room) warn('feedPlacesLost', { places: many - room });
  }

  get #generation(): string {
    if (this.#meta.text('liveGeneration') === null) this.startAgain();
    return this.#meta.text('liveGeneration') ?? '';
  }

  /** The feed has stored everything up to the cursor. Without a cursor, it has stored nothing. */
  #acknowledge(after: LiveCursor | null): void {
    const read = after?.seq ?? 0;
    if (after !== null) this.#sql.exec(`DELETE FROM feed_unread WHERE ${UP_TO}`, ...placeOf(after));
    if (this.#meta.number('feedRead') !== read) this.#meta.set('feedRead', read);
  }

  /** The places after a cursor. Unread places come first, because they are older than all remaining rows. */
  #after(after: LiveCursor | null, limit: number): PlaceRow[] {
    const place = after === null ? BEFORE_ALL : placeOf(after);
    const select = (table: string, most: number): PlaceRow[] =>
      this.#sql
        .exec<PlaceRow>(
          `SELECT seq, kind, high, low FROM ${table} WHERE ${AFTER} ${IN_ORDER}`,
          ...place,
          most,
        )
        .toArray();
    const unread = select('feed_unread', limit);
    return unread.length >= limit ? unread : [...unread, ...select('live', limit - unread.length)];
  }

  #place({ kind, high, low }: PlaceRow, now: number): LivePlace {
    const key: LiveKey = { kind: LIVE_KINDS[kind]!, high, low };
    const rows = this.#live.inForce(key, now);
    const unread = this.#sql
      .exec<{ source: string | null; subjects: number }>(
        'SELECT source, subjects FROM feed_unread WHERE kind = ? AND high = ? AND low = ? ORDER BY seq DESC',
        ...[kind, high, low],
      )
      .toArray();
    const texts = [...rows, ...unread].map(({ source }) => source);
    return {
      ...key,
      ...(key.kind === 'number' ? { form: null, source: null } : this.#textOf(high, low, texts)),
      dropped: subjectsOf(unread.reduce((mask, { subjects }) => mask | subjects, 0)),
      rows: rows.map(({ seq, op, subjects, code, authority, until, rule, stage }) => ({
        ...{ seq, op: op as LiveOp, subjects: subjectsOf(subjects), code, authority, until, rule },
        stage: stage as BlockStage | null,
      })),
    };
  }

  #textOf(high: number, low: number, texts: readonly (string | null)[]): Pick<LivePlace, 'form' | 'source'> {
    const print = (BigInt(high) << 32n) | BigInt(low);
    let alike: string | null = null;
    for (const source of texts) {
      const found = source === null ? null : formOf(print, source, this.#keys.current.sourceSeed);
      if (found?.isSpelling) return { form: found.form, source };
      alike ??= found?.form ?? null;
    }
    return { form: alike, source: null };
  }
}

function placeOf({ seq, kind, high, low }: LiveCursor): number[] {
  return [seq, LIVE_KINDS.indexOf(kind), high, low];
}

function keyOf({ kind, high, low }: PlaceRow): LiveKey {
  return { kind: LIVE_KINDS[kind]!, high, low };
}
