/**
 * A small summary of the numbers that a client checks, from which `detect.ts` recognises a scan. It holds no number.
 * For each block of 10,000 numbers, it holds how often the block was checked, and which of its 64 marked numbers
 * were checked. The marks measure how many distinct numbers there were, so that repeats do not look like a scan.
 *
 * Sketches merge by addition, in any order: the sketches of many isolates and keys add up to the sketch that one would
 * have made. A full sketch halves the blocks that it keeps, by their hash. All isolates therefore keep the same blocks,
 * and the counts of these stay exact. Sampling numbers instead would hide how even a scan is.
 */
import {
  CANARY_NUMBERS_MAX,
  MERGED_PLACES_MAX,
  SKETCH_FILLED_SHARE,
  SKETCH_PLACES_MAX,
  SKETCH_PLACES_MIN,
} from '../limits/enumeration.ts';
import { BLOCK_NUMBERS } from '../numbers/blocks.ts';
import { CanaryNumbers } from './canary-numbers.ts';
import { hashOfBlock, type ScanKey } from './scan-key.ts';
import { WAITING, WaitingNumbers } from './waiting-numbers.ts';

/** Halvings of the kept blocks, at most. Hashes have 32 bits, and their low bits choose the place. */
const LEVELS_MAX = 16;
/** The hash bits that shift the marks of a block. */
const SHIFT_BITS = 14;

/** A sketch in the form that is sent and stored. */
export interface ScanData {
  /** Numbers checked, repeats included. */
  readonly numbers: number;
  /** Numbers in an arithmetic progression of RUN_NUMBERS or more, as single isolates saw it. */
  readonly inRuns: number;
  /** Only one of 2^level blocks is kept. */
  readonly level: number;
  /** ENTRY_WORDS for each block, in no particular order. */
  readonly entries: Int32Array<ArrayBuffer>;
  /** The canary numbers that were checked: a keyed hash of each. */
  readonly canaries: Int32Array<ArrayBuffer>;
}

/** Words of an entry: number div 10^4, count, marks 1 to 32 that were seen, marks 33 to 64. All are unsigned. */
export const ENTRY_WORDS = 4;

/**
 * The table has buckets of four places: four blocks, then their four counts, and so on. Finding the place of a block in
 * its bucket takes no branch, because a processor could not predict it.
 */
const BUCKET_PLACES = 4;
const BUCKET_WORDS = BUCKET_PLACES * ENTRY_WORDS;
/** log2 of BUCKET_WORDS. */
const BUCKET_SHIFT = 4;
/** Offsets from the word of a block to the other words of its entry. */
const COUNT = 4;
const LOW = 8;
const HIGH = 12;

/**
 * Of the waiting numbers whose blocks a sketch keeps: the block, its hash, and the number modulo BLOCK_NUMBERS. One loop
 * fills these arrays, and another reads them. Whether a block is kept is as good as random, so a branch on it would be
 * mispredicted.
 */
const keptBlocks = new Int32Array(WAITING);
const keptHashes = new Int32Array(WAITING);
const keptSuffixes = new Int32Array(WAITING);

/** Other numbers are ignored: block 0 marks a free place, and blocks of longer numbers do not fit into 32 bits. */
const NUMBERS_FROM = BLOCK_NUMBERS;
const NUMBERS_BELOW = 2 ** 32 * BLOCK_NUMBERS;
const BLOCKS_PER_NUMBER = 1 / BLOCK_NUMBERS;

export class ScanSketch {
  readonly #key: ScanKey;
  readonly #placesMax: number;
  /** The canary numbers to look for. */
  canaries = CanaryNumbers.NONE;
  #numbers = 0;
  #inRuns = 0;
  #level = 0;
  readonly #foundCanaries = new Set<number>();
  /** Hash bits that are zero in all kept blocks. */
  #dropped = 0;
  #used = 0;
  /** An open-addressed table of buckets; block 0 marks a free place. */
  #table: Int32Array<ArrayBuffer>;
  readonly #from = new WaitingNumbers();
  readonly #to = new WaitingNumbers();
  #lastFrom = 0;

  /** @param places initial places, a power of two: `places` of a sketch of the same traffic */
  constructor(key: ScanKey, placesMax: number = SKETCH_PLACES_MAX, places: number = SKETCH_PLACES_MIN) {
    this.#key = key;
    this.#placesMax = placesMax;
    this.#table = new Int32Array(places * ENTRY_WORDS);
  }

  /** Numbers checked, repeats included. */
  get numbers(): number {
    return this.#numbers + this.#from.count + this.#to.count;
  }

  get isEmpty(): boolean {
    return this.numbers === 0;
  }

  /** Places that the blocks of this sketch need. */
  get places(): number {
    let places = SKETCH_PLACES_MIN;
    while (this.#used >= places * SKETCH_FILLED_SHARE && places < this.#placesMax) places *= 2;
    return places;
  }

  /** Adds a sender. @param n 0 < N < 10^15 */
  seeFrom(n: number): void {
    // Most clients send from one number.
    if (n === this.#lastFrom) return;
    this.#lastFrom = n;
    this.#see(n, this.#from);
  }

  /** Adds a recipient. @param n 0 < N < 10^15 */
  seeTo(n: number): void {
    this.#see(n, this.#to);
  }

  /** Adds a canary number that is not in `canaries`. Call it in addition to `seeFrom` or `seeTo`. */
  seeCanary(n: number): void {
    this.#addCanary(hashOfBlock(n, this.#key.seed));
  }

  #addCanary(hash: number): void {
    if (this.#foundCanaries.size < CANARY_NUMBERS_MAX) this.#foundCanaries.add(hash);
  }

  #see(n: number, numbers: WaitingNumbers): void {
    if (numbers.add(n)) this.#lookAt(numbers);
  }

  /** Adds the waiting numbers to the table. */
  #lookAt(numbers: WaitingNumbers): void {
    const { waiting, count } = numbers;
    this.#numbers += count;
    this.#inRuns += numbers.removeAll();
    if (!this.canaries.isEmpty) this.#addCanaries(waiting, count);
    const kept = this.#keep(waiting, count);
    const { marks } = this.#key;
    let table = this.#table;
    let mask = table.length - 1;
    for (let index = 0; index < kept; index++) {
      const block = keptBlocks[index]!;
      const hash = keptHashes[index]!;
      // A shift stays a 32-bit integer, while a product would become a double.
      let at = placeIn(table, (hash << BUCKET_SHIFT) & mask, block);
      if (table[at] !== block) {
        at = this.#place(block, hash);
        if (at < 0) continue;
        table = this.#table;
        mask = table.length - 1;
      }
      table[at + COUNT]!++;
      const shift = (((hash >>> SHIFT_BITS) & 0x3fff) * BLOCK_NUMBERS) >>> 14;
      const moved = keptSuffixes[index]! + shift;
      // `moved` modulo BLOCK_NUMBERS, with the sign of a difference as a mask.
      const mark = marks[moved - (BLOCK_NUMBERS & ((BLOCK_NUMBERS - 1 - moved) >> 31))]!;
      // A shift uses the low five bits.
      if (mark !== 0) table[at + (mark <= 32 ? LOW : HIGH)]! |= 1 << (mark - 1);
    }
  }

  /** Collects the numbers whose blocks are kept. @returns their count */
  #keep(waiting: Float64Array, count: number): number {
    const { seed } = this.#key;
    const dropped = this.#dropped;
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const n = waiting[index]!;
      if (n >= NUMBERS_BELOW || n < NUMBERS_FROM) continue;
      // Exact, and faster than a division: N + 0.5 is never so close to the end of a block that rounding crosses it.
      const block = ((n + 0.5) * BLOCKS_PER_NUMBER) >>> 0;
      const hash = hashOfBlock(block, seed);
      keptBlocks[kept] = block;
      keptHashes[kept] = hash;
      keptSuffixes[kept] = n - block * BLOCK_NUMBERS;
      kept += +((hash & dropped) === 0);
    }
    return kept;
  }

  #addCanaries(waiting: Float64Array, count: number): void {
    for (let index = 0; index < count; index++) {
      if (this.canaries.has(waiting[index]!)) this.seeCanary(waiting[index]!);
    }
  }

  #lookAtAll(): void {
    this.#lookAt(this.#from);
    this.#lookAt(this.#to);
  }

  /** Returns the index of a block, and adds the block if it is missing. @returns -1 if the block is no longer kept */
  #place(block: number, hash: number): number {
    while ((hash & this.#dropped) === 0) {
      const table = this.#table;
      const mask = table.length - 1;
      let at = 0;
      // A free place ends the search, because places are never freed.
      for (let bucket = (hash << BUCKET_SHIFT) & mask; ; bucket = (bucket + BUCKET_WORDS) & mask) {
        at = placeIn(table, bucket, block);
        if (table[at] === block) return at;
        at = freePlaceIn(table, bucket);
        if (table[at] === 0) break;
      }
      const places = table.length / ENTRY_WORDS;
      if (this.#used < places * SKETCH_FILLED_SHARE) {
        table[at] = block;
        this.#used++;
        return at;
      }
      if (places < this.#placesMax) this.#rebuild(this.#level, places * 2);
      else if (this.#level < LEVELS_MAX) this.#rebuild(this.#level + 1, places);
      else return -1;
    }
    return -1;
  }

  /** Moves the entries that remain at `level` into a table with `places` places. */
  #rebuild(level: number, places: number): void {
    const entries = this.#entries();
    this.#level = level;
    this.#dropped = level === 0 ? 0 : -1 << (32 - level);
    this.#used = 0;
    this.#table = new Int32Array(places * ENTRY_WORDS);
    this.#addEntries(entries);
  }

  #addEntries(entries: Int32Array): void {
    for (let entry = 0; entry < entries.length; entry += ENTRY_WORDS) {
      const block = entries[entry]!;
      const hash = hashOfBlock(block, this.#key.seed);
      if ((hash & this.#dropped) !== 0) continue;
      const at = this.#place(block, hash);
      if (at < 0) continue;
      this.#table[at + COUNT]! += entries[entry + 1]!;
      this.#table[at + LOW]! |= entries[entry + 2]!;
      this.#table[at + HIGH]! |= entries[entry + 3]!;
    }
  }

  /** Merges another sketch with the same key. */
  add({ numbers, inRuns, level, entries, canaries }: ScanData): void {
    for (const hash of canaries) this.#addCanary(hash);
    this.#lookAtAll();
    this.#numbers += numbers;
    this.#inRuns += inRuns;
    if (level > this.#level) this.#rebuild(level, this.#table.length / ENTRY_WORDS);
    this.#addEntries(entries);
  }

  data(): ScanData {
    this.#lookAtAll();
    const canaries = Int32Array.from(this.#foundCanaries);
    const entries = this.#entries();
    return { numbers: this.#numbers, inRuns: this.#inRuns, level: this.#level, entries, canaries };
  }

  #entries(): Int32Array<ArrayBuffer> {
    const table = this.#table;
    const entries = new Int32Array(this.#used * ENTRY_WORDS);
    let entry = 0;
    for (let bucket = 0; bucket < table.length; bucket += BUCKET_WORDS) {
      for (let at = bucket; at < bucket + BUCKET_PLACES && table[at] !== 0; at++) {
        entries[entry++] = table[at]!;
        entries[entry++] = table[at + COUNT]!;
        entries[entry++] = table[at + LOW]!;
        entries[entry++] = table[at + HIGH]!;
      }
    }
    return entries;
  }
}

/** Returns the place of a block in a bucket, or the bucket's last place if the block is not in it. */
function placeIn(table: Int32Array, bucket: number, block: number): number {
  const first = +(table[bucket] === block);
  const second = +(table[bucket + 1] === block);
  const third = +(table[bucket + 2] === block);
  return bucket + BUCKET_PLACES - 1 - 3 * first - 2 * second - third;
}

/** Returns the first free place of a bucket, or its last place if none is free. Places are taken in order. */
function freePlaceIn(table: Int32Array, bucket: number): number {
  return bucket + +(table[bucket] !== 0) + +(table[bucket + 1] !== 0) + +(table[bucket + 2] !== 0);
}

/** Returns an empty sketch for an organisation, to which the sketches of its clients are added. */
export function mergedSketch(key: ScanKey): ScanSketch {
  return new ScanSketch(key, MERGED_PLACES_MAX);
}
