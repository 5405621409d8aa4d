/** Splits a stream of bytes into lines, in constant memory. */

/** Longest line that is kept, in UTF-16 units. The service accepts less, so it rejects a cut line. */
const LINE_CHARS_MAX = 65_536;

/**
 * Reads lines of UTF-8, such as an NDJSON file or the body of a response. LF or CRLF ends a line; the last
 * line needs no line end. A line of more than 65,536 characters is cut there.
 * @throws what the stream throws
 */
export async function* linesOf(
  bytes: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let line = '';
  for await (const chunk of chunksOf(bytes)) {
    const [first, ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    line = joined(line, first!);
    for (const next of rest) {
      yield line.replace(/\r$/, '');
      line = joined('', next);
    }
  }
  line = joined(line, decoder.decode());
  if (line !== '') yield line.replace(/\r$/, '');
}

function joined(line: string, more: string): string {
  return line.length + more.length <= LINE_CHARS_MAX ? line + more : (line + more).slice(0, LINE_CHARS_MAX);
}

/** Not every browser can iterate a ReadableStream. */
async function* chunksOf(
  bytes: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!('getReader' in bytes)) return yield* bytes;
  const reader = bytes.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Has no effect on a stream that has ended. The reader of a broken stream rejects.
    await reader.cancel().catch(() => undefined);
  }
}
