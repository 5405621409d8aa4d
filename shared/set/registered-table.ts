/**
 * Reader of the table of registered clients: the names of the clients, in the order of their places, and the ranges that
 * are not in the set of pairs: long ranges, and numbers of runs with few pairs. A look-up is one binary search in the rows
 * of its client.
 */
import { REGISTERED_RANGE_EXPANDED_MAX } from '../limits/registrations.ts';
import {
  CLIENT_GROUPS,
  LIST_OWN,
  REGISTERED_HEADER_WORDS,
  REGISTERED_LISTS,
  REGISTERED_MAGIC,
} from './layout.ts';
import { readNames } from './names.ts';
import { LayoutError, openWords } from './number-set.ts';
import { type ClientSpread, spreadOf } from './pair-place.ts';

/** Numbers (not permuted) from `from` to `to`, both inclusive, that a client may send from. */
export interface RegisteredRange {
  readonly place: number;
  readonly from: number;
  readonly to: number;
}

/** Where the pairs and the rows of a client are. */
export interface RegisteredClient extends ClientSpread {
  /** Index among the names. */
  readonly place: number;
  /** Index among the names of its group. */
  readonly rank: number;
}

/** Counts of the ranges that stand for single numbers. */
export interface ShortRanges {
  readonly rows: number;
  readonly numbers: number;
  /** Numbers that belong to the organisation of their client. */
  readonly own: number;
}

/** @param lists LIST_REGISTERED and LIST_OWN */
export function countShort(lists: readonly Iterable<RegisteredRange>[]): ShortRanges {
  const total = { rows: 0, numbers: 0, own: 0 };
  for (const [list, ranges] of lists.entries()) {
    for (const { from, to } of ranges) {
      const numbers = to - from + 1;
      if (numbers > REGISTERED_RANGE_EXPANDED_MAX) continue;
      total.rows++;
      total.numbers += numbers;
      if (list === LIST_OWN) total.own += numbers;
    }
  }
  return total;
}

/** The columns of some rows, in the bytes from `at` on. */
export function registeredColumnsAt(buffer: ArrayBuffer, at: number, count: number) {
  return {
    from: new Float64Array(buffer, at, count),
    to: new Float64Array(buffer, at + count * 8, count),
    place: new Uint32Array(buffer, at + count * 16, count),
  };
}

/** Bytes of the columns of that many rows. */
export function registeredColumnsBytes(count: number): number {
  return count * 20 + (count % 2) * 4;
}

type Columns = ReturnType<typeof registeredColumnsAt>;

export class RegisteredTable {
  /** Names by group, in ascending order within each group. The index of a name is the place of the client. */
  readonly clients: readonly string[];
  /** The place of the first client of each group, and at the end the count of clients. */
  readonly #groupStarts: Uint32Array;
  readonly #seed: bigint;
  readonly #placesByName: ReadonlyMap<string, number>;
  /** Computed once per client, when it is first looked up. */
  readonly #clients = new Map<string, RegisteredClient>();
  /** The client that was looked up last, because all numbers of a stream have the same client. */
  #lastName = '';
  #last: RegisteredClient | null = null;
  readonly #lists: readonly Columns[];
  /** For each list, the first row of each place, and the end. */
  readonly #firsts: readonly Uint32Array[];

  /** @param bytes the decrypted table, aligned to 8 bytes @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>, seed: bigint) {
    const words = openWords(bytes, REGISTERED_MAGIC, 'table of clients', 8);
    if (words.length < REGISTERED_HEADER_WORDS) throw new LayoutError('table of clients: truncated');
    let at = REGISTERED_HEADER_WORDS * 4;
    const clients = words[2]!;
    const lists: Columns[] = [];
    for (let list = 0; list < REGISTERED_LISTS; list++) {
      const count = words[4 + list]!;
      if (at + registeredColumnsBytes(count) > bytes.length)
        throw new LayoutError('table of clients: rows past the end');
      lists.push(registeredColumnsAt(bytes.buffer, bytes.byteOffset + at, count));
      at += registeredColumnsBytes(count);
    }
    const end = at + words[3]!;
    if (Math.ceil(end / 8) * 8 !== bytes.length) throw new LayoutError('table of clients: wrong size');
    this.#groupStarts = startsOf(
      words.subarray(REGISTERED_HEADER_WORDS - CLIENT_GROUPS, REGISTERED_HEADER_WORDS),
    );
    this.clients = readNames(bytes.subarray(at, end), 'table of clients', this.#groupStarts);
    this.#placesByName = new Map(this.clients.map((name, place) => [name, place]));
    const counts = [this.clients.length, this.#groupStarts.at(-1), this.#placesByName.size];
    if (counts.some((count) => count !== clients))
      throw new LayoutError('table of clients: wrong count of names');
    this.#seed = seed;
    this.#lists = lists;
    this.#firsts = lists.map(({ place }) => firstsOf(place, clients));
  }

  /** Null for a client without a registered number. */
  client(name: string): RegisteredClient | null {
    if (name === this.#lastName) return this.#last;
    this.#lastName = name;
    this.#last = this.#clientOf(name);
    return this.#last;
  }

  #clientOf(name: string): RegisteredClient | null {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const place = this.#placesByName.get(name);
    if (place === undefined) return null;
    const { rotation } = spreadOf(name, this.#seed);
    const group = this.#groupStarts.findLastIndex((start) => start <= place);
    const client = { place, group, rank: place - this.#groupStarts[group]!, rotation };
    this.#clients.set(name, client);
    return client;
  }

  /** The clients of each group, by rank. */
  get groups(): readonly string[][] {
    return Array.from({ length: CLIENT_GROUPS }, (_, group) =>
      this.clients.slice(this.#groupStarts[group], this.#groupStarts[group + 1]),
    );
  }

  /** Whether each client is in its group. If not, look-ups miss its pairs. */
  get isGrouped(): boolean {
    return this.groups.every((names, group) =>
      names.every((name) => spreadOf(name, this.#seed).group === group),
    );
  }

  count(list: number): number {
    return this.#lists[list]!.place.length;
  }

  /** Whether a range of a client contains the number. @param list LIST_REGISTERED or LIST_OWN */
  has(list: number, place: number, n: number): boolean {
    const { from, to } = this.#lists[list]!;
    if (from.length === 0) return false;
    const firsts = this.#firsts[list]!;
    const first = firsts[place]!;
    let low = first;
    let high = firsts[place + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (from[middle]! <= n) low = middle + 1;
      else high = middle;
    }
    return low > first && to[low - 1]! >= n;
  }

  /** The rows of LIST_REGISTERED and LIST_OWN. */
  get ranges(): readonly Iterable<RegisteredRange>[] {
    return this.#lists.map((_, list) => this.rows(list));
  }

  /** The rows of one list, by place and number. */
  *rows(list: number): Generator<RegisteredRange> {
    const { place, from, to } = this.#lists[list]!;
    for (let row = 0; row < place.length; row++) yield { place: place[row]!, from: from[row]!, to: to[row]! };
  }
}

/** Running sums of counts: where each group begins, and the end of the last. */
function startsOf(counts: Uint32Array): Uint32Array {
  const starts = new Uint32Array(counts.length + 1);
  for (const [index, count] of counts.entries()) starts[index + 1] = starts[index]! + count;
  return starts;
}

/** @throws LayoutError if the places of the rows are not ascending, or not below `count` */
function firstsOf(places: Uint32Array, count: number): Uint32Array {
  const firsts = new Uint32Array(count + 1);
  let next = 0;
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!;
    if (place >= count || (row > 0 && place < places[row - 1]!))
      throw new LayoutError('table of clients: rows out of order');
    while (next <= place) firsts[next++] = row;
  }
  firsts.fill(places.length, next);
  return firsts;
}
