/**
 * One line of CSV (RFC 4180) as its fields. A field never goes on in the next line: so a lost quote
 * costs its own line, swallows none of those behind it, and line numbers are those of an editor.
 */
import { parse } from 'csv-parse/sync';

/** The fields, without space around them; null where quotes do not match. O(length). */
export function csvFields(line: string): string[] | null {
  // The common case: the parser is made for whole files, and costs more a call than a line is worth.
  if (!line.includes('"')) return line.split(',').map((field) => field.trim());
  try {
    return parse(line, { trim: true })[0]?.map((field) => field.trim()) ?? null;
  } catch {
    return null;
  }
}
