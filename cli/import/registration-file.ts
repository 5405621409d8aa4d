/**
 * Cuts a CSV of registrations into pieces that the service accepts, each with the header. This file checks only the encoding,
 * the header and the length of lines. The service reads the lines.
 */
import { csvFields } from '../../shared/csv.ts';
import {
  IMPORT_BODY_BYTES_MAX,
  IMPORT_ROWS_MAX,
  REGISTRATIONS_MAX,
} from '../../shared/limits/registrations.ts';
import { readHeader } from '../../shared/senders/registration-csv.ts';
import { CommandFailure, unwrap } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { LINE_CHARS_MAX, readLines } from './lines.ts';

/** Consecutive lines of a file. */
export interface Piece {
  /** Number of the first line in the file. */
  readonly firstLine: number;
  readonly lines: readonly string[];
}

export interface RegistrationFile {
  readonly sha256: string;
  readonly header: string;
  readonly pieces: readonly Piece[];
  /** Number of lines that are not blank. */
  readonly rows: number;
}

/** @throws CommandFailure that names the line, or the column of the header */
export async function readRegistrations(path: string): Promise<RegistrationFile> {
  let header: string | null = null;
  let rows = 0;
  const pieces: { firstLine: number; lines: string[] }[] = [];
  let bytes = 0;
  const take = (text: string | null, line: number): void => {
    if (text === null)
      throw new CommandFailure(`${path}: line ${line} is longer than ${LINE_CHARS_MAX} characters`);
    if (header === null) {
      if (text.trim() === '') return;
      checkHeader(path, line, text);
      header = text;
      return;
    }
    if (text.trim() === '' && pieces.length === 0) return;
    let piece = pieces.at(-1);
    const own = Buffer.byteLength(text) + 1;
    if (
      piece === undefined ||
      piece.lines.length === IMPORT_ROWS_MAX ||
      bytes + own > IMPORT_BODY_BYTES_MAX
    ) {
      piece = { firstLine: line, lines: [] };
      pieces.push(piece);
      bytes = Buffer.byteLength(header) + 1;
    }
    piece.lines.push(text);
    bytes += own;
    if (text.trim() !== '') rows++;
    if (rows > REGISTRATIONS_MAX) {
      const most = `at most ${count(REGISTRATIONS_MAX)} registrations, as many as an organisation may have`;
      throw new CommandFailure(`${path}: a file may have ${most}: split the file`);
    }
  };
  const sha256 = await readLines(path, () => ({ take }));
  if (header === null) throw new CommandFailure(`${path}: is empty: a header is required`);
  if (rows === 0) throw new CommandFailure(`${path}: has no registrations, only a header`);
  return { sha256, header, pieces, rows };
}

function checkHeader(path: string, line: number, text: string): void {
  const header = readHeader(csvFields(text));
  if (!header.ok) unwrap({ ...header, message: `${path}: line ${line}: ${header.message}` });
}
