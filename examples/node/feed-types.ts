/** What the feed says. */

/** Where you are in the feed. Keep it with your entries, in one transaction. */
export interface FeedPlace {
  /** `<feed>.<epoch>.<position>` of the last event. */
  readonly cursor: string;
  /** What the next event must follow. */
  readonly digest: string;
}

/** What the service says about one number or source, for one subject. */
export interface FeedEntry {
  /** E.164; null for a source. */
  readonly number: string | null;
  /** A sender ID, operator or SMSC; null for a number. */
  readonly source: string | null;
  /** `from` or `to`. */
  readonly subject: string;
  /** `block`, `label`, or `allow`: a block was lifted. Treat any other as no block. */
  readonly effect: string;
  /** A reason code of checks; null for `allow`. */
  readonly code: string | null;
  readonly authority: string;
  readonly list: string;
  /** `<id>@<version>` of the rule that made it; null if none did. */
  readonly rule: string | null;
  /** `provisional` or `confirmed`, of a block that a rule made; otherwise null. */
  readonly stage: string | null;
  /** When it ends, RFC 3339; null for never. */
  readonly until: string | null;
}

/** One event. */
export interface FeedChange {
  /** Names the entry. */
  readonly reference: string;
  /** What it is from here on; null if there is none any more. */
  readonly entry: FeedEntry | null;
  /** RFC 3339. */
  readonly at: string;
  /** Where you are once you have processed the event. */
  readonly place: FeedPlace;
}

/** An entry of a snapshot. */
export interface FeedSnapshotEntry extends FeedEntry {
  readonly reference: string;
  /** Of the event that made it so. */
  readonly position: number;
}
