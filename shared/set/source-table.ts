/**
 * Reader of the source table: keyed 64-bit XXH64 fingerprints of sender IDs and other sources
 * (sources/source.ts). A look-up is one binary search per list.
 */
import { FORMAT_VERSION, SOURCE_ROW_WORDS, SOURCES_HEADER_WORDS, SOURCES_MAGIC } from './layout.ts';
import { LayoutError, NOT_LISTED } from './number-set.ts';

export interface SourceRow {
  readonly fingerprint: bigint;
  /** Seconds since 1970; FOREVER if the entry does not expire. */
  readonly since: number;
  readonly until: number;
}

export class SourceTable {
  readonly #words: Uint32Array;
  /** First word of each list's rows, and the end of the last. */
  readonly #starts: readonly number[];

  /** @param bytes the unsealed table, aligned to 4 bytes @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    if (bytes.byteOffset % 4 !== 0 || bytes.length % 4 !== 0 || bytes.length < SOURCES_HEADER_WORDS * 4) {
      throw new LayoutError('source table: truncated');
    }
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    if (words[0] !== SOURCES_MAGIC || words[1] !== FORMAT_VERSION)
      throw new LayoutError('source table: not one');
    if (SOURCES_HEADER_WORDS + words[2]! > words.length) throw new LayoutError('source table: truncated');
    const starts = [SOURCES_HEADER_WORDS + words[2]!];
    for (let list = 0; list < words[2]!; list++) {
      starts.push(starts[list]! + (words[SOURCES_HEADER_WORDS + list] ?? 0) * SOURCE_ROW_WORDS);
    }
    if (starts.at(-1) !== words.length) throw new LayoutError('source table: wrong size');
    this.#words = words;
    this.#starts = starts;
  }

  get lists(): number {
    return this.#starts.length - 1;
  }

  count(list: number): number {
    const start = this.#starts[list];
    const end = this.#starts[list + 1];
    return start === undefined || end === undefined ? 0 : (end - start) / SOURCE_ROW_WORDS;
  }

  /** All entries of a list in table order: by fingerprint. */
  *rows(list: number): Generator<SourceRow> {
    const words = this.#words;
    const start = this.#starts[list] ?? 0;
    const end = start + this.count(list) * SOURCE_ROW_WORDS;
    for (let row = start; row < end; row += SOURCE_ROW_WORDS) {
      const fingerprint = (BigInt(words[row]!) << 32n) | BigInt(words[row + 1]!);
      yield { fingerprint, since: words[row + 2]!, until: words[row + 3]! };
    }
  }

  /** The latest `until` of the entries in force with this fingerprint, or NOT_LISTED. */
  until(list: number, source: bigint, now: number): number {
    const words = this.#words;
    const wantHigh = Number(source >> 32n);
    const wantLow = Number(source & 0xffffffffn);
    const start = this.#starts[list] ?? 0;
    let low = 0;
    let high = this.count(list);
    const count = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = start + middle * SOURCE_ROW_WORDS;
      const rowHigh = words[row]!;
      if (rowHigh < wantHigh || (rowHigh === wantHigh && words[row + 1]! < wantLow)) low = middle + 1;
      else high = middle;
    }
    let until = NOT_LISTED;
    for (; low < count; low++) {
      const row = start + low * SOURCE_ROW_WORDS;
      if (words[row] !== wantHigh || words[row + 1] !== wantLow) break;
      if (words[row + 2]! <= now && now < words[row + 3]!) until = Math.max(until, words[row + 3]!);
    }
    return until;
  }
}
