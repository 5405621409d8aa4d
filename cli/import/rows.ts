/**
 * Reads an input file as rows: CSV with a header, NDJSON, or plain text with one number per line, each
 * optionally gzipped.
 */
import { csvFields } from '../../shared/csv.ts';
import { isRecord } from '../../shared/fields.ts';
import { CommandFailure, quoted } from '../failure.ts';
import { LINE_CHARS_MAX, type LineReader, readLines, type TakeLine } from './lines.ts';

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
 * Passes each row to `each`, in order. Rows are handled synchronously, because there may be ten million.
 * @returns the SHA-256 of the file as it was read
 * @param onProgress called with the share of the file that was read
 * @param takeLine called first for plain-text lines, except for the first line and lines that span chunks; a line that it
 * handles creates no string and no row
 */
export async function readRows(
  input: InputFile,
  each: (row: Row) => void,
  onProgress: (share: number) => void = () => undefined,
  takeLine?: TakeLine,
): Promise<string> {
  const csv = new CsvReader(input.path);
  const readers = { csv: csv.read, ndjson: jsonRow, plain: plainRow };
  const readerOf = (): LineReader => {
    const format = formatOf(input);
    const take = (text: string | null, line: number): void => {
      const row =
        text === null
          ? damaged(line, `is longer than ${LINE_CHARS_MAX} characters`)
          : readers[format](text, line);
      if (row !== null) each(row);
    };
    return { take, takeLine: format === 'plain' ? takeLine : undefined };
  };
  const digest = await readLines(input.path, readerOf, onProgress);
  if (formatOf(input) === 'csv') csv.end();
  return digest;
}

/** Reads the lines of one CSV. The first non-blank line is the header. */
class CsvReader {
  readonly #path: string;
  #columns: readonly string[] | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  read: RowReader = (text, line) => {
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
type RowReader = (text: string, line: number) => Row | null;

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
