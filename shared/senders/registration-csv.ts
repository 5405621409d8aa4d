/**
 * Registrations as lines of CSV, for the bulk upload and the export. What the export writes can be uploaded again.
 *
 * `proofs` has one proof after another, separated by `;`, each `kind:sha256:expires:reference`; the last two may be
 * missing. Times are RFC 3339, or a date, which is the start of that day in Korea.
 */
import { csvLine } from '../csv.ts';
import { nameOf } from '../fields.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { isDay } from '../schemas.ts';
import type { RegistrationReason } from './registration.ts';

/** Columns that an upload reads. */
const WRITTEN_COLUMNS = [
  'reference',
  'number',
  'basis',
  'holderKind',
  'holder',
  'clients',
  'proofs',
  'expires',
] as const;
/** Columns that only the export writes. An upload uses `id` for a line without a reference, and ignores the others. */
const SHOWN_COLUMNS = ['id', 'state', 'endsAt'] as const;
export const CSV_COLUMNS = [...WRITTEN_COLUMNS, ...SHOWN_COLUMNS] as const;
type Column = (typeof CSV_COLUMNS)[number];

/** Columns in which each row needs a value. Without one of them, no row could be a registration. */
const REQUIRED_COLUMNS: readonly Column[] = [
  'reference',
  'number',
  'basis',
  'holderKind',
  'holder',
  'clients',
];

/** Why a header is invalid. `field` is the column. */
export interface CsvHeaderError extends Failure<'CSV_INVALID'> {
  readonly field?: string;
}

/** @param cells of the first line */
export function readHeader(cells: readonly string[] | null): Result<readonly Column[], CsvHeaderError> {
  const invalid = (message: string, field?: string): CsvHeaderError => ({
    ...{ ok: false, code: 'CSV_INVALID', message: `the header ${message}` },
    ...(field === undefined ? {} : { field }),
  });
  if (cells === null) return invalid('has quotes that do not match');
  const [, separator] = (cells.length === 1 && /([;\t|])/.exec(cells[0]!)) || [];
  if (separator !== undefined) {
    const name = separator === '\t' ? 'tabs' : `"${separator}"`;
    return invalid(`separates its columns with ${name}: save the file with commas between the columns`);
  }
  const columns: Column[] = [];
  for (const cell of cells) {
    const column = CSV_COLUMNS.find((name) => name.toLowerCase() === cell.toLowerCase());
    if (column === undefined) {
      const name = nameOf(cell);
      return invalid(`has the unknown column "${name}"; columns are ${WRITTEN_COLUMNS.join(', ')}`, name);
    }
    if (columns.includes(column)) return invalid(`has the column "${column}" twice`, column);
    columns.push(column);
  }
  const missing = REQUIRED_COLUMNS.find((column) => !columns.includes(column));
  if (missing === undefined) return ok(columns);
  return invalid(`has no column "${missing}"; the first line must name the columns`, missing);
}

/** The content of a row, of which only the form was checked. The names are those of a request. */
export interface WrittenRegistration {
  /** ID of the registration that the row changes, if the row has no reference. */
  readonly id?: string;
  readonly reference?: string;
  readonly number?: string;
  readonly basis?: string;
  readonly holder?: { readonly kind?: string; readonly name?: string };
  readonly clients?: readonly string[];
  readonly proofs?: readonly WrittenProof[];
  readonly expires?: string;
}

interface WrittenProof {
  readonly kind: string;
  readonly sha256: string;
  readonly expires?: string;
  readonly reference?: string;
}

/** Why a cell does not fit its column. */
export interface CellError extends Failure<'CSV_INVALID'> {
  readonly field: string;
}

/** @param cells of one line; null if its quotes do not match */
export function readRow(
  columns: readonly Column[],
  cells: readonly string[] | null,
): Result<WrittenRegistration, CellError> {
  if (cells === null)
    return cellError('line', 'has quotes that do not match, or that continue on the next line');
  // Spreadsheets omit empty cells at the end or add some. Any other extra cell means that the columns are shifted.
  if (cells.slice(columns.length).some((cell) => cell !== ''))
    return cellError('line', `has ${cells.length} fields, but the header has ${columns.length}`);
  const cell = (column: Column): string => cells[columns.indexOf(column)] ?? '';
  const text = (column: Column): string | undefined => withoutGuard(cell(column)) || undefined;
  const proofs = readProofs(cell('proofs'));
  if (!proofs.ok) return proofs;
  const kind = text('holderKind');
  const name = text('holder');
  const clients = cell('clients')
    .split(/[\s;]+/)
    .filter((each) => each !== '');
  const expires = cell('expires');
  const reference = text('reference');
  return ok(
    given({
      id: reference === undefined ? text('id') : undefined,
      reference,
      number: text('number'),
      basis: text('basis'),
      holder: kind === undefined && name === undefined ? undefined : given({ kind, name }),
      clients: clients.length === 0 ? undefined : clients,
      proofs: proofs.value.length === 0 ? undefined : proofs.value,
      expires: expires === '' ? undefined : timeOf(expires),
    }),
  );
}

/** The column that holds a field of a request, such as `holderKind` for `holder.kind`. */
export function columnOf(field: string): string {
  if (field === 'holder.kind') return 'holderKind';
  return field.split(/[.[]/, 1)[0]!;
}

/** Names the column in a reason, in place of the field of a request. */
export function inColumn(reason: RegistrationReason): RegistrationReason {
  const { field, detail } = reason;
  const column = columnOf(field);
  const [, index, part] = /^proofs\.(\d+)(?:\.(\w+))?$/.exec(field) ?? [];
  const document =
    index === undefined ? '' : `, document ${Number(index) + 1}${part === undefined ? '' : `, ${part}`},`;
  return { ...reason, field: column, detail: detail.replace(`"${field}"`, () => `"${column}"${document}`) };
}

const PROOF =
  /^(\w+):([0-9a-fA-F]+)(?::(\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?)?(?::(.*))?)?$/;

function readProofs(cell: string): Result<readonly WrittenProof[], CellError> {
  const proofs: WrittenProof[] = [];
  for (const part of cell.split(';').map((each) => each.trim())) {
    if (part === '') continue;
    const match = PROOF.exec(part);
    if (match === null) {
      const form = 'must have proofs in the form kind:sha256:expires:reference, separated by ";"';
      return cellError('proofs', form);
    }
    const [, kind = '', sha256 = '', expires, reference = ''] = match;
    proofs.push(
      given({
        kind,
        sha256: sha256.toLowerCase(),
        expires: expires === undefined ? undefined : timeOf(expires),
        reference: reference.trim() === '' ? undefined : decoded(reference.trim()),
      }),
    );
  }
  return ok(proofs);
}

/** @param detail continues the sentence after the name of the field */
function cellError(field: string, detail: string): CellError {
  return { ok: false, code: 'CSV_INVALID', field, message: `"${field}" ${detail}` };
}

/** Returns a text that is not a day unchanged, so that validation rejects it and names the field. */
function timeOf(text: string): string {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text) && isDay(text);
  return isDate ? new Date(`${text}T00:00:00+09:00`).toISOString() : text;
}

/** Removes the fields that are undefined. */
function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };
}

/** A registration as the export writes it. */
export interface ShownRegistration {
  readonly id: string;
  readonly state: string;
  readonly reference?: string | null;
  readonly number: string;
  readonly basis: string;
  readonly holder: { readonly kind: string; readonly name: string };
  readonly clients: readonly string[];
  readonly proofs: readonly { [Name in keyof WrittenProof]: WrittenProof[Name] | null }[];
  readonly expires?: string | null;
  readonly endsAt?: string | null;
}

/** One line of the export, without its end. */
export function csvOf(registration: ShownRegistration): string {
  const { id, state, reference, number, basis, holder, clients, proofs, expires, endsAt } = registration;
  const cells: Record<Column, string> = {
    ...{ id, state, number, basis, holderKind: holder.kind },
    reference: withGuard(reference ?? ''),
    holder: withGuard(holder.name),
    clients: clients.join(' '),
    proofs: proofs.map(formatProof).join('; '),
    ...{ expires: expires ?? '', endsAt: endsAt ?? '' },
  };
  return csvLine(CSV_COLUMNS.map((column) => cells[column]));
}

function formatProof({ kind, sha256, expires, reference }: ShownRegistration['proofs'][number]): string {
  const parts = [kind, sha256, expires ?? '', encoded(reference ?? '')];
  return parts.join(':').replace(/:+$/, '');
}

/** Escapes a reference, because it may contain a separator. */
function encoded(reference: string): string {
  return reference.replace(
    /[%;]|:$/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decoded(reference: string): string {
  return reference.replace(/%(25|3A|3B)/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Apostrophes, then the start of a formula, also in the full-width form of Korean and Japanese keyboards. */
const FORMULA = /^'*[=+\-@＝＋－＠]/;

/**
 * Spreadsheets run a cell that begins like a formula. An apostrophe in front prevents that. It is removed when the line
 * is read.
 */
export function withGuard(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

function withoutGuard(text: string): string {
  return text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
}
