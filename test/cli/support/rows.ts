/** Reads the rows of a file with this content. */
import { type Format, type Row, readRows } from '../../../cli/import/rows.ts';
import { write } from './workspace.ts';

export async function rowsOf(name: string, content: string | Uint8Array, format?: Format): Promise<Row[]> {
  const rows: Row[] = [];
  await readRows({ path: write(name, content), format }, (row) => rows.push(row));
  return rows;
}

/** Each row in short form: its line, and its number or its damage. */
export async function rowTexts(
  name: string,
  content: string | Uint8Array,
  format?: Format,
): Promise<string[]> {
  const rows = await rowsOf(name, content, format);
  return rows.map(({ line, number, damage }) =>
    damage === null ? `${line} ${number}` : `${line} ! ${damage}`,
  );
}
