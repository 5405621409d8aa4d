/**
 * What the feed says about one thing: a number or sender ID as sender or recipient, a campaign of texts, or a host of a
 * list. An entry is named by its reference, which reveals nothing without SHARING_KEY. `subject` says what it is about.
 */
import type { BlockStage, Effect, Subject } from '../verdict.ts';

/** What an entry can be about. */
export const FEED_SUBJECTS = ['from', 'to', 'campaign', 'host'] as const;
export type FeedSubject = (typeof FEED_SUBJECTS)[number];

/** A number or a sender ID. */
export interface PartyEntry {
  /** E.164, or null for a sender ID. */
  readonly number: string | null;
  /** Sender ID, operator or SMSC as lists write it (sources/source.ts), or null for a number. */
  readonly source: string | null;
  readonly subject: Subject;
  /** `allow`: somebody lifted a block, which no list overrides. */
  readonly effect: Effect;
  /** Null for `allow`. */
  readonly code: string | null;
  readonly authority: string;
  /** `live`, or the list of the current release that has it. Lists made from live entries are `live`, too. */
  readonly list: string;
  /** Rule as `<id>@<version>`; null for an entry that no rule made. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  /** When it ends: RFC 3339 in UTC, or null for never. */
  readonly until: string | null;
}

/** A campaign that is confirmed: texts that are alike. */
export interface CampaignEntry {
  readonly subject: 'campaign';
  /** Base64 of 64 values of 16 bits, little-endian: see text/fingerprint.ts. */
  readonly fingerprint: string;
  /** ID of the TEXT_KEY that it was made with. Only who has that key can recognise texts of the campaign. */
  readonly textKeyId: string;
  readonly authority: string;
  /** As of parties: null if a person confirmed it. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  /** RFC 3339 in UTC. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Distinct reporters when it last changed. */
  readonly reporters: number;
  readonly until: string;
}

/** A host of a list of the text release in force. It includes its subdomains. */
export interface HostEntry {
  readonly subject: 'host';
  readonly host: string;
  readonly list: string;
  readonly effect: Effect;
  readonly authority: string;
}

export type TextEntry = CampaignEntry | HostEntry;
export type FeedEntry = PartyEntry | TextEntry;

/** One event of the feed: what an entry is from here on. Never changes. */
export interface FeedEvent {
  /** From 1 on, without gaps, over all epochs. */
  readonly position: number;
  readonly epoch: number;
  /** Of the entry: 22 characters of base64url. */
  readonly reference: string;
  /** Null: nothing is said about it any more. */
  readonly entry: FeedEntry | null;
  /** RFC 3339 in UTC. */
  readonly at: string;
  /** SHA-256 (base64url) over this event and the digest of the event before: see digest.ts. */
  readonly digest: string;
}

/** An event about a number or a sender ID. */
export interface PartyEvent extends FeedEvent {
  readonly entry: PartyEntry | null;
}

export function isPartyEntry(entry: FeedEntry): entry is PartyEntry {
  return entry.subject === 'from' || entry.subject === 'to';
}
