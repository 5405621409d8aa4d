/**
 * The cost of crafted bodies at the edge, compared with an ordinary body of the same size. A limit on body
 * length bounds the cost only if no byte costs much more than another. Runs the edge itself in workerd. Bodies
 * are sent in turns.
 */
import { BATCH_BODY_BYTES_MAX, BATCH_ITEMS_MAX, CHECK_BODY_BYTES_MAX } from '../../shared/limits/requests.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import { benchKeys, randomSuffixes, releaseOf } from '../lib/random-lists.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import { startEdge } from '../simulation/edge.ts';

/** Target, relative to an ordinary body of the same size. */
const TARGET = 10;
const ROUNDS = 7;
const NUMBER = '01023456789';
/** One item of an ordinary batch. */
const ITEM = { id: 'a1234567', from: '15881234', to: NUMBER };
/** Unicode's longest expansion: 18 characters after folding. */
const LIGATURE = '\ufdfa';

/** Makes a body of about this many bytes. */
type Craft = (bytes: number) => string;

/** Copies of a piece, separated by commas: at most `bytes` bytes, and at most `most` copies. */
function many(piece: (index: number) => string, bytes: number, most = Number.POSITIVE_INFINITY): string {
  const size = Buffer.byteLength(piece(0)) + 1;
  return Array.from({ length: Math.min(most, Math.floor(bytes / size)) }, (_, index) => piece(index)).join(
    ',',
  );
}

const items = (piece: (index: number) => string, bytes: number): string =>
  `{"items":[${many(piece, bytes - 12, BATCH_ITEMS_MAX)}]}`;
const itemOf = (fields: object): string => JSON.stringify(fields);
const field = (index: number): string => `"f${String(index).padStart(6, '0')}":1`;
/** Writes each character as an escape. */
const escaped = (text: string): string =>
  [...text].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

const CHECKS: Readonly<Record<string, Craft>> = {
  'lists in lists': (bytes) => `{"to":${'['.repeat((bytes - 7) / 2)}${']'.repeat((bytes - 7) / 2)}}`,
  'objects in objects': (bytes) => `${'{"a":'.repeat((bytes - 1) / 6)}1${'}'.repeat((bytes - 1) / 6)}`,
  'unknown fields': (bytes) => `{${many(field, bytes - 2)}}`,
  'one field over and over': (bytes) => `{${many(() => `"to":"${NUMBER}"`, bytes - 2)}}`,
  'a long string of U+FDFA': (bytes) => itemOf({ from: LIGATURE.repeat((bytes - 11) / 3) }),
  '64 of U+FDFA': () => itemOf({ from: LIGATURE.repeat(64), to: NUMBER }),
  '63 combining marks': () => itemOf({ from: `a${'\u0301\u0316'.repeat(31)}\u0301`, to: NUMBER }),
  'a long string of combining marks': (bytes) => itemOf({ from: `a${'\u0301'.repeat((bytes - 12) / 2)}` }),
  'a field with a long name': (bytes) => `{"${'a'.repeat(bytes - 6)}":1}`,
  'escaped characters': (bytes) => `{"to":"${escaped('0'.repeat((bytes - 9) / 6))}"}`,
  'numbers of JSON': (bytes) => `{"to":[${many(() => '1.7976931348623157e308', bytes - 9)}]}`,
  'a long number of JSON': (bytes) => `{"to":${'9'.repeat(bytes - 7)}}`,
};

const BATCHES: Readonly<Record<string, Craft>> = {
  'lists in lists': (bytes) => `{"items":[${'['.repeat((bytes - 12) / 2)}${']'.repeat((bytes - 12) / 2)}]}`,
  'objects in objects': (bytes) =>
    `{"items":[${'{"a":'.repeat((bytes - 13) / 6)}1${'}'.repeat((bytes - 13) / 6)}]}`,
  'unknown fields': (bytes) => `{"items":[],${many(field, bytes - 13)}}`,
  'unknown fields of an item': (bytes) => `{"items":[{${many(field, bytes - 14)}}]}`,
  'unknown fields of defaults': (bytes) => `{"items":[],"defaults":{${many(field, bytes - 25)}}}`,
  'one field of an item over and over': (bytes) =>
    `{"items":[{${many(() => `"to":"${NUMBER}"`, bytes - 14)}}]}`,
  'empty items': (bytes) => items(() => '{}', bytes),
  'items that are none': (bytes) => items(() => 'null', bytes),
  'an unknown field in each item': (bytes) => items((index) => `{${field(index)}}`, bytes),
  '64 of U+FDFA in each item': (bytes) => items(() => itemOf({ from: LIGATURE.repeat(64) }), bytes),
  '11 of U+FDFA in each item': (bytes) => items(() => itemOf({ from: LIGATURE.repeat(11) }), bytes),
  '63 combining marks in each item': (bytes) =>
    items(() => itemOf({ from: `a${'\u0301\u0316'.repeat(31)}\u0301` }), bytes),
  'a long string of U+FDFA': (bytes) => itemOf({ items: [{ from: LIGATURE.repeat((bytes - 23) / 3) }] }),
  'long ids': (bytes) => items(() => itemOf({ id: 'a'.repeat(128), to: NUMBER }), bytes),
  'ids that are too long': (bytes) => items(() => itemOf({ id: 'a'.repeat(129), to: NUMBER }), bytes),
  'ids that JSON escapes': (bytes) => items(() => `{"id":"${escaped('\u0001'.repeat(60))}"}`, bytes),
  'escaped characters': (bytes) => items(() => `{"\\u0074\\u006f":"${escaped(NUMBER)}"}`, bytes),
  'numbers of JSON': (bytes) => `{"items":[[${many(() => '1.7976931348623157e308', bytes - 14)}]]}`,
};

/** Pads the body to the size of an ordinary body, with trailing spaces, which JSON allows. */
function padded(body: string, bytes: number): string {
  const missing = bytes - Buffer.byteLength(body);
  if (missing < 0) throw new Error(`a crafted body is larger than an ordinary one: ${-missing} bytes`);
  return body + ' '.repeat(missing);
}

/** Bodies of one size that are sent in turns. */
interface Group {
  readonly path: string;
  readonly ordinary: string;
  readonly crafts: Readonly<Record<string, Craft>>;
}

/** A single check, a batch of usual size, and the largest batch. */
function groupsOf(small: boolean): Group[] {
  const check = itemOf({ from: ITEM.from, to: NUMBER });
  const batch = items(() => itemOf(ITEM), Number.POSITIVE_INFINITY);
  const path = '/v1/check/batch';
  const usual = [
    { path: '/v1/check', ordinary: padded(check, CHECK_BODY_BYTES_MAX), crafts: CHECKS },
    { path, ordinary: batch, crafts: BATCHES },
  ];
  return small ? usual : [...usual, { path, ordinary: padded(batch, BATCH_BODY_BYTES_MAX), crafts: BATCHES }];
}

export async function bodiesBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [1_000_000], [100_000]);
  const { built } = await releaseOf(randomSuffixes(count!, options.seed), await benchKeys());
  const edge = await startEdge();
  await edge.publish(built, 1);
  const rows: Row[] = [];
  for (const { path, ordinary, crafts } of groupsOf(options.small)) {
    const bytes = Buffer.byteLength(ordinary);
    const bodies: Record<string, string> = { ordinary };
    for (const [name, craft] of Object.entries(crafts)) bodies[name] = padded(craft(bytes), bytes);
    const timings = await edge.timeBodies(path, bodies, options.small ? 1 : ROUNDS);
    const usual = timings.ordinary!;
    if (usual.status !== 200) throw new Error(`${path}: an ordinary body returned ${usual.status}`);
    for (const name of Object.keys(crafts)) {
      const { status, ms } = timings[name]!;
      if (status >= 500) throw new Error(`${path}, ${name}: returned ${status}`);
      const label = `${path} of ${withCommas(bytes)} bytes, ${name} (${status})`;
      const baseline = `an ordinary body: ${short(median(usual.ms))} ms`;
      rows.push(row(label, median(ms), 'ms', baseline, medianRatio(ms, usual.ms), TARGET));
    }
  }
  await edge.worker.stop();
  return rows;
}
