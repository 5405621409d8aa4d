/**
 * Builds the registered senders of a release: pairs of a number and a client that may send from it.
 *
 * Each suffix goes through the keyed permutation, as for lists, and its image is then rotated by a keyed amount for
 * each client. So the pairs of one prefix are uniform over images and clients, however unevenly the numbers are spread
 * over clients, and one number with many clients is as cheap as many numbers. They are Rice-coded per prefix. Long
 * ranges, and prefixes with few pairs, are rows of the sealed table instead.
 */

import { utf8 } from '../bytes.ts';
import { REGISTERED_RANGE_EXPANDED_MAX } from '../limits/registrations.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import type { ListKeys } from '../set/keys.ts';
import {
  FORMAT_VERSION,
  LIST_OWN,
  LIST_REGISTERED,
  REGISTERED_LISTS,
  REGISTERED_MAGIC,
  SLOTS_PER_CLIENT,
} from '../set/layout.ts';
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

/** From this many pairs on, a prefix has sections of its own: their index takes about 1 KB. */
const DENSE_PAIRS = 64;
/** Size of a section with its index, relative to its codes. */
const INDEX_FACTOR = 1.12;

/** Sorted distinct keys by prefix: image * slots + slot (layout.ts). */
type PairKeys = ReadonlyMap<number, Float64Array>;

/** The registered senders, ready to encode. */
export interface PairContent {
  /** Ascending: the index of a client is its place. */
  readonly clients: readonly string[];
  readonly pairs: PairKeys;
  /** By list: LIST_REGISTERED and LIST_OWN; ordered by place and number, and disjoint. */
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
    if (to - from >= REGISTERED_RANGE_EXPANDED_MAX) this.#ranges.push({ index, from, to, own });
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
    const placesByName = new Map(clients.map((name, place) => [name, place]));
    const places = Uint32Array.from(this.#indexes.keys(), (name) => placesByName.get(name)!);
    const rows: RegisteredRange[][] = Array.from({ length: REGISTERED_LISTS }, () => []);
    for (const { index, from, to, own } of this.#ranges)
      rows[own ? LIST_OWN : LIST_REGISTERED]!.push({ place: places[index]!, from, to });
    const rotations = clients.map((name) => rotationOf(name, keys.sourceSeed));
    const slots = clients.length * SLOTS_PER_CLIENT;
    const dense = this.#densePrefixes();
    for (let at = 0; at < this.#count; at++) {
      const n = this.#numbers[at]!;
      const place = places[this.#flags[at]! >>> 1]!;
      const own = this.#flags[at]! & 1;
      const into = dense.get(prefixOf(n));
      if (into === undefined) {
        rows[own]!.push({ place, from: n, to: n });
        continue;
      }
      const image = rotated(keys.permutation.permute(suffixOf(n)), rotations[place]!);
      into.keys[into.count++] = image * slots + place * SLOTS_PER_CLIENT + own;
    }
    const pairs = new Map([...dense].map(([prefix, { keys: all }]) => [prefix, sortedKeys(all)]));
    return { clients, pairs, ranges: rows.map(joinRows) };
  }

  /** Room for the keys of each prefix that has enough pairs. */
  #densePrefixes(): Map<number, { readonly keys: Float64Array; count: number }> {
    const counts = new Map<number, number>();
    for (let at = 0; at < this.#count; at++) {
      const prefix = prefixOf(this.#numbers[at]!);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
    const dense = [...counts].filter(([, count]) => count >= DENSE_PAIRS);
    return new Map(dense.map(([prefix, count]) => [prefix, { keys: new Float64Array(count), count: 0 }]));
  }
}

/** Sorted and distinct. A pair that is own and not is own: its keys follow each other, and the second is odd. */
function sortedKeys(keys: Float64Array): Float64Array {
  const sorted = keys.sort();
  return sorted.filter((key, index) => {
    const next = sorted[index + 1];
    return next !== key && !(next === key + 1 && key % SLOTS_PER_CLIENT === 0);
  });
}

/** Ordered by place and number; rows of one client that overlap or touch become one. */
function joinRows(rows: readonly RegisteredRange[]): RegisteredRange[] {
  const joined: RegisteredRange[] = [];
  for (const row of rows.toSorted((a, b) => a.place - b.place || a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || last.place !== row.place || row.from > last.to + 1) joined.push(row);
    else if (row.to > last.to) joined[joined.length - 1] = { ...last, to: row.to };
  }
  return joined;
}

/** Organisations that `largestOrganisations` names. */
const LARGEST_SHOWN = 5;

/** Which organisations have most clients, pairs and ranges, for whoever must make room. */
export function largestOrganisations({ clients, pairs, ranges }: PairContent): string {
  const organisations = clients.map((name) => name.slice(0, name.indexOf('/')));
  const used = new Map(organisations.map((each) => [each, { clients: 0, pairs: 0, ranges: 0 }]));
  const ofPlace = organisations.map((each) => used.get(each)!);
  for (const each of ofPlace) each.clients++;
  const slots = clients.length * SLOTS_PER_CLIENT;
  for (const keys of pairs.values())
    for (const key of keys) ofPlace[Math.floor((key % slots) / SLOTS_PER_CLIENT)]!.pairs++;
  for (const { place } of ranges.flat()) ofPlace[place]!.ranges++;
  const largest = (unit: 'clients' | 'pairs' | 'ranges'): string => {
    const sorted = [...used]
      .filter(([, counts]) => counts[unit] > 0)
      .sort(([, a], [, b]) => b[unit] - a[unit]);
    const named = sorted.slice(0, LARGEST_SHOWN).map(([name, counts]) => `${name} ${counts[unit]}`);
    return `most ${unit}: ${named.join(', ') || 'none'}`;
  };
  return (['clients', 'pairs', 'ranges'] as const).map(largest).join('; ');
}

/** The shards of the pairs; none without dense prefixes. Null if one number has more pairs than a shard can hold. */
export function encodePairShards({ clients, pairs }: PairContent): EncodedShard[] | null {
  const slots = clients.length * SLOTS_PER_CLIENT;
  const sizes = [...pairs].map(([prefix, { length }]) => {
    const { bitsPerEntry } = bestRice(length, SUFFIX_COUNT * slots);
    return { prefix, dense: (length * bitsPerEntry * INDEX_FACTOR) / 8, pooled: 0 };
  });
  return packSlices({
    cut: (finer) => cutPrefixes(sizes, finer),
    encode: (slice) => encodePart(slice, pairs, slots),
    lists: 1,
    slots,
  });
}

function encodePart({ start, end, dense }: Slice, pairs: PairKeys, slots: number): EncodedPart | null {
  const from = suffixOf(start);
  const all = (dense ? pairs.get(prefixOf(start)) : undefined) ?? new Float64Array(0);
  const local = all
    .subarray(lowerBound(all, from * slots), lowerBound(all, (from + end - start) * slots))
    .map((key) => key - from * slots);
  if (local.length === 0) return { start, plain: [null], dated: [null] };
  const section = encodePairs(local, end - start, slots);
  return section === null ? null : { start, plain: [section], dated: [null] };
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
    for (const name of ['from', 'to', 'place'] as const) columns[name].set(rows.map((row) => row[name]));
    at += registeredColumnsBytes(rows.length);
  }
  bytes.set(names, namesAt);
  return bytes;
}
