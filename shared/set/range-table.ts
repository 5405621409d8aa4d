/**
 * Reader of the range table: for each list, intervals of numbers that are disjoint or equal (equal ones
 * differ in their dates). A look-up is one binary search per list.
 */
import { FOREVER, HEADER_WORDS, RANGE_ROW_BYTES, RANGES_MAGIC } from './layout.ts';
import { LayoutError, NOT_LISTED, openWords } from './number-set.ts';

/** Numbers (not permuted) from `from` to `to`, both inclusive. */
export interface RangeRow {
  readonly from: number;
  readonly to: number;
  /** Seconds since 1970; FOREVER if the entry does not expire. */
  readonly since: number;
  readonly until: number;
}

/** The columns of one list, in the bytes from `at` on, with one element per range. */
export function columnsAt(buffer: ArrayBuffer, at: number, count: number) {
  return {
    from: new Float64Array(buffer, at, count),
    to: new Float64Array(buffer, at + count * 8, count),
    since: new Uint32Array(buffer, at + count * 16, count),
    until: new Uint32Array(buffer, at + count * 20, count),
  };
}

export class RangeTable {
  readonly #lists: readonly ReturnType<typeof columnsAt>[];

  /** @param bytes the decrypted table, aligned to 8 bytes @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const words = openWords(bytes, RANGES_MAGIC, 'range table', 8);
    const lists = words[2]!;
    let at = (HEADER_WORDS + lists + (lists & 1)) * 4;
    const columns = [];
    for (let list = 0; list < lists; list++) {
      const count = words[HEADER_WORDS + list] ?? 0;
      if (at + count * RANGE_ROW_BYTES > bytes.length) throw new LayoutError('range table: past the end');
      columns.push(columnsAt(bytes.buffer, bytes.byteOffset + at, count));
      at += count * RANGE_ROW_BYTES;
    }
    if (at !== bytes.length) throw new LayoutError('range table: bytes left over');
    this.#lists = columns;
  }

  get lists(): number {
    return this.#lists.length;
  }

  count(list: number): number {
    return this.#lists[list]?.from.length ?? 0;
  }

  /** All ranges of a list in table order: by `from`. */
  *rows(list: number): Generator<RangeRow> {
    const columns = this.#lists[list];
    for (let row = 0; columns !== undefined && row < columns.from.length; row++) {
      const [from, to] = [columns.from[row]!, columns.to[row]!];
      yield { from, to, since: columns.since[row]!, until: columns.until[row]! };
    }
  }

  /** Whether a range contains the number, whatever its dates. */
  has(list: number, n: number): boolean {
    const columns = this.#lists[list];
    return columns !== undefined && (columns.to[lastFrom(columns.from, n)] ?? -1) >= n;
  }

  /** The latest `until` of the ranges in force that contain the number, or NOT_LISTED. */
  until(list: number, n: number, now: number): number {
    const columns = this.#lists[list];
    if (columns === undefined) return NOT_LISTED;
    let until = NOT_LISTED;
    for (let row = lastFrom(columns.from, n); row >= 0 && columns.to[row]! >= n; row--) {
      if (columns.since[row]! <= now && now < columns.until[row]!)
        until = Math.max(until, columns.until[row]!);
    }
    return until;
  }

  /** The first time after now at which a range that contains the number begins, or FOREVER. */
  begins(list: number, n: number, now: number): number {
    const columns = this.#lists[list];
    if (columns === undefined) return FOREVER;
    let since = FOREVER;
    for (let row = lastFrom(columns.from, n); row >= 0 && columns.to[row]! >= n; row--) {
      if (columns.since[row]! > now) since = Math.min(since, columns.since[row]!);
    }
    return since;
  }
}

/** The last row that begins at the number or before it, -1 if there is none. */
function lastFrom(from: Float64Array, n: number): number {
  let low = 0;
  let high = from.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (from[middle]! <= n) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
