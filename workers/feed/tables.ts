/** Everything that the feed keeps in SQLite. */
import { toHex } from '../../shared/bytes.ts';
import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import { Epochs } from './epochs.ts';
import { EventLog } from './event-log.ts';
import { Meta } from './meta.ts';
import { PartyRows } from './party-rows.ts';
import { PlaceRows } from './place-rows.ts';
import { Pollers } from './pollers.ts';
import { TextRows } from './text-rows.ts';

const FEED_ID_BYTES = 8;

export class Tables {
  readonly storage: DurableObjectStorage;
  readonly meta: Meta;
  readonly places: PlaceRows;
  readonly parties: PartyRows;
  readonly texts: TextRows;
  readonly epochs: Epochs;
  readonly log: EventLog;
  readonly pollers: Pollers;

  constructor(storage: DurableObjectStorage) {
    const { sql } = storage;
    this.storage = storage;
    this.meta = new Meta(sql);
    this.places = new PlaceRows(sql);
    this.parties = new PartyRows(sql);
    this.texts = new TextRows(sql);
    this.epochs = new Epochs(sql);
    this.log = new EventLog(sql, this.epochs);
    this.pollers = new Pollers(sql);
  }

  /** Whether there is no room for further changes. Entries that end or are removed still make events. */
  get isFull(): boolean {
    return this.storage.sql.databaseSize >= STORAGE_BYTES_MAX * STORAGE_FULL_SHARE;
  }

  /** The ID of the feed, made once. */
  get feed(): string {
    const known = this.meta.text('feed');
    if (known !== null) return known;
    const feed = toHex(crypto.getRandomValues(new Uint8Array(FEED_ID_BYTES)));
    this.meta.set('feed', feed);
    return feed;
  }
}
