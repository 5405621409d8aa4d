/**
 * Splits a byte stream into lines of bounded length. LF ends a line, a CR before it is dropped, and a last line without
 * LF counts. A line that is too long becomes null and is not buffered. Bytes that are not UTF-8 become U+FFFD.
 */

const REPLACEMENT = '\ufffd';
const REPLACEMENT_BYTES = [0xef, 0xbf, 0xbd] as const;

export class LineSplitter {
  readonly #charsMax: number;
  readonly #decoder = new TextDecoder();
  /** Whether any bytes so far were not UTF-8. Only then can a U+FFFD in a line stand for such bytes. */
  hasMalformed = false;
  /** The last bytes, because a character may begin in one chunk and end in the next. */
  #lastBytes: readonly number[] = [];
  /** Start of the line whose end has not arrived yet. */
  #carry = '';
  #overlong = false;

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  /** Returns the lines that this chunk completes. */
  push(chunk: Uint8Array): (string | null)[] {
    const text = this.#decoder.decode(chunk, { stream: true });
    this.#noteMalformed(text, chunk);
    this.#lastBytes = [...this.#lastBytes, ...chunk.subarray(-2)].slice(-2);
    return this.#split(text);
  }

  /** Returns the last line, if it has no LF. */
  end(): (string | null)[] {
    const text = this.#decoder.decode();
    this.#noteMalformed(text, new Uint8Array());
    const lines = this.#split(text);
    if (this.#carry !== '' || this.#overlong) lines.push(this.#take(''));
    return lines;
  }

  /** Compares the count of decoded U+FFFD with the count of those that were sent as such. */
  #noteMalformed(text: string, chunk: Uint8Array): void {
    if (this.hasMalformed || !text.includes(REPLACEMENT)) return;
    const bytes = Uint8Array.from([...this.#lastBytes, ...chunk]);
    const [first, second, third] = REPLACEMENT_BYTES;
    let sent = 0;
    for (let at = 2; at < bytes.length; at++)
      if (bytes[at] === third && bytes[at - 1] === second && bytes[at - 2] === first) sent++;
    this.hasMalformed = text.split(REPLACEMENT).length - 1 !== sent;
  }

  #split(text: string): (string | null)[] {
    const ends = text.split('\n');
    const rest = ends.pop()!;
    const lines = ends.map((end) => this.#take(end));
    this.#carry += rest;
    // The last character may be the CR of a line end whose LF has not arrived yet.
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
