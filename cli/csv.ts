/**
 * One line of CSV (RFC 4180) as its fields. A field never goes on in the next line: so a lost quote
 * costs its own line, swallows none of those behind it, and line numbers are those of an editor.
 */

/** A quoted field with what ends it, or a plain one. */
const FIELD = /\s*"((?:[^"]|"")*)"\s*(,|$)|([^",]*)(,|$)/y;

/** The fields, without space around them; null where quotes do not match. O(length). */
export function csvFields(line: string): string[] | null {
  if (!line.includes('"')) return line.split(',').map((field) => field.trim());
  const fields: string[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const match = FIELD.exec(line);
    if (match === null) return null;
    const [, quoted, quotedEnd, plain = '', plainEnd] = match;
    fields.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if ((quotedEnd ?? plainEnd) === '') return fields;
  }
}
