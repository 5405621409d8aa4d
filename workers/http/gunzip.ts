/**
 * Decompresses a body in gzip (RFC 1952), and holds at most the decompressed form of one small piece in memory.
 * The runtime's own pipe has no such limit: it decompresses whatever arrives, whether or not anybody reads it,
 * and 1 MB can become 1 GB.
 */
import { GZIP_EMPTY_BYTES_MAX, GZIP_EXPANSION_MAX, GZIP_PIECE_BYTES } from '../../shared/limits/requests.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Reads bytes into a buffer of the caller, like a BYOB reader. */
export interface BytesReader {
  /** @returns at least one byte unless `done`; `value` gives the buffer back to the caller */
  read(into: Bytes): Promise<ReadableStreamReadResult<Bytes>>;
  cancel(reason?: unknown): Promise<void>;
}

export class GunzipReader implements BytesReader {
  readonly #source: ReadableStreamBYOBReader;
  readonly #input: WritableStreamDefaultWriter;
  readonly #output: ReadableStreamBYOBReader;
  /** The transfer of a piece into the decompressor; null if none is under way. */
  #feeding: Promise<void> | null = null;
  /** Set once the whole body is in the decompressor. Rejects if the body was not one complete gzip member. */
  #end: Promise<void> | null = null;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(body: ReadableStream) {
    const { writable, readable } = new DecompressionStream('gzip');
    this.#source = body.getReader({ mode: 'byob' });
    this.#input = writable.getWriter();
    this.#output = readable.getReader({ mode: 'byob' });
    // Ignore a failure here: the read that it prevents reports it.
    this.#input.closed.catch(() => undefined);
  }

  /** @throws if the body is not one gzip member, ends too early, or is mostly blocks without content */
  async read(into: Bytes): Promise<ReadableStreamReadResult<Bytes>> {
    const output = this.#output.read(into);
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    output.then(settle, settle);
    // Feed another piece only once all output of the previous piece was read.
    while (!isSettled && this.#end === null) await Promise.race([output, this.#feed()]);
    // Several reads may follow the last piece.
    const result = await Promise.race([output, this.#end?.then(() => output) ?? output]);
    if (result.done) await this.#end;
    else this.#bytesOut += result.value.byteLength;
    return result;
  }

  async cancel(reason?: unknown): Promise<void> {
    await Promise.allSettled([this.#source.cancel(reason), this.#input.abort(reason)]);
  }

  #feed(): Promise<void> {
    if (this.#feeding !== null) return this.#feeding;
    const feeding = this.#feedPiece().finally(() => {
      this.#feeding = null;
    });
    feeding.catch(() => undefined);
    this.#feeding = feeding;
    return feeding;
  }

  async #feedPiece(): Promise<void> {
    const { done, value } = await this.#source.read(new Uint8Array(GZIP_PIECE_BYTES));
    if (done) {
      this.#end = this.#input.close();
      await this.#end;
      return;
    }
    this.#bytesIn += value.byteLength;
    // Without this limit, blocks without content would be read without end.
    if (this.#bytesIn > GZIP_EMPTY_BYTES_MAX + GZIP_EXPANSION_MAX * this.#bytesOut) {
      throw new Error('the gzip has too little content');
    }
    await this.#input.write(value);
  }
}
