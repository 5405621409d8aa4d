/**
 * Reader of a dated section: entries that hold from `since` until `until`, sorted rows of 16 bytes.
 * Few entries carry dates (a reported sender is listed for three months), so plain rows do.
 */
import { TAILS } from '../numbers/number.ts';
import { DATED_HEADER_WORDS, DATED_ROW_WORDS } from './layout.ts';
import { LayoutError, NOT_LISTED } from './number-set.ts';

/** One row: a number may have several. */
export interface DatedRow {
  /** head * 10^8 + permuted tail. */
  readonly key: number;
  /** Seconds since 1970; FOREVER for no end. */
  readonly since: number;
  readonly until: number;
}

export class DatedSet {
  readonly count: number;
  readonly #words: Uint32Array;
  readonly #rows: number;

  constructor(words: Uint32Array, at: number, end: number) {
    this.count = words[at + 1]!;
    this.#words = words;
    this.#rows = at + DATED_HEADER_WORDS;
    if (this.#rows + this.count * DATED_ROW_WORDS > end) throw new LayoutError('dated section: past the end');
  }

  /** Index of the first row of a key, or of where it would be. */
  #find(head: number, permutedTail: number): number {
    const words = this.#words;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = this.#rows + middle * DATED_ROW_WORDS;
      const rowHead = words[row]!;
      if (rowHead < head || (rowHead === head && words[row + 1]! < permutedTail)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The latest `until` of the entries in force, or NOT_LISTED. @param now seconds since 1970 */
  until(head: number, permutedTail: number, now: number): number {
    const words = this.#words;
    let until = NOT_LISTED;
    for (let low = this.#find(head, permutedTail); low < this.count; low++) {
      const row = this.#rows + low * DATED_ROW_WORDS;
      if (words[row] !== head || words[row + 1] !== permutedTail) break;
      if (words[row + 2]! <= now && now < words[row + 3]!) until = Math.max(until, words[row + 3]!);
    }
    return until;
  }

  /** Whether a key has an entry, whatever its dates. */
  has(head: number, permutedTail: number): boolean {
    const index = this.#find(head, permutedTail);
    const row = this.#rows + index * DATED_ROW_WORDS;
    return index < this.count && this.#words[row] === head && this.#words[row + 1] === permutedTail;
  }

  /** Every row, in the order of the section: by key. */
  *rows(): Generator<DatedRow> {
    const words = this.#words;
    for (let index = 0; index < this.count; index++) {
      const row = this.#rows + index * DATED_ROW_WORDS;
      const key = words[row]! * TAILS + words[row + 1]!;
      yield { key, since: words[row + 2]!, until: words[row + 3]! };
    }
  }
}
