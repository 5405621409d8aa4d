/**
 * What the feed says about one number or sender ID, for one subject: its effect, and why. An entry is named by its
 * reference, which reveals nothing without SHARING_KEY.
 */
import type { BlockStage, Effect, Subject } from '../verdict.ts';

export interface FeedEntry {
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
