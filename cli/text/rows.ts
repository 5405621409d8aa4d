/** Rows of whole numbers below 2^32, each of its own length, in a few large arrays: 4 bytes per number. Append only. */

/** Numbers in an array of 16 MiB. */
const CHUNK = 1 << 22;

export class Rows {
  readonly #chunks: Uint32Array[] = [];
  /** Numbers that are used in the last chunk. */
  #used = CHUNK;
  /** Place of each row: chunk, start and end. */
  readonly #places: { readonly chunk: number[]; readonly start: number[]; readonly end: number[] } = {
    ...{ chunk: [], start: [], end: [] },
  };

  get count(): number {
    return this.#places.chunk.length;
  }

  /** Copies the row. @throws RangeError on a row that is longer than an array */
  add(row: Uint32Array): void {
    if (row.length > CHUNK) throw new RangeError(`rows: a row of ${row.length}`);
    if (this.#used + row.length > CHUNK) {
      this.#chunks.push(new Uint32Array(CHUNK));
      this.#used = 0;
    }
    const { chunk, start, end } = this.#places;
    this.#chunks.at(-1)!.set(row, this.#used);
    chunk.push(this.#chunks.length - 1);
    start.push(this.#used);
    this.#used += row.length;
    end.push(this.#used);
  }

  /** The row in place. Do not change it. */
  row(index: number): Uint32Array {
    const { chunk, start, end } = this.#places;
    return this.#chunks[chunk[index]!]!.subarray(start[index], end[index]);
  }
}
