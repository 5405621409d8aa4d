/**
 * Reads labelled texts: CSV with a header, whose texts may have line breaks, or NDJSON. It streams, and names the wrong rows up
 * to a bound. No error shows any part of a row, because columns can be shifted.
 */
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { isRecord } from '../../shared/fields.ts';
import {
  TRAINING_CHARS_MAX,
  TRAINING_PROBLEMS_SHOWN,
  TRAINING_ROW_BYTES_MAX,
  TRAINING_TEXTS_MAX,
} from '../../shared/limits/text-training.ts';
import { CommandFailure } from '../failure.ts';
import { count, counted } from '../terminal/figures.ts';
import {
  FIELDS,
  type Field,
  type LabelledText,
  type Row,
  type RowSettings,
  textOfRow,
} from './labelled-text.ts';
import { textChunks } from './text-chunks.ts';

const COLUMNS = `text, label, and if known date, domain and campaign`;

/** A row, or what is wrong with a line. */
type ReadRow = { readonly line: number } & ({ readonly row: Row } | { readonly damage: string });

interface Problem {
  readonly file: string;
  readonly line: number;
  readonly field: Field | null;
  readonly message: string;
}

/**
 * The texts of all files, in order.
 * @param onProgress called with the share of all files that was read
 * @throws CommandFailure with the first wrong rows: file, line, field
 */
export async function readLabelledTexts(
  paths: readonly string[],
  settings: RowSettings,
  onProgress: (share: number) => void = () => undefined,
): Promise<LabelledText[]> {
  const texts: LabelledText[] = [];
  const problems: Problem[] = [];
  let [wrong, characters] = [0, 0];
  for (const [index, path] of paths.entries()) {
    const rows = rowsOf(path, (share) => onProgress((index + share) / paths.length));
    for await (const read of rows) {
      const result = 'row' in read ? textOfRow(read.row, settings) : { ok: false as const, ...read };
      if (result.ok) {
        texts.push(result.value);
        characters += result.value.text.length;
      } else if (++wrong <= TRAINING_PROBLEMS_SHOWN)
        problems.push({
          ...{ file: path, line: read.line },
          ...('field' in result
            ? { field: result.field, message: result.message }
            : { field: null, message: result.damage }),
        });
      if (texts.length > TRAINING_TEXTS_MAX || characters > TRAINING_CHARS_MAX)
        throw new CommandFailure(
          `${path}, line ${read.line}: more than ${count(TRAINING_TEXTS_MAX)} texts or ${count(TRAINING_CHARS_MAX)} ` +
            'characters, the most that training can keep in memory: leave out the oldest texts',
        );
    }
  }
  if (wrong > 0) throw wrongRows(problems, wrong);
  return texts;
}

function wrongRows(problems: readonly Problem[], wrong: number): CommandFailure {
  const lines = problems.map(({ file, line, message }) => `${file}, line ${line}: ${message}`);
  const more = wrong > problems.length ? [`and ${counted(wrong - problems.length, 'further row')}`] : [];
  return new CommandFailure([...lines, ...more].join('\n'), 1, { problems, wrong });
}

async function* rowsOf(path: string, onProgress: (share: number) => void): AsyncGenerator<ReadRow> {
  const name = path.toLowerCase();
  const chunks = textChunks(path, onProgress);
  if (name.endsWith('.csv')) yield* csvRows(path, chunks);
  else if (name.endsWith('.ndjson') || name.endsWith('.jsonl')) yield* jsonRows(chunks);
  else {
    await chunks.return(undefined);
    throw new CommandFailure(`${path}: the name does not show the format: name it .csv or .ndjson`);
  }
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

async function* csvRows(path: string, chunks: AsyncGenerator<string>): AsyncGenerator<ReadRow> {
  const parser = parse({
    ...{ bom: true, info: true, relax_column_count: true, skip_empty_lines: true },
    max_record_size: TRAINING_ROW_BYTES_MAX,
  });
  let columns: Field[] | null = null;
  try {
    const records = pipedThrough(chunks, parser) as AsyncIterable<CsvRecord>;
    for await (const { record, info } of records) {
      const line = info.lines;
      if (columns === null) columns = columnsOf(path, record);
      // Spreadsheets omit empty cells at the end or add some. Any other extra cell means that the columns are shifted.
      else if (record.slice(columns.length).some((field) => field !== ''))
        yield {
          line,
          damage: `has ${record.length} fields, but the header has ${columns.length}: quote the text`,
        };
      else yield { line, row: Object.fromEntries(columns.map((name, at) => [name, record[at] ?? ''])) };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The parser's message can hold a part of the row.
    const { code, lines } = error as CsvError & { readonly lines?: number };
    throw new CommandFailure(`${path}, line ${lines ?? 1}: ${CSV_PROBLEMS[code] ?? 'is not CSV'}`);
  }
  if (columns === null) throw new CommandFailure(`${path}: is empty: the first line must name ${COLUMNS}`);
}

const QUOTES = 'a quote is not closed, or not doubled inside a field';
/** Messages by error code of the parser. */
const CSV_PROBLEMS: Readonly<Record<string, string>> = {
  CSV_MAX_RECORD_SIZE: `the row is longer than ${count(TRAINING_ROW_BYTES_MAX)} bytes: ${QUOTES}`,
  CSV_QUOTE_NOT_CLOSED: QUOTES,
  CSV_INVALID_CLOSING_QUOTE: QUOTES,
  INVALID_OPENING_QUOTE: 'there is a quote inside a field: quote the whole field, and double the quote',
};

/** @throws CommandFailure that shows no part of the line, because it is a text if there is no header */
function columnsOf(path: string, header: readonly string[]): Field[] {
  const names = header.map((name) => name.trim().toLowerCase());
  const isKnown = (name: string): boolean => FIELDS.some((field) => field === name);
  if (names.length === 1 && names[0]!.split(/[;\t]/).some(isKnown) && !isKnown(names[0]!))
    throw new CommandFailure(
      `${path}, line 1: columns are separated by ${names[0]!.includes(';') ? 'semicolons' : 'tabs'}: export the file with commas`,
    );
  const unknown = names.findIndex((name) => !isKnown(name));
  if (unknown !== -1)
    throw new CommandFailure(
      `${path}, line 1: column ${unknown + 1} has an unknown name; the first line must name ${COLUMNS}: ` +
        'add that line, or rename the column',
    );
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new CommandFailure(`${path}, line 1: column "${twice}" occurs twice`);
  for (const field of ['text', 'label'] as const)
    if (!names.includes(field)) throw new CommandFailure(`${path}, line 1: there is no column "${field}"`);
  return names as Field[];
}

async function* jsonRows(chunks: AsyncGenerator<string>): AsyncGenerator<ReadRow> {
  let line = 0;
  for await (const text of linesOf(chunks)) {
    line++;
    if (text === null)
      yield { line, damage: `is longer than ${count(TRAINING_ROW_BYTES_MAX)} characters: cut the text` };
    else if (text.trim() !== '') yield { line, ...rowOfJson(text) };
  }
}

/** Null stands for a line over the bound, which is not kept. */
async function* linesOf(chunks: AsyncGenerator<string>): AsyncGenerator<string | null> {
  let begun = '';
  let isTooLong = false;
  for await (const chunk of chunks) {
    const ends = chunk.split('\n');
    const rest = ends.pop()!;
    for (const end of ends) {
      const isWhole = !isTooLong && begun.length + end.length <= TRAINING_ROW_BYTES_MAX;
      yield isWhole ? begun + end : null;
      begun = '';
      isTooLong = false;
    }
    isTooLong ||= begun.length + rest.length > TRAINING_ROW_BYTES_MAX;
    begun = isTooLong ? '' : begun + rest;
  }
  if (isTooLong) yield null;
  else if (begun !== '') yield begun;
}

function rowOfJson(text: string): { readonly row: Row } | { readonly damage: string } {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return { damage: 'is not JSON: write one object per line' };
  }
  if (!isRecord(value)) return { damage: 'is not a JSON object' };
  const row: Record<string, string> = {};
  for (const [name, field] of Object.entries(value)) {
    if (!FIELDS.some((known) => known === name))
      return { damage: `has a field that is none of ${FIELDS.join(', ')}` };
    if (field === null) continue;
    // Some exports write labels as 0 and 1.
    if (name === 'label' && typeof field === 'number') row[name] = String(field);
    else if (typeof field === 'string') row[name] = field;
    else return { damage: `"${name}" must be a string` };
  }
  return { row };
}

/** Errors of the chunks end the parser, and the end of the loop ends both. */
async function* pipedThrough(
  chunks: AsyncGenerator<string>,
  parser: ReturnType<typeof parse>,
): AsyncGenerator<unknown> {
  const source = Readable.from(chunks);
  source.on('error', (error) => parser.destroy(error));
  try {
    yield* source.pipe(parser);
  } finally {
    source.destroy();
  }
}
