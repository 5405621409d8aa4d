/**
 * The interfaces of the only text store: the part of the head that names text releases and campaigns, and the changes
 * that the feed reads.
 */
import type { HeadText, NamedValue } from '../../shared/release/head.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { HostListInfo } from '../../shared/text/text-manifest.ts';
import type { BlockStage } from '../../shared/verdict.ts';
import type { ChainAnchor } from './chain-anchor.ts';

/** What the store gives the coordinator. */
export interface TextUpdate {
  readonly head: HeadText;
  /** All values: the index, and the values that the index and its manifests name. */
  readonly named: readonly NamedValue[];
  /** Values that KV did not accept: the coordinator writes them. */
  readonly unwritten: readonly string[];
  /** IDs of the keys that seal the values. */
  readonly keyIds: readonly string[];
}

/** What the store needs from the coordinator. */
export interface TextKeeper {
  /** The current part in the head, null if there never was one, and the ID of the key with which values must be sealed. */
  text(): Promise<{ readonly head: HeadText | null; readonly keyId: string }>;
  /** Puts the update into the head. @returns the key ID; PART_BEHIND if the head is newer: the store lost its tables */
  putText(update: TextUpdate): Promise<Result<{ readonly keyId: string }, Failure>>;
  /** Records the end of the audit chain of the text store in the audit log. */
  anchorText(end: ChainAnchor): Promise<number>;
}

/** The store, as the coordinator and the public routes call it. */
export interface TextObject {
  /** A sealed value that the head names or has named; otherwise null. */
  value(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Gives the coordinator the current state, with values that are sealed with the coordinator's key. */
  refresh(): Promise<void>;
}

/** The name of the only text store. */
export const TEXT_NAME = 'main';

/** How far campaigns were read: everything up to this cursor. */
export interface TextCursor {
  /** Generation of the tables that were read. The cursor is void for any other generation. */
  readonly generation: string;
  /** Version of the store: see HeadText. */
  readonly version: number;
  /** ID of the last campaign that was read with that version. */
  readonly id: number;
}

/** A campaign that the feed shares or has shared, so never `observed`. */
export interface SharedCampaign {
  readonly id: number;
  /** In force only if `confirmed` and before `until`, which is in seconds since 1970; null unless it is confirmed. */
  readonly state: 'confirmed' | 'rejected' | 'revoked' | 'ended';
  readonly until: number | null;
  /** Base64 of the 64 values of 16 bits, and the ID of the TEXT_KEY that made them. */
  readonly fingerprint: string;
  readonly textKeyId: string;
  readonly authority: string;
  /** The rule that confirmed the campaign, as `<id>@<version>`, and the stage of its block; null for a person. */
  readonly rule: string | null;
  readonly stage: BlockStage | null;
  /** In seconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Distinct reporters. */
  readonly reporters: number;
}

export interface TextChanges {
  /** Changes if the tables were restored. Then read again from the first campaign on. */
  readonly generation: string;
  /**
   * Changed campaigns that were ever confirmed, in the order of (version of their newest change, id). Campaigns from a
   * feed are left out: two installations that read each other would confirm again what one of them has revoked.
   */
  readonly campaigns: readonly SharedCampaign[];
  /** Pass it to the next call; null if nothing was ever read. */
  readonly next: TextCursor | null;
  /** Whether there are more changes already. */
  readonly more: boolean;
  /** Host lists of the release in force; null if it has none. TextObject.value returns the value. */
  readonly hosts: {
    readonly release: string;
    readonly value: NamedValue;
    readonly lists: readonly HostListInfo[];
  } | null;
}

/** The methods of the text store that the feed calls. */
export interface TextSource {
  /**
   * @param after `next` of the last answer; null to start from the first campaign
   * @param limit number of campaigns, at most FEED_CHANGES_MAX
   */
  textChanges(after: TextCursor | null, limit: number): Promise<TextChanges>;
}
