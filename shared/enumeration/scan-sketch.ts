/**
 * A small summary of the numbers that a client checks, from which `detect.ts` recognises a scan. It holds no
 * number: for each block of 10,000 numbers, how often the block was checked, and which of its 64 marked numbers
 * were. The marks measure how many different numbers there were, so repeats do not look like a scan.
 *
 * Sketches merge by addition, in any order: what many isolates and keys saw apart adds up to what one would have
 * seen. A full sketch halves the blocks that it keeps, by their hash, so that all isolates keep the same ones and
 * the counts of those stay exact: sampling numbers instead would hide how even a scan is.
 */
import {
  CANARY_NUMBERS_MAX,
  MERGED_PLACES_MAX,
  SKETCH_FILLED_SHARE,
  SKETCH_PLACES_MAX,
  SKETCH_PLACES_MIN,
} from '../limits/enumeration.ts';
import { BLOCK_NUMBERS } from '../numbers/blocks.ts';
import { hashOfBlock, type ScanKey } from './scan-key.ts';

/** Numbers in arithmetic progression from which they count as a run. See STEPS_MIN in detect.ts. */
export const RUN_NUMBERS = 32;
/** Halvings of the blocks kept. Hashes have 32 bits, and the low ones choose the place. */
const LEVELS_MAX = 16;
/** The hash bits that shift the marks of a block. */
const SHIFT_BITS = 14;

/** A sketch as it travels and as it is stored. */
export interface ScanData {
  /** Numbers checked, repeats included. */
  readonly numbers: number;
  /** Those that continued an arithmetic progression of RUN_NUMBERS or more, as one isolate saw them. */
  readonly inRuns: number;
  /** Only one of 2^level blocks is kept. */
  readonly level: number;
  /** ENTRY_WORDS for each block, in no particular order. */
  readonly entries: Int32Array<ArrayBuffer>;
  /** The canary numbers that were checked: a keyed hash of each. */
  readonly canaries: Int32Array<ArrayBuffer>;
}

/** An entry: number div 10^4, count, marks 1 to 32 that were seen, marks 33 to 64. All are unsigned. */
export const ENTRY_WORDS = 4;
/** log2 of ENTRY_WORDS. */
const ENTRY_SHIFT = 2;
const COUNT = 1;
const LOW = 2;
const HIGH = 3;

/** Longer numbers are not looked at: their blocks do not fit into 32 bits, and no plan has many of them. */
const NUMBERS_BELOW = 2 ** 32 * BLOCK_NUMBERS;

/** The last number of a subject, its distance from the one before, and how often that distance came in a row. */
interface Steps {
  last: number;
  step: number;
  run: number;
}

export class ScanSketch {
  readonly #key: ScanKey;
  readonly #placesMax: number;
  #numbers = 0;
  #inRuns = 0;
  #level = 0;
  readonly #canaries = new Set<number>();
  /** Hash bits that are zero in all kept blocks. */
  #dropped = 0;
  #used = 0;
  /** An open-addressed table of entries; block 0 marks a free place. */
  #table = new Int32Array(SKETCH_PLACES_MIN * ENTRY_WORDS);
  /** Senders and recipients have steps of their own, because a check has one of each. */
  readonly #from: Steps = { last: 0, step: 0, run: 0 };
  readonly #to: Steps = { last: 0, step: 0, run: 0 };

  constructor(key: ScanKey, placesMax: number = SKETCH_PLACES_MAX) {
    this.#key = key;
    this.#placesMax = placesMax;
  }

  /** Numbers checked, repeats included. */
  get numbers(): number {
    return this.#numbers;
  }

  get isEmpty(): boolean {
    return this.#numbers === 0;
  }

  /** A sender. @param n 0 < N < 10^15 */
  seeFrom(n: number): void {
    // Most clients send from one number.
    if (n !== this.#from.last) this.#see(n, this.#from);
  }

  /** A recipient. @param n 0 < N < 10^15 */
  seeTo(n: number): void {
    this.#see(n, this.#to);
  }

  /** A canary number, besides `seeFrom` or `seeTo`. */
  seeCanary(n: number): void {
    this.#addCanary(hashOfBlock(n, this.#key.seed));
  }

  #addCanary(hash: number): void {
    if (this.#canaries.size < CANARY_NUMBERS_MAX) this.#canaries.add(hash);
  }

  #see(n: number, steps: Steps): void {
    this.#numbers++;
    const step = n - steps.last;
    steps.last = n;
    if (step === steps.step && step !== 0) {
      steps.run++;
      if (steps.run >= RUN_NUMBERS) this.#inRuns += steps.run === RUN_NUMBERS ? RUN_NUMBERS : 1;
    } else {
      steps.step = step;
      steps.run = 2;
    }
    if (n >= NUMBERS_BELOW) return;
    const block = (n / BLOCK_NUMBERS) >>> 0;
    const { seed, marks } = this.#key;
    const hash = hashOfBlock(block, seed);
    if ((hash & this.#dropped) !== 0) return;
    const at = this.#place(block | 0, hash);
    if (at < 0) return;
    const table = this.#table;
    table[at + COUNT]!++;
    const shift = (((hash >>> SHIFT_BITS) & 0x3fff) * BLOCK_NUMBERS) >>> 14;
    const moved = ((n - block * BLOCK_NUMBERS) | 0) + shift;
    const mark = marks[moved < BLOCK_NUMBERS ? moved : moved - BLOCK_NUMBERS]!;
    if (mark === 0) return;
    // A shift uses the low five bits.
    table[at + (mark <= 32 ? LOW : HIGH)]! |= 1 << (mark - 1);
  }

  /** The place of a block, which gets one if it has none. @returns -1 if the block is no longer kept */
  #place(block: number, hash: number): number {
    for (;;) {
      const table = this.#table;
      const mask = table.length - 1;
      // A shift stays an integer of 32 bits; a product would become a double.
      let at = (hash << ENTRY_SHIFT) & mask;
      while (table[at] !== block && table[at] !== 0) at = (at + ENTRY_WORDS) & mask;
      if (table[at] === block) return at;
      const places = table.length / ENTRY_WORDS;
      if (this.#used < places * SKETCH_FILLED_SHARE) {
        table[at] = block;
        this.#used++;
        return at;
      }
      if (places < this.#placesMax) this.#rebuild(this.#level, places * 2);
      else if (this.#level < LEVELS_MAX) this.#rebuild(this.#level + 1, places);
      else return -1;
      if ((hash & this.#dropped) !== 0) return -1;
    }
  }

  /** Moves the entries that remain at this level into a table with this many places. */
  #rebuild(level: number, places: number): void {
    const { entries } = this.data();
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
      this.#table[at + COUNT]! += entries[entry + COUNT]!;
      this.#table[at + LOW]! |= entries[entry + LOW]!;
      this.#table[at + HIGH]! |= entries[entry + HIGH]!;
    }
  }

  /** Adds what another sketch with the same key saw. */
  add({ numbers, inRuns, level, entries, canaries }: ScanData): void {
    for (const hash of canaries) this.#addCanary(hash);
    this.#numbers += numbers;
    this.#inRuns += inRuns;
    if (level > this.#level) this.#rebuild(level, this.#table.length / ENTRY_WORDS);
    this.#addEntries(entries);
  }

  data(): ScanData {
    const entries = new Int32Array(this.#used * ENTRY_WORDS);
    let entry = 0;
    for (let at = 0; at < this.#table.length; at += ENTRY_WORDS) {
      if (this.#table[at] === 0) continue;
      entries.set(this.#table.subarray(at, at + ENTRY_WORDS), entry);
      entry += ENTRY_WORDS;
    }
    const canaries = Int32Array.from(this.#canaries);
    return { numbers: this.#numbers, inRuns: this.#inRuns, level: this.#level, entries, canaries };
  }
}

/** The sketch of an organisation, to which those of its clients are added. */
export function mergedSketch(key: ScanKey): ScanSketch {
  return new ScanSketch(key, MERGED_PLACES_MAX);
}
