/**
 * Reads the lines of an input file, which may be gzipped. It streams, so a file may be larger than memory. If a file is not
 * text in UTF-8, the error names its format.
 */
import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream, statSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { GZIP_FREE_BYTES, GZIP_RATIO_MAX } from '../../shared/limits/lists.ts';
import { LineSplitter } from '../../shared/line-splitter.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { checkStart, type FileStart, readStart, Utf8Check } from './encoding.ts';

/** Longest line of an input, in characters. */
export const LINE_CHARS_MAX = 4_096;

const LF = 0x0a;

/**
 * Receives a line in bytes, without its LF. @returns whether it handled the line; if so, `take` does not get it
 */
export type TakeLine = (bytes: Uint8Array, from: number, to: number) => boolean;

/** Receives the lines of a file. */
export interface LineReader {
  /** @param text null if the line is longer than LINE_CHARS_MAX @param line 1 for the first line of the file */
  readonly take: (text: string | null, line: number) => void;
  /** Called before `take`, except for the first line and lines that span chunks. A line that it handles creates no string. */
  readonly takeLine?: TakeLine | undefined;
}

/**
 * Passes each line on, in order and synchronously, because a file may have ten million.
 * @param readerOf called once the file is known to be text
 * @param onProgress called with the share of the file that was read
 * @returns the SHA-256 of the file as it was read
 * @throws CommandFailure with the path
 */
export async function readLines(
  path: string,
  readerOf: () => LineReader,
  onProgress: (share: number) => void = () => undefined,
): Promise<string> {
  let size: number;
  let start: FileStart;
  try {
    size = statSync(path).size;
    start = readStart(path);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
  checkStart(start);
  const reader = readerOf();
  const { isGzip } = start;
  if (!isGzip && /\.gz$/i.test(path)) throw new CommandFailure(`${path}: is named .gz but is not gzipped`);
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  const hash = createHash('sha256');
  let bytes = 0;
  file.on('data', (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
    onProgress(size === 0 ? 1 : bytes / size);
  });
  try {
    await splitLines(isGzip ? unpacked(file, path) : file, new Utf8Check(start), reader);
    // gunzip stops at padding after the last member. The digest covers the padding, too.
    if (!file.readableEnded) await finished(file.unpipe().resume());
    return hash.digest('hex');
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  } finally {
    file.destroy();
  }
}

/** Unpacks a gzipped file. Fails if its compression ratio is not plausible. */
async function* unpacked(file: ReadStream, path: string): AsyncGenerator<Uint8Array> {
  const gunzip: Gunzip = file.pipe(createGunzip());
  file.on('error', (error) => gunzip.destroy(error));
  let bytes = 0;
  for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > GZIP_FREE_BYTES && bytes > GZIP_RATIO_MAX * gunzip.bytesWritten) {
      const soFar = `${Math.floor(bytes / 1_048_576)} MiB out of its first ${count(gunzip.bytesWritten)} bytes`;
      throw new CommandFailure(
        `${path}: unpacks to more than ${GZIP_RATIO_MAX} times its size (${soFar}), more than any list. ` +
          `If it is correct, unpack it first: gunzip -k ${path}`,
      );
    }
    yield chunk;
  }
}

async function splitLines(
  content: AsyncIterable<Uint8Array>,
  encoding: Utf8Check,
  { take: takeText, takeLine = () => false }: LineReader,
): Promise<void> {
  const splitter = new LineSplitter(LINE_CHARS_MAX);
  let line = 0;
  const take = (text: string | null): void => takeText(text, ++line);
  const split = (bytes: Uint8Array): void => {
    for (const text of splitter.push(bytes)) take(text);
  };
  // The first line goes to the splitter, because a byte order mark may precede it.
  let isWhole = false;
  for await (const chunk of content) {
    encoding.push(chunk, line);
    /** Bytes before `done` are handled. Bytes from `done` to `from` go to the splitter. */
    let done = 0;
    let from = 0;
    for (let end = lineEnd(chunk, from); end !== -1; end = lineEnd(chunk, from)) {
      if (isWhole && takeLine(chunk, from, end)) {
        if (done < from) split(chunk.subarray(done, from));
        line++;
        done = end + 1;
      }
      from = end + 1;
      isWhole = true;
    }
    if (from < chunk.length) isWhole = false;
    split(chunk.subarray(done));
  }
  encoding.end(line);
  for (const text of splitter.end()) take(text);
}

/** Index of the next LF, or -1. Lines are short: a byte loop takes two thirds of the time of `indexOf`. */
function lineEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) if (bytes[at] === LF) return at;
  return -1;
}
