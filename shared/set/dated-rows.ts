/**
 * Reader of rows of four words: a key of two words, since, until. Dated sections and the source table have
 * such rows, sorted by key. A key may have several rows. Few entries have dates (a reported sender is listed
 * for three months), so uncompressed rows are good enough.
 */
import { hashOf, type KeyFilter } from './key-filter.ts';
import { DATED_ROW_WORDS, FOREVER } from './layout.ts';
import { LayoutError, NOT_LISTED } from './number-set.ts';

/** An entry in force from `since` until `until`. */
export interface DatedRow {
  /** Prefix of a number, or the first word of a fingerprint. */
  readonly high: number;
  /** Permuted suffix of a number, or the second word of a fingerprint. */
  readonly low: number;
  /** Seconds since 1970; FOREVER if the entry does not expire. */
  readonly since: number;
  readonly until: number;
}

export class DatedRows {
  readonly count: number;
  readonly #rows: Uint32Array;

  /** @param at first word of the rows @throws LayoutError if they do not end within the words */
  constructor(words: Uint32Array, at: number, count: number) {
    if (at + count * DATED_ROW_WORDS > words.length) throw new LayoutError('dated rows: past the end');
    this.count = count;
    this.#rows = words.subarray(at, at + count * DATED_ROW_WORDS);
  }

  /** The latest `until` of the rows of a key in force, or NOT_LISTED. @param now seconds since 1970 */
  until(high: number, low: number, now: number): number {
    const rows = this.#rows;
    let until = NOT_LISTED;
    for (let at = findRow(rows, DATED_ROW_WORDS, high, low); at < rows.length; at += DATED_ROW_WORDS) {
      if (rows[at] !== high || rows[at + 1] !== low) break;
      if (rows[at + 2]! <= now && now < rows[at + 3]!) until = Math.max(until, rows[at + 3]!);
    }
    return until;
  }

  /** The first time after now at which a row of a key begins, in seconds since 1970; FOREVER if none does. */
  begins(high: number, low: number, now: number): number {
    const rows = this.#rows;
    let since = FOREVER;
    for (let at = findRow(rows, DATED_ROW_WORDS, high, low); at < rows.length; at += DATED_ROW_WORDS) {
      if (rows[at] !== high || rows[at + 1] !== low) break;
      if (rows[at + 2]! > now) since = Math.min(since, rows[at + 2]!);
    }
    return since;
  }

  /** Whether a key has a row, whatever its dates. */
  has(high: number, low: number): boolean {
    const at = findRow(this.#rows, DATED_ROW_WORDS, high, low);
    return this.#rows[at] === high && this.#rows[at + 1] === low;
  }

  /** Adds the keys of all rows. */
  addTo(filter: KeyFilter): void {
    const rows = this.#rows;
    for (let at = 0; at < rows.length; at += DATED_ROW_WORDS) filter.add(hashOf(rows[at]!, rows[at + 1]!));
  }

  /** All rows in order. */
  *rows(): Generator<DatedRow> {
    const rows = this.#rows;
    for (let at = 0; at < rows.length; at += DATED_ROW_WORDS) {
      yield { high: rows[at]!, low: rows[at + 1]!, since: rows[at + 2]!, until: rows[at + 3]! };
    }
  }
}

/** First word of the first row whose two-word key is at least (`high`, `low`); the end if there is none. */
export function findRow(rows: Uint32Array, rowWords: number, high: number, low: number): number {
  let first = 0;
  let end = (rows.length / rowWords) | 0;
  while (first < end) {
    const middle = (first + end) >>> 1;
    const at = middle * rowWords;
    if (rows[at]! < high || (rows[at] === high && rows[at + 1]! < low)) first = middle + 1;
    else end = middle;
  }
  return first * rowWords;
}
