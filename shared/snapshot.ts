/**
 * What one request is answered from, pinned when it starts: one head, and the wishes of one client.
 */
import type { Client } from './clients.ts';
import type { LiveLayer } from './live/live-layer.ts';
import type { VersionedPolicy } from './policy/policy.ts';
import type { Release } from './release/release.ts';
import type { ListKeys } from './set/keys.ts';

export interface Snapshot {
  /** Null where the head names no release: no list is in force. */
  readonly release: Release | null;
  /** What was changed since the release. */
  readonly live: LiveLayer;
  /** What gateways are told about traffic from abroad. */
  readonly policy: VersionedPolicy;
  /** Of LIST_KEY: sources are looked up by them, also where there is no release. */
  readonly keys: ListKeys;
  readonly seq: number;
  /** When the head was last known to be current, in ms since 1970. */
  readonly asOf: number;
  /** Now, in ms since 1970. */
  readonly now: number;
}

/** What of a client bears on a verdict. */
export type Wishes = Pick<Client, 'failPolicy' | 'maxStaleSeconds' | 'mode' | 'senderRules' | 'shortCodes'>;
