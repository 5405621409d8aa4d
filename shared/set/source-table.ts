/**
 * Reader of the source table: keyed 64-bit XXH64 fingerprints of sender IDs and other sources
 * (sources/source.ts). A look-up is one binary search per list.
 */
import { DatedRows } from './dated-rows.ts';
import { DATED_ROW_WORDS, FOREVER, HEADER_WORDS, SOURCES_MAGIC } from './layout.ts';
import { LayoutError, NOT_LISTED, openWords } from './number-set.ts';

export interface SourceRow {
  readonly fingerprint: bigint;
  /** Seconds since 1970; FOREVER if the entry does not expire. */
  readonly since: number;
  readonly until: number;
}

export class SourceTable {
  readonly #lists: readonly DatedRows[];

  /** @param bytes the decrypted table, aligned to 4 bytes @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const words = openWords(bytes, SOURCES_MAGIC, 'source table');
    let at = HEADER_WORDS + words[2]!;
    if (at > words.length) throw new LayoutError('source table: truncated');
    const lists: DatedRows[] = [];
    for (const count of words.subarray(HEADER_WORDS, at)) {
      lists.push(new DatedRows(words, at, count));
      at += count * DATED_ROW_WORDS;
    }
    if (at !== words.length) throw new LayoutError('source table: wrong size');
    this.#lists = lists;
  }

  get lists(): number {
    return this.#lists.length;
  }

  count(list: number): number {
    return this.#lists[list]?.count ?? 0;
  }

  /** All entries of a list in table order: by fingerprint. */
  *rows(list: number): Generator<SourceRow> {
    for (const { high, low, since, until } of this.#lists[list]?.rows() ?? [])
      yield { fingerprint: (BigInt(high) << 32n) | BigInt(low), since, until };
  }

  /** Whether a fingerprint, as two words, has an entry, whatever its dates. */
  has(list: number, high: number, low: number): boolean {
    return this.#lists[list]?.has(high, low) === true;
  }

  /** The latest `until` of the entries in force with this fingerprint, or NOT_LISTED. */
  until(list: number, source: bigint, now: number): number {
    return this.#lists[list]?.until(Number(source >> 32n), Number(source & 0xffffffffn), now) ?? NOT_LISTED;
  }

  /** The first time after now at which an entry with this fingerprint begins, or FOREVER. */
  begins(list: number, source: bigint, now: number): number {
    return this.#lists[list]?.begins(Number(source >> 32n), Number(source & 0xffffffffn), now) ?? FOREVER;
  }
}
