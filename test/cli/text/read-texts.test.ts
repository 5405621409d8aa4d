/** Inputs of training: valid inputs are read, and every bad input is reported by file, line and field, without its text. */
import '../support/workspace.ts';

import { describe, expect, it } from 'vitest';
import { CommandFailure } from '../../../cli/failure.ts';
import type { Label, LabelledText } from '../../../cli/text/labelled-text.ts';
import { readLabelledTexts } from '../../../cli/text/read-texts.ts';
import { TEXT_CHARS_MAX } from '../../../shared/limits/text.ts';
import { TRAINING_CHARS_MAX, TRAINING_PROBLEMS_SHOWN } from '../../../shared/limits/text-training.ts';
import { write } from '../support/workspace.ts';

const NOW = Date.UTC(2026, 10, 27) / 1000;
/** Represents a text that no error may show. */
const SECRET = 'Congratulations';

let files = 0;

function read(
  content: string | Uint8Array,
  ending = 'csv',
  labels: readonly (readonly [string, Label])[] = [],
): Promise<LabelledText[]> {
  const path = write(`texts-${++files}.${ending}`, content);
  return readLabelledTexts([path], { labels: new Map(labels), now: NOW });
}

async function failureOf(content: string | Uint8Array, ending = 'csv'): Promise<string> {
  const failure = await read(content, ending).then(
    () => expect.fail('it was read'),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(CommandFailure);
  const { message, extras } = failure as CommandFailure;
  expect(message).toContain(`texts-${files}.${ending}`);
  expect(message + JSON.stringify(extras)).not.toContain(SECRET);
  return message;
}

describe('labelled texts', () => {
  it('are read from CSV: quotes, line breaks in texts, a byte order mark, columns in any order', async () => {
    const csv =
      '\ufefflabel,text,date,domain,campaign\r\nspam,"Win ""now"",\r\ntoday",2026-05-01,,c1\r\n\r\nlegitimate,안녕,2026-05-01T09:00:00+09:00,chat,\r\n';
    expect(await read(csv)).toEqual([
      {
        ...{ text: 'Win "now",\r\ntoday', isSpam: true, domain: 'other', campaign: 'c1' },
        at: Date.UTC(2026, 3, 30, 15) / 1000,
      },
      {
        ...{ text: '안녕', isSpam: false, domain: 'chat', campaign: null },
        at: Date.UTC(2026, 4, 1) / 1000,
      },
    ]);
  });

  it('are read from NDJSON, with labels that are numbers, and without fields that are null', async () => {
    const lines = '{"text":"a b","label":1,"date":null}\n\n{"text":"c","label":0,"domain":"chat"}';
    const texts = await read(lines, 'ndjson', [
      ['1', 'spam'],
      ['0', 'legitimate'],
    ]);
    expect(texts.map(({ text, isSpam, domain }) => [text, isSpam, domain])).toEqual([
      ['a b', true, 'other'],
      ['c', false, 'chat'],
    ]);
  });

  it('of several files are read in order', async () => {
    const paths = ['one', 'two'].map((name) => write(`${name}.csv`, `text,label\n${name},spam\n`));
    const shares: number[] = [];
    const texts = await readLabelledTexts(paths, { labels: new Map(), now: NOW }, (share) =>
      shares.push(share),
    );
    expect(texts.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it('survive any cut of the file into chunks', async () => {
    // Larger than a chunk, with characters of three bytes.
    const rows = Array.from({ length: 9_000 }, (_, index) => `가나다라마바사 ${index}`);
    const texts = await read(`text,label\n${rows.map((text) => `${text},spam\n`).join('')}`);
    expect(texts.map(({ text }) => text)).toEqual(rows);
    const same = await read(rows.map((text) => JSON.stringify({ text, label: 'spam' })).join('\n'), 'jsonl');
    expect(same.map(({ text }) => text)).toEqual(rows);
  });
});

describe('a bad input of training', () => {
  const header = 'text,label,date,domain,campaign';
  it.each([
    [
      'a text that is too long',
      `${header}\n${SECRET.repeat(200)},spam`,
      /line 2: "text" has 3,000 characters.*2,000/,
    ],
    ['an empty text', `${header}\nok,spam\n" ",spam`, /line 3: "text" is empty: remove the row/],
    ['no label', `${header}\n${SECRET},`, /line 2: "label" is missing: it must be spam or legitimate/],
    [
      'an unknown label',
      `${header}\nok,${SECRET}`,
      /line 2: "label" has an unknown value.*--labels ham=legitimate/,
    ],
    [
      'a date in the future',
      `${header}\n${SECRET},spam,2026-12-01`,
      /line 2: "date" is in the future: correct it/,
    ],
    ['a date that is none', `${header}\nok,spam,${SECRET}`, /line 2: "date" must be a date such as 2026/],
    ['a day that does not exist', `${header}\nok,spam,2026-02-30`, /line 2: "date" must be a date/],
    [
      'a domain that is no name',
      `${header}\nok,legitimate,,${SECRET}`,
      /line 2: "domain" must have only lower case/,
    ],
    [
      'a campaign that is too long',
      `${header}\nok,spam,,,${SECRET.repeat(9)}`,
      /line 2: "campaign" must have at most 64/,
    ],
    [
      'more fields than columns',
      `text,label\nok,spam,${SECRET}`,
      /line 2: has 3 fields, but the header has 2: quote/,
    ],
    [
      'no header',
      `${SECRET},spam`,
      /line 1: column 1 has an unknown name; the first line must name text, label/,
    ],
    ['an unknown column', `text,label,${SECRET}\nok,spam,`, /line 1: column 3 has an unknown name/],
    ['semicolons', `text;label\n${SECRET};spam`, /csv, line 1: columns are separated by semicolons: export/],
    ['tabs', `text\tlabel\n${SECRET}\tspam`, /csv, line 1: columns are separated by tabs: export/],
    ['a column of others', `text,label,${SECRET}\nok,spam,`, /add that line, or rename the column/],
    ['no column of labels', `text\n${SECRET}`, /line 1: there is no column "label"/],
    ['a column twice', `text,label,text\n`, /line 1: column "text" occurs twice/],
    ['an empty file', '', /is empty: the first line must name/],
    ['a quote that is not closed', `text,label\n"${SECRET},spam`, /line 2: a quote is not closed/],
    [
      'a quote that is never closed',
      `text,label\n"${`${SECRET},spam\n`.repeat(2_000)}`,
      /longer than 16,384 bytes: a quote/,
    ],
    ['a quote inside a field', `text,label\n${SECRET} "a",spam`, /line 2: there is a quote inside a field/],
    [
      'text behind a quote',
      `text,label\n"a" ${SECRET},spam`,
      /line 2: a quote is not closed, or not doubled/,
    ],
  ])('%s is refused', async (_what, csv, message) => {
    expect(await failureOf(csv)).toMatch(message);
  });

  it.each([
    ['no JSON', `{"text":"${SECRET}`, /line 1: is not JSON: write one object per line/],
    ['a JSON array', `["${SECRET}"]`, /line 1: is not a JSON object/],
    [
      'an unknown field',
      `{"text":"a","label":"spam","${SECRET}":1}`,
      /line 1: has a field that is none of text, label/,
    ],
    ['a text that is no string', `{"text":["${SECRET}"],"label":"spam"}`, /line 1: "text" must be a string/],
    [
      'half of a character',
      `{"text":"${SECRET}\\ud83d","label":"spam"}`,
      /line 1: "text" has half of a character.*UTF-16/,
    ],
    [
      'a line that is too long',
      `\n{"text":"${SECRET.repeat(2_000)}"}`,
      /line 2: is longer than 16,384 characters/,
    ],
  ])('%s is refused', async (_what, lines, message) => {
    expect(await failureOf(lines, 'ndjson')).toMatch(message);
  });

  it('that is not UTF-8 is refused, by the line of the damage', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`text,label\n안녕하세요,spam\n${SECRET},spam\n`),
      Buffer.from([0xff, 0xfe, 0xfa, 0x2c]),
    ]);
    expect(await failureOf(bytes)).toMatch(/line 4: is not UTF-8: export the file again/);
    // The error comes long after the first chunk.
    const many = Buffer.from(`text,label\n${'안녕하세요,spam\n'.repeat(20_000)}`);
    expect(await failureOf(Buffer.concat([many, Buffer.from([0xc0, 0x80, 0x0a])]))).toMatch(
      /line 20002: is not/,
    );
  });

  it('that ends within a character is refused', async () => {
    const bytes = Buffer.from('text,label\n안녕,spam\n안');
    expect(await failureOf(bytes.subarray(0, -1))).toMatch(/line 3: is not UTF-8/);
  });

  it('in CP949 or UTF-16 is refused by its encoding', async () => {
    const cp949 = Buffer.from([0xbe, 0xc8, 0xb3, 0xe7, 0x2c, 0x73, 0x70, 0x61, 0x6d]);
    expect(await failureOf(Buffer.concat([Buffer.from('text,label\n'), cp949]))).toMatch(
      /CP949.*convert it/s,
    );
    expect(await failureOf(Buffer.from('\ufefftext,label\n', 'utf16le'))).toMatch(/UTF-16, not UTF-8/);
  });

  it('that is gzipped, of another name or missing is refused', async () => {
    expect(await failureOf(Buffer.from([0x1f, 0x8b, 8, 0]))).toMatch(
      /is gzipped: unpack it first: gunzip -k/,
    );
    expect(await failureOf('text,label', 'txt')).toMatch(/name it \.csv or \.ndjson/);
    await expect(readLabelledTexts(['none.csv'], { labels: new Map(), now: NOW })).rejects.toThrow(
      /^none\.csv: does not exist/,
    );
  });

  it('of more characters than a training keeps in memory is refused', async () => {
    const text = 'x'.repeat(TEXT_CHARS_MAX);
    const rows = Math.ceil(TRAINING_CHARS_MAX / TEXT_CHARS_MAX) + 1;
    const message = await failureOf(`text,label\n${`${text},spam\n`.repeat(rows)}`);
    expect(message).toMatch(
      /line 6002: more than 250,000 texts or 12,000,000 characters.*leave out the oldest/,
    );
  });

  it('shows its first wrong rows and how many others there are', async () => {
    const rows = TRAINING_PROBLEMS_SHOWN + 7;
    const message = await failureOf(`text,label\n${`${SECRET},\n`.repeat(rows)}`);
    const lines = message.split('\n');
    expect(lines).toHaveLength(TRAINING_PROBLEMS_SHOWN + 1);
    expect(lines[0]).toContain('line 2:');
    expect(lines.at(-1)).toBe('and 7 further rows');
  });
});
