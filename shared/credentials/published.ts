/**
 * The credentials that a head names, in the form that screening uses: the shard of each credential, and its current status.
 */
import type { NamedValue } from '../release/head.ts';
import { type CredentialIndex, credentialShardOf } from './credential-index.ts';
import type { CredentialRow } from './credential-table.ts';
import type { PassportTable } from './passport-table.ts';
import type { Status, StatusList } from './status-list.ts';

export class PublishedCredentials {
  static readonly NONE = new PublishedCredentials(null, [], new Map());

  readonly index: CredentialIndex | null;
  /** The certificates of PASSporTs. */
  readonly passports: PassportTable;
  /** Status lists by URI. */
  readonly #lists: ReadonlyMap<string, { readonly exp: number; readonly list: StatusList }>;
  /** Bytes of the status lists. */
  readonly bytes: number;

  /** @param lists in the order of the index */
  constructor(index: CredentialIndex | null, lists: readonly StatusList[], passports: PassportTable) {
    const named = index?.statusLists ?? [];
    this.index = index;
    this.passports = passports;
    this.#lists = new Map(named.map(({ uri, exp }, at) => [uri, { exp, list: lists[at]! }]));
    this.bytes = lists.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Returns the only shard that can have a credential's row, or null if there are no credentials. */
  shardOf(digest: string): NamedValue | null {
    if (this.index === null) return null;
    const { shards } = this.index;
    return shards[credentialShardOf(digest, shards.length)]!;
  }

  /** Returns `stale` if the list has expired, or null if no list has this index. @param nowS seconds since 1970 */
  statusOf({ statusUri, statusIndex }: CredentialRow, nowS: number): Status | 'stale' | null {
    const known = this.#lists.get(statusUri);
    if (known === undefined) return null;
    return nowS >= known.exp ? 'stale' : known.list.at(statusIndex);
  }
}
