/**
 * Splits a byte stream into lines of bounded length. LF ends a line, a CR before it is dropped, and a last
 * line without LF counts. A line over the bound becomes null and is not buffered.
 */

export class LineSplitter {
  readonly #charsMax: number;
  readonly #decoder = new TextDecoder();
  /** Start of a line whose end has not arrived yet. */
  #carry = '';
  #overlong = false;

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  /** The lines that this chunk completes. */
  push(chunk: Uint8Array): (string | null)[] {
    return this.#split(this.#decoder.decode(chunk, { stream: true }));
  }

  /** The last line, if it had no LF. */
  end(): (string | null)[] {
    const lines = this.#split(this.#decoder.decode());
    if (this.#carry !== '' || this.#overlong) lines.push(this.#take(''));
    return lines;
  }

  #split(text: string): (string | null)[] {
    const ends = text.split('\n');
    const rest = ends.pop()!;
    const lines = ends.map((end) => this.#take(end));
    this.#carry += rest;
    // The last character may be the CR of a line end that has only partly arrived.
    if (withoutCr(this.#carry).length > this.#charsMax) {
      this.#carry = '';
      this.#overlong = true;
    }
    return lines;
  }

  #take(end: string): string | null {
    const line = withoutCr(this.#carry + end);
    const tooLong = this.#overlong || line.length > this.#charsMax;
    this.#carry = '';
    this.#overlong = false;
    return tooLong ? null : line;
  }
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
