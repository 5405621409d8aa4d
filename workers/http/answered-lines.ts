/**
 * A response that answers each line of a body as it arrives, in constant memory. Nothing is read until the
 * client reads answers, so backpressure reaches the sender.
 */
import { LineSplitter } from '../../shared/line-splitter.ts';
import type { BytesReader } from './gunzip.ts';

/** Maximum bytes per read. */
const CHUNK_BYTES = 65_536;

/** Stands for a line that is not UTF-8. It is neither JSON nor a number, so the line is refused as invalid. */
const NOT_UTF8 = '\ufffd';

export interface LineAnswers {
  /**
   * Enqueues an answer for each line.
   * @param lines null for a line that is too long, NOT_UTF8 for a line that is not UTF-8
   * @param bytes size of the piece of the body that completes the lines
   */
  answer(
    lines: readonly (string | null)[],
    bytes: number,
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void>;
  /** The answer in place of all lines that can no longer be read. */
  readonly brokenOff: () => string;
}

/** @param reader null if there is no body @param charsMax maximum characters of a line */
export function answerLines(
  reader: BytesReader | null,
  charsMax: number,
  { answer, brokenOff }: LineAnswers,
): ReadableStream<Uint8Array> {
  const splitter = new LineSplitter(charsMax);
  // Read into our own buffer: piped data arrives in 4 KB chunks, and each chunk costs as much as about 30
  // lines.
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Loop until there is output: the runtime does not repeat a pull that enqueues nothing.
        for (let given = false; !given; ) {
          const piece = await nextPiece(reader, buffer);
          if (piece === 'broken') {
            controller.enqueue(new TextEncoder().encode(brokenOff()));
            controller.close();
            return;
          }
          const lines = readable(piece === null ? splitter.end() : splitter.push(piece), splitter);
          await answer(lines, piece?.byteLength ?? 0, controller);
          given = lines.length > 0;
          if (piece === null) {
            controller.close();
            return;
          }
          buffer = piece.buffer;
        }
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function readable(
  lines: readonly (string | null)[],
  { hasMalformed }: LineSplitter,
): readonly (string | null)[] {
  if (!hasMalformed) return lines;
  return lines.map((line) => (line?.includes(NOT_UTF8) === true ? NOT_UTF8 : line));
}

/** The next bytes of the body; null at its end. */
async function nextPiece(
  reader: BytesReader | null,
  buffer: ArrayBuffer,
): Promise<Uint8Array<ArrayBuffer> | null | 'broken'> {
  if (reader === null) return null;
  try {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    return done ? null : value;
  } catch {
    return 'broken';
  }
}
