/**
 * The bulk upload of registrations, piece by piece: a header and lines of CSV as `POST …/registrations/import` gets
 * them, and what it returns for each line.
 */
import { csvFields } from '../csv.ts';
import { nameOf } from '../fields.ts';
import { IMPORT_ROWS_MAX } from '../limits/registrations.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { validateJson } from '../validate-json.ts';
import {
  contentSchema,
  type RegistrationContent,
  type RegistrationReason,
  type RegistrationState,
} from './registration.ts';
import { inColumn, readHeader, readRow } from './registration-csv.ts';

/** One line that is not blank. */
export interface ImportLine {
  /** Line number in the file. */
  readonly line: number;
  /** Names the registration that the line creates or changes. */
  readonly reference: string | null;
  /** ID of that registration, for a line without a reference. */
  readonly id: string | null;
  /** Null if the line cannot be a registration; `reasons` says why. */
  readonly content: RegistrationContent | null;
  readonly reasons: readonly RegistrationReason[];
}

export interface ImportOptions {
  /** Submit the registrations for review. */
  readonly submit: boolean;
  /** Store the valid lines even if others are not. */
  readonly skipInvalid: boolean;
  /** Store nothing. */
  readonly dryRun: boolean;
}

/** `unchanged`: the registration already has exactly what the line has. */
export const IMPORT_RESULTS = ['created', 'updated', 'unchanged', 'rejected'] as const;
export type ImportResult = (typeof IMPORT_RESULTS)[number];

/** The result for one line. With `dryRun`, the result that it would have. */
export interface ImportedRow {
  readonly line: number;
  readonly reference: string | null;
  readonly result: ImportResult;
  /** ID of the registration; null if the line was rejected. */
  readonly id: string | null;
  readonly state: RegistrationState | null;
  /** Why the line was rejected. `field` is the column. */
  readonly reasons: readonly RegistrationReason[];
}

export interface ImportDone {
  readonly rows: readonly ImportedRow[];
}

export const REFERENCE_REPEATED = 'REFERENCE_REPEATED';

/** The reason to reject a line with the reference of an earlier line. @param earlier number of that line */
export function repeatedReason(earlier: number): RegistrationReason {
  const detail = `"reference" is also the reference of line ${earlier}`;
  const help = 'give each line its own reference';
  return { field: 'reference', code: REFERENCE_REPEATED, detail, help };
}

/** Why a piece cannot be read. */
export interface CsvError extends Failure<'CSV_INVALID' | 'ITEMS_TOO_MANY'> {
  /** The column, if it is wrong. */
  readonly field?: string;
  readonly line: number;
}

/** Decoders insert it for bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD';

/** @param text a header and lines @param firstLine number of the line after the header */
export function readPiece(text: string, firstLine: number): Result<readonly ImportLine[], CsvError> {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const columns = readHeader(csvFields(header));
  if (!columns.ok) return { ...columns, line: 1, message: `line 1: ${columns.message}` };
  const wrong = lines.findIndex((line) => line.includes(REPLACEMENT));
  if (wrong !== -1) {
    const line = firstLine + wrong;
    return {
      ok: false,
      code: 'CSV_INVALID',
      line,
      message: `line ${line} is not UTF-8: save the file as UTF-8`,
    };
  }
  if (lines.length > IMPORT_ROWS_MAX) {
    const message = `a piece may have at most ${IMPORT_ROWS_MAX} lines after its header: send several`;
    return { ok: false, code: 'ITEMS_TOO_MANY', line: firstLine + IMPORT_ROWS_MAX, message };
  }
  const read = lines.flatMap((line, index) =>
    line.trim() === '' ? [] : [readLine(columns.value, line, firstLine + index)],
  );
  return ok(read);
}

function readLine(columns: Parameters<typeof readRow>[0], text: string, line: number): ImportLine {
  const nothing = { line, reference: null, id: null, content: null };
  const row = readRow(columns, csvFields(text));
  if (!row.ok) {
    const help = 'correct the line';
    return { ...nothing, reasons: [{ field: row.field, code: row.code, detail: row.message, help }] };
  }
  const { id = null, ...written } = row.value;
  const reference = written.reference ?? null;
  const content = validateJson(contentSchema, written);
  const reasons: RegistrationReason[] = [];
  if (reference === null && id === null) {
    const help = 'give each line a reference: a repeated upload finds the registration by its reference';
    reasons.push({ field: 'reference', code: 'FIELD_MISSING', detail: '"reference" is missing', help });
  }
  if (!content.ok) {
    const field = content.path.join('.');
    const [name, index] = content.path;
    const client = name === 'clients' && typeof index === 'number' ? written.clients?.[index] : undefined;
    const what = client === undefined ? '' : `names "${nameOf(client)}", which `;
    const help = content.code === 'FIELD_MISSING' ? 'fill in the column' : 'send a value that is allowed';
    reasons.push(
      inColumn({ field, code: content.code, detail: `"${field}" ${what}${content.message}`, help }),
    );
  }
  return { line, reference, id, content: content.ok && reasons.length === 0 ? content.value : null, reasons };
}
