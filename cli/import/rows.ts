/**
 * Reads an input file as rows: CSV with a header, NDJSON, or plain text with one number per line, each
 * optionally gzipped. It streams, so a file may be larger than memory.
 */
import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream, statSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { csvFields } from '../../shared/csv.ts';
import { isRecord } from '../../shared/fields.ts';
import { GZIP_FREE_BYTES, GZIP_RATIO_MAX } from '../../shared/limits/lists.ts';
import { LineSplitter } from '../../shared/line-splitter.ts';
import { CommandFailure, describeFileError, quoted } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { checkStart, type FileStart, readStart, Utf8Check } from './encoding.ts';

export const FORMATS = ['csv', 'ndjson', 'plain'] as const;
export type Format = (typeof FORMATS)[number];

/** Columns and fields that have a meaning. `note` is for people. */
const COLUMNS = ['number', 'reason', 'since', 'until', 'authority', 'note'] as const;

/** One line of input. Empty strings stand for absent values. */
export interface Row {
  /** 1 for the first line of the file. */
  readonly line: number;
  readonly number: string;
  readonly reason: string;
  readonly since: string;
  readonly until: string;
  readonly authority: string;
  /** Why the line is not a row, or null. */
  readonly damage: string | null;
}

/** Longest line of an input, in characters. */
const LINE_CHARS_MAX = 4_096;

const LF = 0x0a;

const EMPTY = { number: '', reason: '', since: '', until: '', authority: '', damage: null };

function damaged(line: number, damage: string): Row {
  return { ...EMPTY, line, damage };
}

export interface InputFile {
  readonly path: string;
  readonly format?: Format | undefined;
}

/** The given format, or the format by the file extension. */
function formatOf({ path, format }: InputFile): Format {
  if (format !== undefined) return format;
  const name = path.replace(/\.gz$/i, '').toLowerCase();
  if (name.endsWith('.csv')) return 'csv';
  if (name.endsWith('.ndjson') || name.endsWith('.jsonl')) return 'ndjson';
  if (name.endsWith('.txt')) return 'plain';
  throw new CommandFailure(
    `${path}: the name does not show the format: name it .txt, .csv or .ndjson, or set "format" in the catalogue`,
  );
}

/**
 * Receives a plain-text line in bytes, without its LF. @returns whether it handled the line; if so, the line
 * makes no row
 */
export type TakeLine = (bytes: Uint8Array, from: number, to: number) => boolean;

/**
 * Passes each row to `each`, in order. Rows are handled synchronously, because there may be ten million.
 * @returns the SHA-256 of the file as it was read
 * @param onProgress called with the share of the file that was read
 * @param takeLine called first for every plain-text line except the first one; a line that it handles creates
 * no string and no row
 */
export async function readRows(
  input: InputFile,
  each: (row: Row) => void,
  onProgress: (share: number) => void = () => undefined,
  takeLine?: TakeLine,
): Promise<string> {
  const { path } = input;
  let size: number;
  let start: FileStart;
  try {
    size = statSync(path).size;
    start = readStart(path);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
  checkStart(start);
  const { isGzip } = start;
  const format = formatOf(input);
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
    const content = isGzip ? unpacked(file, path) : file;
    const encoding = new Utf8Check(start);
    const csv = new CsvReader(path);
    const readers = { csv: csv.read, ndjson: jsonRow, plain: plainRow };
    await readLines(content, encoding, readers[format], each, format === 'plain' ? takeLine : undefined);
    if (format === 'csv') csv.end();
    // gunzip stops at padding after the last member. The digest covers that too.
    if (!file.readableEnded) await finished(file.unpipe().resume());
    return hash.digest('hex');
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  } finally {
    file.destroy();
  }
}

/** The content of a gzipped file, as long as its compression ratio is plausible. */
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

/** Reads the lines of one CSV. The first non-blank line is the header. */
class CsvReader {
  readonly #path: string;
  #columns: readonly string[] | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  read: LineReader = (text, line) => {
    if (text.trim() === '') return null;
    const fields = csvFields(text);
    const columns = this.#columns;
    if (columns === null) {
      this.#columns = checkHeader(this.#path, fields);
      return null;
    }
    if (fields === null) return damaged(line, 'CSV: quotes do not match, or continue on the next line');
    // Spreadsheets omit empty cells at the end or add some. Any other extra cell means that the columns are
    // shifted.
    if (fields.slice(columns.length).some((field) => field !== ''))
      return damaged(line, `CSV: ${fields.length} fields, but the header has ${columns.length}`);
    const row: Record<string, string> = {};
    columns.forEach((name, index) => {
      row[name] = fields[index] ?? '';
    });
    return { ...EMPTY, ...row, line };
  };

  end(): void {
    if (this.#columns === null) throw new CommandFailure(`${this.#path}: is empty: a header is required`);
  }
}

function checkHeader(path: string, fields: readonly string[] | null): string[] {
  if (fields === null) throw new CommandFailure(`${path}: the quotes in the header do not match`);
  const header = fields.map((name) => name.toLowerCase());
  const unknown = header.find((name) => !COLUMNS.some((column) => column === name));
  if (unknown !== undefined) {
    throw new CommandFailure(
      `${path}: unknown column ${quoted(unknown)}; the first line must name columns of ${COLUMNS.join(', ')}`,
    );
  }
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) throw new CommandFailure(`${path}: the header has column "${twice}" twice`);
  if (!header.includes('number')) throw new CommandFailure(`${path}: the header has no column "number"`);
  return header;
}

/** @returns null for a line without a row */
type LineReader = (text: string, line: number) => Row | null;

async function readLines(
  content: AsyncIterable<Uint8Array>,
  encoding: Utf8Check,
  read: LineReader,
  each: (row: Row) => void,
  takeLine: TakeLine = () => false,
): Promise<void> {
  const splitter = new LineSplitter(LINE_CHARS_MAX);
  let line = 0;
  const take = (text: string | null): void => {
    line++;
    const row =
      text === null ? damaged(line, `is longer than ${LINE_CHARS_MAX} characters`) : read(text, line);
    if (row !== null) each(row);
  };
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

/** One number per line. Blank lines and lines that begin with # are ignored. */
function plainRow(text: string, line: number): Row | null {
  const number = text.trim();
  return number === '' || number.startsWith('#') ? null : { ...EMPTY, line, number };
}

function jsonRow(text: string, line: number): Row | null {
  if (text.trim() === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return damaged(line, 'is not JSON');
  }
  if (!isRecord(value)) return damaged(line, 'is not a JSON object');
  for (const [name, field] of Object.entries(value)) {
    if (!COLUMNS.some((column) => column === name)) return damaged(line, `unknown field ${quoted(name)}`);
    if (field !== null && typeof field !== 'string') return damaged(line, `"${name}" must be a string`);
  }
  const given = Object.entries(value).filter(([, field]) => field !== null);
  return { ...EMPTY, ...(Object.fromEntries(given) as Partial<Row>), line };
}
