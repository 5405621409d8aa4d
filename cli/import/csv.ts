/**
 * Splits one line of CSV (RFC 4180) into fields. A field never continues on the next line, so a stray quote
 * damages only its own line, and line numbers match those of an editor.
 */
import { createRequire } from 'node:module';

/** Loads the parser only for a line with quotes. */
const load = createRequire(import.meta.url);

/** The fields, trimmed. Null if quotes do not match. O(length). */
export function csvFields(line: string): string[] | null {
  // The common case. The parser is made for whole files, and a call costs too much for a single line.
  if (!line.includes('"')) return line.split(',').map((field) => field.trim());
  const { parse } = load('csv-parse/sync') as typeof import('csv-parse/sync');
  try {
    return parse(line, { trim: true })[0]?.map((field) => field.trim()) ?? null;
  } catch {
    return null;
  }
}
