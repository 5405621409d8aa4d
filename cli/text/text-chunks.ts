/**
 * Reads a file of texts as UTF-8, in chunks. If a file is something else, the error names its format. If a file is damaged, the
 * error names the damaged line.
 */
import { isUtf8 } from 'node:buffer';
import { createReadStream, statSync } from 'node:fs';
import { CommandFailure, describeFileError } from '../failure.ts';
import { checkStart, type FileStart, readStart, Utf8Check } from '../import/encoding.ts';
import { shellWord } from '../terminal/shell-word.ts';

const LF = 0x0a;
/** A longer line is the damaged one, because no text has such a line. */
const LINE_BYTES_MAX = 1 << 20;

/** @param onProgress called with the share of the file that was read @throws CommandFailure with the path */
export async function* textChunks(
  path: string,
  onProgress: (share: number) => void = () => undefined,
): AsyncGenerator<string> {
  let start: FileStart;
  let size: number;
  try {
    size = statSync(path).size;
    start = readStart(path);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
  if (start.isGzip)
    throw new CommandFailure(`${path}: is gzipped: unpack it first: gunzip -k ${shellWord(path)}`);
  checkStart(start);
  const encoding = new Utf8Check(start);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let [bytes, lines] = [0, 0];
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
      // Check this first, because it can name the encoding.
      encoding.push(chunk, lines);
      for (const byte of chunk) if (byte === LF) lines++;
      bytes += chunk.length;
      yield decoder.decode(chunk, { stream: true });
      onProgress(bytes / size);
    }
    encoding.end(lines);
    yield decoder.decode();
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    if (!(error instanceof TypeError)) throw new CommandFailure(`${path}: ${describeFileError(error)}`);
    throw new CommandFailure(
      `${path}, line ${await firstDamagedLine(path)}: is not UTF-8: export the file again, or remove the line`,
    );
  }
}

/** Finds the damage by reading the file again, line by line. Only a damaged file needs that. */
async function firstDamagedLine(path: string): Promise<number> {
  let line = 1;
  let begun: Uint8Array = new Uint8Array();
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      if (!isUtf8(Buffer.concat([begun, chunk.subarray(from, end)]))) return line;
      begun = new Uint8Array();
      from = end + 1;
      line++;
    }
    begun = Buffer.concat([begun, chunk.subarray(from)]);
    if (begun.length > LINE_BYTES_MAX) return line;
  }
  return line;
}
