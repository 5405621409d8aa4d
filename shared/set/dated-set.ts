/**
 * Reader of a dated section: entries in force from `since` until `until`, as sorted rows of 16 bytes. Few
 * entries have dates (a reported sender is listed for three months), so uncompressed rows are good enough.
 */
import { SUFFIX_COUNT } from '../numbers/number.ts';
import { DATED_HEADER_WORDS, DATED_ROW_WORDS } from './layout.ts';
import { LayoutError, NOT_LISTED } from './number-set.ts';

/** One row. A number may have several. */
export interface DatedRow {
  /** prefix * 10^8 + permuted suffix. */
  readonly key: number;
  /** Seconds since 1970; FOREVER if the entry does not expire. */
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

  /** Index of the first row of a key, or of its insertion point. */
  #find(prefix: number, permutedSuffix: number): number {
    const words = this.#words;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = this.#rows + middle * DATED_ROW_WORDS;
      const rowPrefix = words[row]!;
      if (rowPrefix < prefix || (rowPrefix === prefix && words[row + 1]! < permutedSuffix)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The latest `until` of the entries in force, or NOT_LISTED. @param now seconds since 1970 */
  until(prefix: number, permutedSuffix: number, now: number): number {
    const words = this.#words;
    let until = NOT_LISTED;
    for (let low = this.#find(prefix, permutedSuffix); low < this.count; low++) {
      const row = this.#rows + low * DATED_ROW_WORDS;
      if (words[row] !== prefix || words[row + 1] !== permutedSuffix) break;
      if (words[row + 2]! <= now && now < words[row + 3]!) until = Math.max(until, words[row + 3]!);
    }
    return until;
  }

  /** Whether a key has an entry, whatever its dates. */
  has(prefix: number, permutedSuffix: number): boolean {
    const index = this.#find(prefix, permutedSuffix);
    const row = this.#rows + index * DATED_ROW_WORDS;
    return index < this.count && this.#words[row] === prefix && this.#words[row + 1] === permutedSuffix;
  }

  /** All rows in section order: by key. */
  *rows(): Generator<DatedRow> {
    const words = this.#words;
    for (let index = 0; index < this.count; index++) {
      const row = this.#rows + index * DATED_ROW_WORDS;
      const key = words[row]! * SUFFIX_COUNT + words[row + 1]!;
      yield { key, since: words[row + 2]!, until: words[row + 3]! };
    }
  }
}
