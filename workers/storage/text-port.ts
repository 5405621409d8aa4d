/**
 * What flows between the text store, of which there is one, and others: the part of the head that names text releases and
 * campaigns, and reports of campaigns.
 */
import type { HeadText, NamedValue } from '../../shared/release/head.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { HostListInfo } from '../../shared/text/text-manifest.ts';
import type { BlockStage } from '../../shared/verdict.ts';
import type { ChainAnchor } from './chain-anchor.ts';

/** What the store gives the coordinator. */
export interface TextUpdate {
  readonly head: HeadText;
  /** All its values: the index, and those that the index and its manifests name. */
  readonly named: readonly NamedValue[];
  /** Values that KV did not accept: the coordinator writes them. */
  readonly unwritten: readonly string[];
  /** IDs of the keys that seal the values. */
  readonly keyIds: readonly string[];
}

/** What the store needs from the coordinator. */
export interface TextKeeper {
  /** What the head has now, null if it never had anything, and the ID of the key that values must be sealed with. */
  text(): Promise<{ readonly head: HeadText | null; readonly keyId: string }>;
  /** Puts it into the head. @returns that key; PART_BEHIND if the head has a later version: the store lost its tables */
  putText(update: TextUpdate): Promise<Result<{ readonly keyId: string }, Failure>>;
  /** Records the end of the audit chain of the text store in the audit log. */
  anchorText(end: ChainAnchor): Promise<number>;
}

/** The store, as the coordinator and the public routes call it. */
export interface TextObject {
  /** A sealed value that the head names or named, or null. */
  value(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Gives the coordinator the current state, with values that are sealed with the key of its answer. */
  refresh(): Promise<void>;
}

/** The name of the only text store. */
export const TEXT_NAME = 'main';

/** Where a reading of campaigns stands: everything up to here is read. */
export interface TextCursor {
  /** Of the tables that were read. With another one, the cursor counts for nothing. */
  readonly generation: string;
  /** Of the store: see HeadText. */
  readonly version: number;
  /** Of the last campaign read with that version. */
  readonly id: number;
}

/** A campaign that the feed shares, or shared: never `observed`. */
export interface SharedCampaign {
  readonly id: number;
  /** In force only if `confirmed` and `until` is to come. `until` in seconds since 1970; null unless it is confirmed. */
  readonly state: 'confirmed' | 'rejected' | 'revoked' | 'ended';
  readonly until: number | null;
  /** Base64 of its 64 values of 16 bits, and the ID of the TEXT_KEY that they were made with. */
  readonly fingerprint: string;
  readonly textKeyId: string;
  readonly authority: string;
  /** ID and version of the rule that confirmed it, as `<id>@<version>`, and how far it has; null for a person. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  /** In seconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Distinct reporters. */
  readonly reporters: number;
}

export interface TextChanges {
  /** Changes if the tables were restored: read again from the first on. */
  readonly generation: string;
  /**
   * Campaigns that were ever confirmed and have changed, in the order of (version of their newest change, id). Those that
   * came from a feed are left out: two installations that read each other would confirm again what one has revoked.
   */
  readonly campaigns: readonly SharedCampaign[];
  /** Pass it to the next call; null if nothing was ever read. */
  readonly next: TextCursor | null;
  /** Whether more has changed already. */
  readonly more: boolean;
  /** Host lists of the release in force; null if it has none. The value is that of TextObject.value. */
  readonly hosts: {
    readonly release: string;
    readonly value: NamedValue;
    readonly lists: readonly HostListInfo[];
  } | null;
}

/** What the text store answers the feed. */
export interface TextSource {
  /**
   * @param after `next` of the last answer; null from the first on
   * @param limit campaigns, at most FEED_CHANGES_MAX
   */
  textChanges(after: TextCursor | null, limit: number): Promise<TextChanges>;
}
