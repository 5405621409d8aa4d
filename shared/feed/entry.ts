/**
 * Entries of the feed. An entry is about one number or sender ID as sender or recipient, one campaign of texts, or one
 * host of a list; `subject` says which. Its name is its reference, which reveals nothing without SHARING_KEY.
 */
import type { BlockStage, Effect, Subject } from '../verdict.ts';

/** The kinds of subjects of entries. */
export const FEED_SUBJECTS = ['from', 'to', 'campaign', 'host'] as const;
export type FeedSubject = (typeof FEED_SUBJECTS)[number];

/** An entry about a number or a sender ID. */
export interface PartyEntry {
  /** E.164, or null for a sender ID. */
  readonly number: string | null;
  /** Sender ID, operator or SMSC in the form of lists (shared/sources/source.ts), or null for a number. */
  readonly source: string | null;
  readonly subject: Subject;
  /** `allow`: a person lifted a block, and no list overrides that. */
  readonly effect: Effect;
  /** Null for `allow`. */
  readonly code: string | null;
  readonly authority: string;
  /** `live`, or the list of the current release with this entry. Lists made from live entries count as `live`, too. */
  readonly list: string;
  /** Rule as `<id>@<version>`; null if no rule made the entry. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  /** End of the entry: RFC 3339 in UTC, or null for never. */
  readonly until: string | null;
}

/** An entry about a confirmed campaign of similar texts. */
export interface CampaignEntry {
  readonly subject: 'campaign';
  /** Base64 of 64 values of 16 bits, little-endian: see shared/text/fingerprint.ts. */
  readonly fingerprint: string;
  /** ID of the TEXT_KEY of the fingerprint. Only holders of that key can recognise texts of the campaign. */
  readonly textKeyId: string;
  readonly authority: string;
  /** See PartyEntry; null if a person confirmed the campaign. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  /** RFC 3339 in UTC. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Distinct reporters at the last change of the campaign. */
  readonly reporters: number;
  readonly until: string;
}

/** An entry about a host of a list of the text release in force. The host includes its subdomains. */
export interface HostEntry {
  readonly subject: 'host';
  readonly host: string;
  readonly list: string;
  readonly effect: Effect;
  readonly authority: string;
}

export type TextEntry = CampaignEntry | HostEntry;
export type FeedEntry = PartyEntry | TextEntry;

/** One event of the feed: the state of an entry from this position on. An event never changes. */
export interface FeedEvent {
  /** From 1 on, without gaps, over all epochs. */
  readonly position: number;
  readonly epoch: number;
  /** Reference of the entry: 22 characters of base64url. */
  readonly reference: string;
  /** Null if the entry no longer exists. */
  readonly entry: FeedEntry | null;
  /** RFC 3339 in UTC. */
  readonly at: string;
  /** SHA-256 (base64url) over this event and the previous event's digest: see digest.ts. */
  readonly digest: string;
}

/** An event about a number or a sender ID. */
export interface PartyEvent extends FeedEvent {
  readonly entry: PartyEntry | null;
}

export function isPartyEntry(entry: FeedEntry): entry is PartyEntry {
  return entry.subject === 'from' || entry.subject === 'to';
}
