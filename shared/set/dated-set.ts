/**
 * Reader of a dated section: entries that hold from `since` until `until`, sorted rows of 16 bytes.
 * Few entries carry dates (a reported sender is listed for three months), so plain rows do.
 */
import { DATED_HEADER_WORDS, DATED_ROW_WORDS } from './layout.ts';
import { LayoutError, NOT_LISTED } from './number-set.ts';

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

  /** The latest `until` of the entries in force, or NOT_LISTED. @param now seconds since 1970 */
  until(head: number, permutedTail: number, now: number): number {
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
    let until = NOT_LISTED;
    for (; low < this.count; low++) {
      const row = this.#rows + low * DATED_ROW_WORDS;
      if (words[row] !== head || words[row + 1] !== permutedTail) break;
      if (words[row + 2]! <= now && now < words[row + 3]!) until = Math.max(until, words[row + 3]!);
    }
    return until;
  }
}
