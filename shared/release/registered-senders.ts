/**
 * The registered senders of a release: which client may send from a number. A look-up is one search in the ranges of
 * the client, and one or two probes of the set of pairs, at the image of the suffix that the lists use too.
 */
import { prefixOf, suffixOf } from '../numbers/number.ts';
import type { ListKeys } from '../set/keys.ts';
import { PAIRS_OWN, PAIRS_REGISTERED } from '../set/layout.ts';
import { type RegisteredTable, rotated, rotationOf } from '../set/registered-table.ts';
import type { Blob, RegisteredInfo } from './manifest.ts';
import type { ShardMemory } from './shard-memory.ts';
import { ShardSlices } from './shard-slices.ts';

/**
 * Whether a number is registered for a client. `own`: it belongs to the client's own organisation. `unavailable`: the
 * values that have it are not loaded.
 */
export type Registration = 'none' | 'registered' | 'own' | 'unavailable';

export class RegisteredSenders {
  readonly info: RegisteredInfo;
  readonly slices: ShardSlices;
  /** Null while it is not loaded. */
  table: RegisteredTable | null = null;
  readonly #keys: ListKeys;

  constructor(info: RegisteredInfo, keys: ListKeys, memory: ShardMemory) {
    this.info = info;
    this.slices = new ShardSlices(info.shards, memory);
    this.#keys = keys;
  }

  /** @param client `<organisation>/<client>` */
  find(n: number, client: string): Registration {
    const { table, slices } = this;
    if (table === null) return 'unavailable';
    const place = table.place(client);
    if (place === null) return 'none';
    const { slot, rotation } = place;
    if (table.has(PAIRS_OWN, slot, n)) return 'own';
    const prefix = prefixOf(n);
    const image = rotated(this.#keys.preparedImages.imageOf(suffixOf(n)), rotation);
    const index = slices.indexOf(prefix, image);
    if (index >= 0) {
      const shard = slices.shard(index);
      if (shard === null) return 'unavailable';
      const part = shard.partOf(prefix, image);
      if (part.hasPair(PAIRS_REGISTERED, prefix, image, slot)) return 'registered';
      if (part.hasPair(PAIRS_OWN, prefix, image, slot)) return 'own';
    }
    return table.has(PAIRS_REGISTERED, slot, n) ? 'registered' : 'none';
  }

  /** The values that `find` needs. They do not depend on the table, so that both load together. */
  valuesFor(n: number, client: string): Blob[] {
    const image = this.#keys.permutation.permute(suffixOf(n));
    const blob = this.slices.blobOf(prefixOf(n), rotated(image, rotationOf(client, this.#keys.sourceSeed)));
    return blob === null ? [this.info.table] : [this.info.table, blob];
  }
}
