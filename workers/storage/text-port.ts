/**
 * What flows between the text store, of which there is one, and others: the part of the head that names text releases and
 * campaigns, and reports of campaigns.
 */
import type { HeadText, NamedValue } from '../../shared/release/head.ts';
import type { Failure, Result } from '../../shared/result.ts';
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

/** A campaign as reports know it: the store gives each fingerprint the ID of the campaign that it belongs to. */
export interface CampaignRegistry {
  /**
   * The campaigns of these fingerprints (64 values of 16 bits), in order. A fingerprint that belongs to none begins one.
   * @param at when the texts were received, in ms since 1970
   */
  campaignsOf(fingerprints: readonly Uint16Array<ArrayBuffer>[], at: number): Promise<readonly number[]>;
  /** A rule or its end: confirms a campaign until then, or takes it back (until = null). */
  decideCampaign(
    id: number,
    decision: { readonly rule: string; readonly until: number | null; readonly reporters: number },
  ): Promise<void>;
}

/** The name of the only text store. */
export const TEXT_NAME = 'main';
