/**
 * Builds the registered senders of a release: pairs of a number and a client that may send from the number.
 *
 * Each suffix goes through the keyed permutation, as for lists. Its image is then rotated by a keyed amount for each
 * client. The pairs of one group of clients are therefore uniform over positions and clients, however unevenly the numbers
 * are spread over clients, and a number with many clients is as cheap as many numbers. Pairs are Rice-coded by runs of a
 * group and a prefix (shared/set/pair-place.ts). Long ranges and runs with few pairs are rows of the sealed table instead.
 */

import { utf8 } from '../bytes.ts';
import { REGISTERED_RANGE_EXPANDED_MAX } from '../limits/registrations.ts';
import { prefixOf, suffixOf } from '../numbers/number.ts';
import type { ListKeys } from '../set/keys.ts';
import {
  CLIENT_GROUPS,
  FORMAT_VERSION,
  GROUP_POSITIONS,
  LIST_OWN,
  LIST_REGISTERED,
  REGISTERED_LISTS,
  REGISTERED_MAGIC,
  SLOTS_PER_CLIENT,
} from '../set/layout.ts';
import {
  type ClientSpread,
  pairKeyOf,
  pairOf,
  rotated,
  runOf,
  runStart,
  slotOf,
  slotsOf,
  spreadOf,
} from '../set/pair-place.ts';
import {
  type RegisteredRange,
  registeredColumnsAt,
  registeredColumnsBytes,
} from '../set/registered-table.ts';
import { bestRice, encodePairs } from './dense-section.ts';
import { type EncodedShard, packSlices } from './pack.ts';
import type { EncodedPart } from './shard.ts';
import { cutRuns, type KeyRun, type Slice } from './slices.ts';
import { lowerBound } from './sorted.ts';

/** Numbers that a client may send from. */
export interface RegisteredPair {
  /** `<organisation>/<client>` */
  readonly client: string;
  /** First and last number, E.164 integers, both inclusive. */
  readonly from: number;
  readonly to: number;
  /** Whether the numbers belong to the client's own organisation. */
  readonly own: boolean;
}

/** A run with at least this many pairs gets its own section. Its index, and the objects that read it, take some 1 KB. */
const DENSE_PAIRS = 32;
/** Size of a section with its index, relative to its codes. */
const INDEX_FACTOR = 1.12;

/** Sorted distinct pairs by the start of their run: (key - start) * slots + slot (shared/set/layout.ts). */
type PairKeys = ReadonlyMap<number, Float64Array>;

/** The registered senders, ready to encode. */
export interface PairContent {
  /** The clients of each group, ascending: the index of a client is its rank. */
  readonly groups: readonly (readonly string[])[];
  readonly pairs: PairKeys;
  /** By list: LIST_REGISTERED and LIST_OWN; ordered by place and number, and disjoint. */
  readonly ranges: readonly (readonly RegisteredRange[])[];
}

/** Collects pairs in any order. A pair that was added twice is own if one of the two was. About 16 bytes a pair. */
export class PairEntries {
  readonly #indexes = new Map<string, number>();
  /** Single numbers. `#flags` has for each number twice the index of its client, plus one if the pair is own. */
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
    const groups: string[][] = Array.from({ length: CLIENT_GROUPS }, () => []);
    const spreads = new Map<string, ClientSpread>();
    for (const name of [...this.#indexes.keys()].sort()) {
      const spread = spreadOf(name, keys.sourceSeed);
      spreads.set(name, spread);
      groups[spread.group]!.push(name);
    }
    const ranks = new Map(groups.flatMap((names) => names.map((name, rank) => [name, rank])));
    const places = new Map(groups.flat().map((name, place) => [name, place]));
    const clients = Array.from(this.#indexes.keys(), (name) => ({
      ...spreads.get(name)!,
      rank: ranks.get(name)!,
      place: places.get(name)!,
    }));
    const rows: RegisteredRange[][] = Array.from({ length: REGISTERED_LISTS }, () => []);
    for (const { index, from, to, own } of this.#ranges)
      rows[own ? LIST_OWN : LIST_REGISTERED]!.push({ place: clients[index]!.place, from, to });
    const dense = this.#denseRuns(clients);
    for (let at = 0; at < this.#count; at++) {
      const n = this.#numbers[at]!;
      const { group, rotation, rank, place } = clients[this.#flags[at]! >>> 1]!;
      const own = this.#flags[at]! & 1;
      const start = runStart(group, prefixOf(n));
      const into = dense.get(start);
      if (into === undefined) {
        rows[own]!.push({ place, from: n, to: n });
        continue;
      }
      const image = rotated(keys.permutation.permute(suffixOf(n)), rotation);
      const room = groups[group]!.length;
      const local = pairKeyOf(group, prefixOf(n), image) - start;
      into.pairs[into.count++] = local * slotsOf(room) + slotOf(image, rank, room) + own;
    }
    const pairs = new Map([...dense].map(([start, run]) => [start, sortedPairs(run.pairs)]));
    return { groups, pairs, ranges: rows.map(joinRows) };
  }

  /** Allocates room for the pairs of each run with at least DENSE_PAIRS, by the start of the run. */
  #denseRuns(clients: readonly ClientSpread[]): Map<number, { readonly pairs: Float64Array; count: number }> {
    const counts = new Map<number, number>();
    for (let at = 0; at < this.#count; at++) {
      const start = runStart(clients[this.#flags[at]! >>> 1]!.group, prefixOf(this.#numbers[at]!));
      counts.set(start, (counts.get(start) ?? 0) + 1);
    }
    const dense = [...counts].filter(([, count]) => count >= DENSE_PAIRS);
    return new Map(dense.map(([start, count]) => [start, { pairs: new Float64Array(count), count: 0 }]));
  }
}

/** Returns sorted distinct pairs. A pair that is both own and not own becomes own: its slots are adjacent, own is odd. */
function sortedPairs(pairs: Float64Array): Float64Array {
  const sorted = pairs.sort();
  return sorted.filter((pair, index) => {
    const next = sorted[index + 1];
    return next !== pair && !(next === pair + 1 && pair % SLOTS_PER_CLIENT === 0);
  });
}

/** Orders rows by place and number, and joins rows of one client that overlap or touch. */
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

/** Names the organisations with the most clients, pairs and ranges, for the person who must make room. */
export function largestOrganisations({ groups, pairs, ranges }: PairContent): string {
  const organisationOf = (name: string): string => name.slice(0, name.indexOf('/'));
  const clients = groups.flat();
  const used = new Map(clients.map((name) => [organisationOf(name), { clients: 0, pairs: 0, ranges: 0 }]));
  const countsOf = (name: string) => used.get(organisationOf(name))!;
  for (const name of clients) countsOf(name).clients++;
  for (const [start, all] of pairs) {
    const names = groups[runOf(start).group]!;
    for (const pair of all) countsOf(names[pairOf(pair, 0, names.length).rank]!).pairs++;
  }
  for (const { place } of ranges.flat()) countsOf(clients[place]!).ranges++;
  const largest = (unit: 'clients' | 'pairs' | 'ranges'): string => {
    const sorted = [...used]
      .filter(([, counts]) => counts[unit] > 0)
      .sort(([, a], [, b]) => b[unit] - a[unit]);
    const named = sorted.slice(0, LARGEST_SHOWN).map(([name, counts]) => `${name} ${counts[unit]}`);
    return `most ${unit}: ${named.join(', ') || 'none'}`;
  };
  return (['clients', 'pairs', 'ranges'] as const).map(largest).join('; ');
}

/** Returns the shards of pairs: none without dense runs, and null if one number has more pairs than a shard can hold. */
export function encodePairShards({ groups, pairs }: PairContent): EncodedShard[] | null {
  const roomOf = (start: number): number => groups[runOf(start).group]!.length;
  const runs = [...pairs].map(([start, { length }]): KeyRun => {
    const { bitsPerEntry } = bestRice(length, GROUP_POSITIONS * slotsOf(roomOf(start)));
    return { start, keys: GROUP_POSITIONS, dense: (length * bitsPerEntry * INDEX_FACTOR) / 8, pooled: 0 };
  });
  return packSlices({
    cut: (finer) => cutRuns(runs, finer),
    encode: (slice) => encodePart(slice, pairs, roomOf(slice.start)),
    lists: 1,
    // A new client changes the shards of its group.
    isSeam: (before, start) => runOf(before).group !== runOf(start).group,
    hasPairs: true,
  });
}

function encodePart({ start, end, dense }: Slice, pairs: PairKeys, room: number): EncodedPart | null {
  const without = { start, plain: [null], dated: [null], room: 0 };
  if (!dense) return without;
  const from = start % GROUP_POSITIONS;
  const all = pairs.get(start - from)!;
  const slots = slotsOf(room);
  const local = all
    .subarray(lowerBound(all, from * slots), lowerBound(all, (from + end - start) * slots))
    .map((pair) => pair - from * slots);
  if (local.length === 0) return without;
  const section = encodePairs(local, end - start, slots);
  return section === null ? null : { ...without, plain: [section], room };
}

/** Encodes the table of clients and ranges, which RegisteredTable reads. */
export function encodeRegisteredTable({ groups, ranges }: PairContent): Uint8Array<ArrayBuffer> {
  const clients = groups.flat();
  const names = utf8(clients.map((name) => `${name}\n`).join(''));
  const header = [
    REGISTERED_MAGIC,
    FORMAT_VERSION,
    clients.length,
    names.length,
    ...ranges.map(({ length }) => length),
    ...groups.map(({ length }) => length),
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
