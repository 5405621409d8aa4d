/**
 * Builds the registered senders of a release: pairs of a number and a client that may send from it.
 *
 * Each suffix goes through the keyed permutation, as for lists, and its image is then rotated by a keyed amount for
 * each client. So the pairs of one prefix are uniform over images and clients, however unevenly the numbers are spread
 * over clients, and one number with many clients is as cheap as many numbers. They are Rice-coded per prefix. Long
 * ranges, and prefixes with few pairs, are rows of the sealed table instead.
 */

import { utf8 } from '../bytes.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import type { ListKeys } from '../set/keys.ts';
import { FORMAT_VERSION, PAIR_LISTS, PAIRS_OWN, PAIRS_REGISTERED, REGISTERED_MAGIC } from '../set/layout.ts';
import {
  type RegisteredRange,
  registeredColumnsAt,
  registeredColumnsBytes,
  rotated,
  rotationOf,
} from '../set/registered-table.ts';
import { bestRice, encodePairs } from './dense-section.ts';
import { type EncodedShard, packSlices } from './pack.ts';
import type { EncodedPart } from './shard.ts';
import { cutPrefixes, type Slice } from './slices.ts';
import { lowerBound } from './sorted.ts';

/** A client may send from these numbers. */
export interface RegisteredPair {
  /** `<organisation>/<client>` */
  readonly client: string;
  /** First and last number, E.164 integers, both inclusive. */
  readonly from: number;
  readonly to: number;
  /** Whether the number belongs to the organisation of the client itself. */
  readonly own: boolean;
}

/** A longer range is one row of the table, of 20 bytes; a shorter one is written out, at some 22 bits a number. */
const RANGE_EXPANDED_MAX = 64;
/** From this many pairs on, a prefix has sections of its own: their index takes about 1 KB. */
const DENSE_PAIRS = 64;

/** Sorted distinct keys by prefix: image * slots + slot. */
type PairKeys = ReadonlyMap<number, Float64Array>;

/** The registered senders, ready to encode. */
export interface PairContent {
  /** Ascending: the position of a client is its slot. */
  readonly clients: readonly string[];
  /** By list: PAIRS_REGISTERED and PAIRS_OWN. */
  readonly pairs: readonly PairKeys[];
  /** By list; ordered by slot and number, and disjoint. */
  readonly ranges: readonly (readonly RegisteredRange[])[];
}

/** Collects pairs in any order. A pair that is added twice is own if either is. About 16 bytes a pair. */
export class PairEntries {
  readonly #indexes = new Map<string, number>();
  /** Single numbers, and for each of them twice the index of its client, plus one if it is own. */
  #numbers = new Float64Array(1_024);
  #flags = new Uint32Array(1_024);
  #count = 0;
  readonly #ranges: {
    readonly index: number;
    readonly from: number;
    readonly to: number;
    readonly own: boolean;
  }[] = [];

  add({ client, from, to, own }: RegisteredPair): void {
    const index = this.#indexes.get(client) ?? this.#indexes.size;
    this.#indexes.set(client, index);
    if (to - from >= RANGE_EXPANDED_MAX) this.#ranges.push({ index, from, to, own });
    else for (let n = from; n <= to; n++) this.#addNumber(n, index * 2 + Number(own));
  }

  #addNumber(n: number, flags: number): void {
    if (this.#count === this.#numbers.length) {
      const [numbers, all] = [new Float64Array(this.#count * 2), new Uint32Array(this.#count * 2)];
      numbers.set(this.#numbers);
      all.set(this.#flags);
      this.#numbers = numbers;
      this.#flags = all;
    }
    this.#numbers[this.#count] = n;
    this.#flags[this.#count++] = flags;
  }

  finish(keys: ListKeys): PairContent {
    const clients = [...this.#indexes.keys()].sort();
    const slotsByName = new Map(clients.map((name, slot) => [name, slot]));
    const slots = Uint32Array.from(this.#indexes.keys(), (name) => slotsByName.get(name)!);
    const rows: RegisteredRange[][] = Array.from({ length: PAIR_LISTS }, () => []);
    for (const { index, from, to, own } of this.#ranges)
      rows[own ? PAIRS_OWN : PAIRS_REGISTERED]!.push({ slot: slots[index]!, from, to });
    const isDense = new Set<number>();
    const counts = new Map<number, number>();
    for (let at = 0; at < this.#count; at++) {
      const prefix = prefixOf(this.#numbers[at]!);
      const count = (counts.get(prefix) ?? 0) + 1;
      counts.set(prefix, count);
      if (count === DENSE_PAIRS) isDense.add(prefix);
    }
    const rotations = clients.map((name) => rotationOf(name, keys.sourceSeed));
    const pairs = [PAIRS_REGISTERED, PAIRS_OWN].map(
      () =>
        new Map(
          [...isDense].map((prefix) => [prefix, { keys: new Float64Array(counts.get(prefix)!), count: 0 }]),
        ),
    );
    for (let at = 0; at < this.#count; at++) {
      const n = this.#numbers[at]!;
      const slot = slots[this.#flags[at]! >>> 1]!;
      const list = this.#flags[at]! & 1;
      const prefix = prefixOf(n);
      const into = pairs[list]!.get(prefix);
      if (into === undefined) {
        rows[list]!.push({ slot, from: n, to: n });
        continue;
      }
      const image = rotated(keys.permutation.permute(suffixOf(n)), rotations[slot]!);
      into.keys[into.count++] = image * clients.length + slot;
    }
    const own = sortedKeys(pairs[PAIRS_OWN]!);
    const registered = without(sortedKeys(pairs[PAIRS_REGISTERED]!), own);
    return { clients, pairs: [registered, own], ranges: rows.map(joinRows) };
  }
}

function sortedKeys(prefixes: ReadonlyMap<number, { keys: Float64Array; count: number }>): PairKeys {
  const sorted = [...prefixes].map(([prefix, { keys, count }]) => {
    const all = keys.subarray(0, count).sort();
    return [prefix, all.filter((key, index) => index === 0 || key !== all[index - 1])] as const;
  });
  return new Map(sorted.filter(([, keys]) => keys.length > 0));
}

/** A pair in both is in `own` alone. */
function without(registered: PairKeys, own: PairKeys): PairKeys {
  const rest = [...registered].map(([prefix, keys]) => {
    const taken = own.get(prefix) ?? new Float64Array(0);
    let next = 0;
    const left = keys.filter((key) => {
      while (next < taken.length && taken[next]! < key) next++;
      return taken[next] !== key;
    });
    return [prefix, left] as const;
  });
  return new Map(rest.filter(([, keys]) => keys.length > 0));
}

/** Ordered by slot and number; rows of one client that overlap or touch become one. */
function joinRows(rows: readonly RegisteredRange[]): RegisteredRange[] {
  const joined: RegisteredRange[] = [];
  for (const row of rows.toSorted((a, b) => a.slot - b.slot || a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || last.slot !== row.slot || row.from > last.to + 1) joined.push(row);
    else if (row.to > last.to) joined[joined.length - 1] = { ...last, to: row.to };
  }
  return joined;
}

/** The shards of the pairs; none without dense prefixes. Null if one number has more pairs than a shard can hold. */
export function encodePairShards({ clients, pairs }: PairContent): EncodedShard[] | null {
  const slots = clients.length;
  const bytes = new Map<number, number>();
  for (const prefixes of pairs) {
    for (const [prefix, { length }] of prefixes) {
      const { bitsPerEntry } = bestRice(length, SUFFIX_COUNT * slots);
      bytes.set(prefix, (bytes.get(prefix) ?? 0) + (length * bitsPerEntry * 1.12) / 8);
    }
  }
  const sizes = [...bytes].map(([prefix, dense]) => ({ prefix, dense, pooled: 0 }));
  return packSlices({
    cut: (finer) => cutPrefixes(sizes, finer),
    encode: (slice) => encodePart(slice, pairs, slots),
    lists: PAIR_LISTS,
    slots,
  });
}

function encodePart(
  { start, end, dense }: Slice,
  pairs: readonly PairKeys[],
  slots: number,
): EncodedPart | null {
  const [prefix, from] = [prefixOf(start), suffixOf(start)];
  const plain = pairs.map((prefixes) => {
    const all = dense ? prefixes.get(prefix) : undefined;
    if (all === undefined) return new Uint32Array(0);
    const local = all
      .subarray(lowerBound(all, from * slots), lowerBound(all, (from + end - start) * slots))
      .map((key) => key - from * slots);
    return local.length === 0 ? new Uint32Array(0) : encodePairs(local, end - start, slots);
  });
  if (plain.includes(null)) return null;
  return {
    start,
    plain: plain.map((section) => (section === null || section.length === 0 ? null : section)),
    dated: pairs.map(() => null),
  };
}

/** The table of clients and ranges, which RegisteredTable reads. */
export function encodeRegisteredTable({ clients, ranges }: PairContent): Uint8Array<ArrayBuffer> {
  const names = utf8(clients.map((name) => `${name}\n`).join(''));
  const header = [
    REGISTERED_MAGIC,
    FORMAT_VERSION,
    clients.length,
    names.length,
    ...ranges.map(({ length }) => length),
  ];
  const rowsBytes = ranges.reduce((sum, { length }) => sum + registeredColumnsBytes(length), 0);
  const namesAt = header.length * 4 + rowsBytes;
  const bytes = new Uint8Array(Math.ceil((namesAt + names.length) / 8) * 8);
  new Uint32Array(bytes.buffer, 0, header.length).set(header);
  let at = header.length * 4;
  for (const rows of ranges) {
    const columns = registeredColumnsAt(bytes.buffer, at, rows.length);
    for (const name of ['from', 'to', 'slot'] as const) columns[name].set(rows.map((row) => row[name]));
    at += registeredColumnsBytes(rows.length);
  }
  bytes.set(names, namesAt);
  return bytes;
}
