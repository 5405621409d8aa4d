/**
 * The registered senders of a release: which client may send from a number. A look-up is one search in the ranges of
 * the client, and one probe of the set of pairs, at the permuted suffix that the lists use too.
 */
import { prefixOf, suffixOf } from '../numbers/number.ts';
import type { ListKeys } from '../set/keys.ts';
import { LIST_OWN, LIST_REGISTERED } from '../set/layout.ts';
import { pairKeyOf, rotated, spreadOf } from '../set/pair-place.ts';
import type { RegisteredTable } from '../set/registered-table.ts';
import { type Blob, isReadable, type RegisteredInfo } from './manifest.ts';
import type { ShardMemory } from './shard-memory.ts';
import { ShardSlices } from './shard-slices.ts';

/**
 * Whether a number is registered for a client. `own`: it belongs to the client's own organisation. `unavailable`: the
 * values that hold the answer are not loaded.
 */
export type Registration = 'none' | 'registered' | 'own' | 'unavailable';

export class RegisteredSenders {
  readonly info: RegisteredInfo;
  readonly slices: ShardSlices;
  /** Null while it is not loaded, and always if this version does not read the layout of the senders. */
  table: RegisteredTable | null = null;
  readonly #keys: ListKeys;

  constructor(info: RegisteredInfo, keys: ListKeys, memory: ShardMemory) {
    this.info = info;
    this.slices = new ShardSlices(isReadable(info) ? info.shards : [], memory);
    this.#keys = keys;
  }

  /**
   * @param client `<organisation>/<client>`
   * @param separatesOwn false returns `registered` for `own` too, which saves a probe
   */
  find(n: number, client: string, separatesOwn = true): Registration {
    const { table, slices } = this;
    if (table === null) return 'unavailable';
    const found = table.client(client);
    if (found === null) return 'none';
    const { place, group, rank, rotation } = found;
    if (table.has(LIST_OWN, place, n)) return 'own';
    const prefix = prefixOf(n);
    const image = rotated(this.#keys.preparedImages.imageOf(suffixOf(n)), rotation);
    const key = pairKeyOf(group, prefix, image);
    const index = slices.indexOfKey(key);
    if (index >= 0) {
      const shard = slices.shard(index);
      if (shard === null) return 'unavailable';
      const part = shard.partOfKey(key);
      // The second probe reads memory that the first has just read.
      if (part.hasPair(key, image, rank))
        return separatesOwn && part.hasOwnPair(key, image, rank) ? 'own' : 'registered';
    }
    return table.has(LIST_REGISTERED, place, n) ? 'registered' : 'none';
  }

  /** The values that `find` needs. They do not depend on the table, so both can load together. */
  valuesFor(n: number, client: string): Blob[] {
    if (!isReadable(this.info)) return [];
    const { group, rotation } = spreadOf(client, this.#keys.sourceSeed);
    const image = rotated(this.#keys.permutation.permute(suffixOf(n)), rotation);
    const blob = this.slices.blobOf(pairKeyOf(group, prefixOf(n), image));
    return blob === null ? [this.info.table] : [this.info.table, blob];
  }
}
