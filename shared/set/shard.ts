/**
 * Reader of a shard: one slice of the key space (prefix, permuted suffix), with the sections of every list.
 * Opened in place over the bytes from KV: a few small objects per section and a filter of the keys with dates. Nothing
 * is parsed or copied, and a look-up allocates nothing. The constructor rejects malformed bytes.
 */

import { SUFFIX_COUNT } from '../numbers/number.ts';
import { BitmapSet } from './bitmap-set.ts';
import { DatedRows } from './dated-rows.ts';
import { hashOf, KeyFilter } from './key-filter.ts';
import {
  DATED_HEADER_WORDS,
  FLAG_COMPLEMENT,
  FOREVER,
  GROUP_POSITIONS,
  PAIRS_MAGIC,
  PART_FIXED_WORDS,
  PART_WORDS_PER_LIST,
  SECTION_BITMAP,
  SECTION_DATED,
  SECTION_RICE,
  SECTION_SPARSE,
  SHARD_HEADER_WORDS,
  SHARD_MAGIC,
  SLOTS_PER_CLIENT,
} from './layout.ts';
import { LayoutError, NOT_LISTED, type NumberSet, openWords } from './number-set.ts';
import { slotOf, slotsOf } from './pair-place.ts';
import { RiceSet } from './rice-set.ts';
import { SparseSet } from './sparse-set.ts';

/** An entry in force from `since` until `until`. A number may have several. */
export interface DatedEntry {
  /** prefix * 10^8 + permuted suffix. */
  readonly key: number;
  /** Seconds since 1970; FOREVER if the entry does not expire. */
  readonly since: number;
  readonly until: number;
}

/** Words of the filter for each row with dates: at most one in ninety other keys passes. */
const FILTER_WORDS_PER_ROW = 0.5;

/**
 * A run of keys inside a shard: a slice of one prefix, or many sparsely listed prefixes. In a pair shard, a slice of one
 * group and prefix, or keys without pairs.
 */
export class Part {
  /** The first key: prefix * 10^8 + suffix, or the key of a pair. */
  readonly start: number;
  /** The first key after the part. */
  readonly end: number;
  /** In a pair shard, how many clients the part has slots for; 0 in a shard of numbers, and without pairs. */
  readonly room: number;
  /** The sections of each list. */
  readonly #plain: (NumberSet | null)[] = [];
  readonly #dated: (DatedRows | null)[] = [];
  /** Filter of all keys with dates, because most numbers have none, but many lists may have dates. Null without dates. */
  readonly #dates: KeyFilter | null = null;

  /**
   * @param row first word of the part's row @param next first word of the key after the part
   * @param sectionsAt first word after the part table @param hasPairs whether it is of a pair shard
   * @throws LayoutError
   */
  constructor(
    words: Uint32Array,
    row: number,
    next: number,
    sectionsAt: number,
    lists: number,
    hasPairs: boolean,
  ) {
    const start = words[row]! * SUFFIX_COUNT + words[row + 1]!;
    const end = words[next]! * SUFFIX_COUNT + words[next + 1]!;
    if (end <= start) throw new LayoutError('shard: parts out of order');
    this.start = start;
    this.end = end;
    const firstOffset = row + PART_FIXED_WORDS;
    this.room = hasPairs ? words[firstOffset + 1]! : 0;
    for (let at = firstOffset; at < firstOffset + lists * PART_WORDS_PER_LIST; at += PART_WORDS_PER_LIST) {
      const [plain, dated] = [words[at]!, hasPairs ? 0 : words[at + 1]!];
      for (const section of [plain, dated]) {
        if (section !== 0 && (section < sectionsAt || section + 2 > words.length))
          throw new LayoutError('shard: section past the end');
      }
      const open = hasPairs ? openPairs : openPlain;
      this.#plain.push(plain === 0 ? null : open(words, plain, start, end, this.room));
      this.#dated.push(dated === 0 ? null : openDated(words, dated));
    }
    const rows = this.#dated.reduce((sum, dates) => sum + (dates?.count ?? 0), 0);
    if (rows === 0) return;
    this.#dates = new KeyFilter(rows * FILTER_WORDS_PER_ROW);
    for (const dated of this.#dated) dated?.addTo(this.#dates);
  }

  /**
   * Until when a number is on a list: NOT_LISTED, FOREVER, or seconds since 1970.
   * @param list index in the manifest @param now seconds since 1970
   */
  until(list: number, prefix: number, permutedSuffix: number, now: number): number {
    if (this.#plain[list]?.has(prefix, permutedSuffix, 0, -1) === true) return FOREVER;
    const dated = this.#dated[list];
    if (dated == null || !this.mayHaveDates(prefix, permutedSuffix)) return NOT_LISTED;
    return dated.until(prefix, permutedSuffix, now);
  }

  /** Like `DatedRows.begins`, for the entries of a list. */
  begins(list: number, prefix: number, permutedSuffix: number, now: number): number {
    const dated = this.#dated[list];
    if (dated == null || !this.mayHaveDates(prefix, permutedSuffix)) return FOREVER;
    return dated.begins(prefix, permutedSuffix, now);
  }

  /** False if no list has an entry with dates for the number. */
  mayHaveDates(prefix: number, permutedSuffix: number): boolean {
    return this.#dates?.mayHave(hashOf(prefix, permutedSuffix)) === true;
  }

  /**
   * Whether a pair shard has a pair, own or not. @param rotated the image of the suffix, rotated by its client
   * @param rank of the client in its group
   */
  hasPair(key: number, rotated: number, rank: number): boolean {
    if (rank >= this.room) return false;
    const slot = slotOf(rotated, rank, this.room);
    return this.#plain[0]?.has(0, key - this.start, slot, -SLOTS_PER_CLIENT) === true;
  }

  /** Whether a pair shard has a pair whose number belongs to the client's organisation. */
  hasOwnPair(key: number, rotated: number, rank: number): boolean {
    if (rank >= this.room) return false;
    return this.#plain[0]?.has(0, key - this.start, slotOf(rotated, rank, this.room) + 1, -1) === true;
  }

  /** The pairs of a pair shard in order, in the form of their sections: see layout.ts. */
  pairs(): Iterable<Float64Array> {
    return this.#plain[0]?.keys(0) ?? [];
  }

  /**
   * Whether look-ups in this part only compare the key with stored keys, so that all keys between two
   * neighbouring stored keys give the same result.
   */
  get isSparse(): boolean {
    return this.#plain.every((set) => set === null || set instanceof SparseSet);
  }

  /** Count of plain and dated entries of a list in this part. */
  count(list: number): number {
    return (this.#plain[list]?.count ?? 0) + (this.#dated[list]?.count ?? 0);
  }

  /** Whether a list has an entry for a number, whatever its dates. */
  has(list: number, prefix: number, permutedSuffix: number): boolean {
    return (
      this.#plain[list]?.has(prefix, permutedSuffix) === true ||
      this.#dated[list]?.has(prefix, permutedSuffix) === true
    );
  }

  /** The plain entries of a list in order, like `NumberSet.keys`. */
  keys(list: number): Iterable<Float64Array> {
    return this.#plain[list]?.keys(this.start) ?? [];
  }

  /** The dated entries of a list, by key. */
  *dated(list: number): Generator<DatedEntry> {
    for (const { high, low, since, until } of this.#dated[list]?.rows() ?? [])
      yield { key: high * SUFFIX_COUNT + low, since, until };
  }
}

export class Shard {
  readonly lists: number;
  /** Whether it is a pair shard. */
  readonly hasPairs: boolean;
  /** In order; each begins where the previous one ends. */
  readonly parts: readonly Part[];

  /**
   * @param bytes the shard, aligned to 4 bytes
   * @throws LayoutError unless they are a complete, well-formed shard
   */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const hasPairs =
      bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === PAIRS_MAGIC;
    const words = openWords(bytes, hasPairs ? PAIRS_MAGIC : SHARD_MAGIC, 'shard');
    this.hasPairs = hasPairs;
    this.lists = words[2]!;
    if (hasPairs && this.lists !== 1) throw new LayoutError('pair shard: several lists');
    const rowWords = PART_FIXED_WORDS + this.lists * PART_WORDS_PER_LIST;
    const sectionsAt = SHARD_HEADER_WORDS + words[3]! * rowWords;
    if (sectionsAt > words.length) throw new LayoutError('shard: part table past the end');
    if (words[3] === 0) throw new LayoutError('shard: no parts');
    const parts: Part[] = [];
    for (let row = SHARD_HEADER_WORDS; row < sectionsAt; row += rowWords) {
      // There is no row after the last one: the end of the slice is in the header instead.
      const next = row + rowWords < sectionsAt ? row + rowWords : SHARD_HEADER_WORDS - PART_FIXED_WORDS;
      parts.push(new Part(words, row, next, sectionsAt, this.lists, hasPairs));
    }
    this.parts = parts;
  }

  /** The first key of the slice. */
  get start(): number {
    return this.parts[0]!.start;
  }

  /** The first key after the slice. */
  get end(): number {
    return this.parts.at(-1)!.end;
  }

  /** The part that contains a number of this shard's slice. */
  partOf(prefix: number, permutedSuffix: number): Part {
    return this.partOfKey(prefix * SUFFIX_COUNT + permutedSuffix);
  }

  /** The part that contains a key of this shard's slice. */
  partOfKey(key: number): Part {
    let low = 1;
    let high = this.parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.parts[middle]!.start <= key) low = middle + 1;
      else high = middle;
    }
    return this.parts[low - 1]!;
  }

  /** Count of plain and dated entries of a list in this shard. */
  count(list: number): number {
    return this.parts.reduce((sum, part) => sum + part.count(list), 0);
  }

  /** The plain entries of a list in order, like `NumberSet.keys`. */
  *keys(list: number): Generator<Float64Array> {
    for (const part of this.parts) yield* part.keys(list);
  }

  /** The dated entries of a list, by key. */
  *dated(list: number): Generator<DatedEntry> {
    for (const part of this.parts) yield* part.dated(list);
  }
}

function openPairs(words: Uint32Array, at: number, start: number, end: number, room: number): NumberSet {
  const kind = words[at]! & 0xff;
  if (kind !== SECTION_RICE) throw new LayoutError(`pair shard: unknown section kind ${kind}`);
  // A look-up cannot find a pair in a complement: see the mask of RiceSet.
  if (((words[at]! >>> 8) & FLAG_COMPLEMENT) !== 0) throw new LayoutError('pair shard: a complement');
  if ((start % GROUP_POSITIONS) + (end - start) > GROUP_POSITIONS)
    throw new LayoutError('pair shard: a section over several groups or prefixes');
  if (room === 0) throw new LayoutError('pair shard: pairs without a client');
  return new RiceSet(words, at, 0, end - start, slotsOf(room));
}

function openPlain(words: Uint32Array, at: number, start: number, end: number): NumberSet {
  const from = start % SUFFIX_COUNT;
  const size = end - start;
  const kind = words[at]! & 0xff;
  if (kind === SECTION_SPARSE) return new SparseSet(words, at);
  // Only a part inside one prefix can be dense.
  if (from + size > SUFFIX_COUNT) throw new LayoutError('shard: dense section over several prefixes');
  if (kind === SECTION_RICE) return new RiceSet(words, at, from, size);
  if (kind === SECTION_BITMAP) return new BitmapSet(words, at, from, size);
  throw new LayoutError(`shard: unknown section kind ${kind}`);
}

function openDated(words: Uint32Array, at: number): DatedRows {
  if ((words[at]! & 0xff) !== SECTION_DATED) throw new LayoutError('shard: not a dated section');
  return new DatedRows(words, at + DATED_HEADER_WORDS, words[at + 1]!);
}
