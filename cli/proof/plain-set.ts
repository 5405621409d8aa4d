/**
 * A plain set of numbers: sorted, or a bitmap for a prefix with many. It is plain data in shared memory, so
 * threads read it without a copy. It takes at most 8 bytes per number.
 */
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';

export type Bitmap = Uint8Array<SharedArrayBuffer>;

/** Above this count, a bitmap (12.5 MB) is smaller than sorted numbers. */
const SORTED_MAX = 1_562_500;
/** Numbers collected before the first sort. */
const ROOM_FIRST = 1_024;

export interface PlainSet {
  /** Distinct, ascending. */
  readonly sorted: Float64Array<SharedArrayBuffer>;
  /** A bitmap of suffixes for each prefix that is not in `sorted`. */
  readonly bitmaps: ReadonlyMap<number, Bitmap>;
}

/** Shared between threads, not copied. */
export function bitmap(): Bitmap {
  return new Uint8Array(new SharedArrayBuffer(SUFFIX_COUNT / 8));
}

export function setBit(bits: Bitmap, suffix: number): void {
  bits[suffix >>> 3]! |= 1 << (suffix & 7);
}

export function hasBit(bits: Bitmap | null, suffix: number): boolean {
  return bits !== null && (bits[suffix >>> 3]! & (1 << (suffix & 7))) !== 0;
}

/** Number of set bits. 20 ms if few are set. */
export function countBits(bits: Bitmap): number {
  let count = 0;
  for (let at = 0; at < bits.length; at++) for (let left = bits[at]!; left !== 0; left &= left - 1) count++;
  return count;
}

/** Collects the numbers of a set, in any order and with duplicates. */
export class PlainSetBuilder {
  readonly #densePrefix: number;
  readonly #bitmaps = new Map<number, Bitmap>();
  #waiting = new Float64Array(ROOM_FIRST);
  #count = 0;

  /** @param densePrefix gets a bitmap however few numbers it has, because all its numbers are looked up */
  constructor(densePrefix: number) {
    this.#densePrefix = densePrefix;
  }

  add(n: number): void {
    const prefix = prefixOf(n);
    const bits = this.#bitmaps.get(prefix);
    if (bits !== undefined) {
      setBit(bits, suffixOf(n));
    } else if (prefix === this.#densePrefix) {
      setBit(this.#addBitmap(prefix), suffixOf(n));
    } else {
      if (this.#count === this.#waiting.length) this.#makeRoom();
      this.#waiting[this.#count++] = n;
    }
  }

  #addBitmap(prefix: number): Bitmap {
    const bits = bitmap();
    this.#bitmaps.set(prefix, bits);
    return bits;
  }

  #makeRoom(): void {
    this.#sort();
    if (this.#count <= this.#waiting.length / 2) return;
    const larger = new Float64Array(this.#waiting.length * 2);
    larger.set(this.#waiting);
    this.#waiting = larger;
  }

  /** Sorts the waiting numbers, drops duplicates, and moves prefixes with many to bitmaps. */
  #sort(): void {
    const all = this.#waiting.subarray(0, this.#count).sort();
    this.#count = 0;
    for (let from = 0, to = 0; from < all.length; from = to) {
      const prefix = prefixOf(all[from]!);
      to = lowerBound(all, (prefix + 1) * SUFFIX_COUNT);
      const bits = to - from > SORTED_MAX ? this.#addBitmap(prefix) : null;
      for (let index = from; index < to; index++) {
        const n = all[index]!;
        if (bits !== null) setBit(bits, suffixOf(n));
        else if (this.#count === 0 || n !== all[this.#count - 1]) all[this.#count++] = n;
      }
    }
  }

  finish(): PlainSet {
    this.#sort();
    return { sorted: shared(this.#waiting.subarray(0, this.#count)), bitmaps: this.#bitmaps };
  }
}

/** The same numbers in shared memory. */
export function shared(numbers: Float64Array): Float64Array<SharedArrayBuffer> {
  const copy = new Float64Array(new SharedArrayBuffer(numbers.byteLength));
  copy.set(numbers);
  return copy;
}

/** Index of the first of the ascending numbers that is at least `n`. */
export function lowerBound(sorted: Float64Array, n: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < n) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function isIn({ sorted, bitmaps }: PlainSet, n: number): boolean {
  const bits = bitmaps.get(prefixOf(n));
  return bits === undefined ? sorted[lowerBound(sorted, n)] === n : hasBit(bits, suffixOf(n));
}

export function sizeOf({ sorted, bitmaps }: PlainSet): number {
  return [...bitmaps.values()].reduce((sum, bits) => sum + countBits(bits), sorted.length);
}
