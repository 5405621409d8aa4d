/** The types of the feed. */

/** Where you are in the feed. Keep it with your entries, in one transaction. */
export interface FeedPlace {
  /** `<feed>.<epoch>.<position>` of the last event. */
  readonly cursor: string;
  /** Digest that the next event must follow. */
  readonly digest: string;
}

/** An entry about one number or source, for one subject. */
export interface PartyEntry {
  /** E.164; null for a source. */
  readonly number: string | null;
  /** A sender ID, operator or SMSC; null for a number. */
  readonly source: string | null;
  /** `from` or `to`. */
  readonly subject: 'from' | 'to';
  /** `block`, `label`, or `allow` if a block was lifted. Treat any other effect as no block. */
  readonly effect: string;
  /** A reason code of checks; null for `allow`. */
  readonly code: string | null;
  readonly authority: string;
  readonly list: string;
  /** `<id>@<version>` of the rule that made the entry; null without a rule. */
  readonly rule: string | null;
  /** `provisional` or `confirmed` for a rule block; otherwise null. */
  readonly stage: string | null;
  /** When the entry ends, RFC 3339; null for never. */
  readonly until: string | null;
}

/** A confirmed campaign: texts that are similar. */
export interface CampaignEntry {
  readonly subject: 'campaign';
  /** 64 values of 16 bits, little-endian, in base64. Recognising texts of the campaign takes the same TEXT_KEY. */
  readonly fingerprint: string;
  /** 16 hex digits. */
  readonly textKeyId: string;
  readonly authority: string;
  readonly rule: string | null;
  readonly stage: string | null;
  /** RFC 3339. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Distinct reporters. */
  readonly reporters: number;
  readonly until: string;
}

/** A host of a list. It includes its subdomains. */
export interface HostEntry {
  readonly subject: 'host';
  readonly host: string;
  readonly list: string;
  /** `block`, `label` or `allow`. */
  readonly effect: string;
  readonly authority: string;
}

export type FeedEntry = PartyEntry | CampaignEntry | HostEntry;

/** One event. */
export interface FeedChange {
  /** Names the entry. */
  readonly reference: string;
  /** The entry from here on; null if it was removed. */
  readonly entry: FeedEntry | null;
  /** RFC 3339. */
  readonly at: string;
  /** Your place once you have processed the event. */
  readonly place: FeedPlace;
}

/** An entry of a snapshot. */
export type FeedSnapshotEntry = FeedEntry & {
  readonly reference: string;
  /** Position of the event that last changed the entry. */
  readonly position: number;
};
