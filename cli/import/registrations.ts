/**
 * Registered senders as lines of JSON: the version of the registry first, then one line for each number or range and client.
 * `build --registrations` reads such a file, and every build keeps its registered senders in such a file, for `prove`.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import * as v from 'valibot';
import type { RegisteredPair } from '../../shared/build/pairs.ts';
import { REGISTRATION_NUMBERS_MAX } from '../../shared/limits/registrations.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { CommandFailure, describeFileError } from '../failure.ts';

/** Registered senders as of a version of the registry. */
export interface RegistrationFeed {
  readonly version: number;
  readonly pairs: AsyncIterable<RegisteredPair>;
}

const E164 = /^\+[1-9]\d{6,14}$/;
const number = v.pipe(v.string(), v.regex(E164, 'must be a number with + and its country code'));
const headerSchema = v.strictObject({ version: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) });
const lineSchema = v.strictObject({
  client: v.pipe(
    v.string(),
    v.check((name) => isClient(name), 'must be <organisation>/<client>'),
  ),
  from: number,
  to: v.optional(number),
  own: v.optional(v.boolean(), false),
});

function isClient(name: string): boolean {
  const parts = name.split('/');
  return parts.length === 2 && parts.every((part) => NAME_PATTERN.test(part));
}

/** Reads a file, gzipped or not. @throws CommandFailure that names the line and the field */
export async function readRegistrations(path: string): Promise<RegistrationFeed> {
  const lines = linesOf(path, await isGzipped(path));
  const first = await lines.next();
  const text = first.done === true ? '' : first.value;
  const { version } = parse(headerSchema, text, path, 1);
  return { version, pairs: pairsIn(lines, path) };
}

async function* pairsIn(lines: AsyncIterable<string>, path: string): AsyncGenerator<RegisteredPair> {
  let line = 1;
  for await (const text of lines) {
    line++;
    const { client, from, to = from, own } = parse(lineSchema, text, path, line);
    const pair = { client, from: Number(from.slice(1)), to: Number(to.slice(1)), own };
    if (pair.to < pair.from) throw wrong(path, line, '"to" must not be below "from"');
    if (pair.to - pair.from >= REGISTRATION_NUMBERS_MAX)
      throw wrong(path, line, `"to" must be at most ${REGISTRATION_NUMBERS_MAX} numbers from "from"`);
    yield pair;
  }
}

function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
  path: string,
  line: number,
): v.InferOutput<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong(path, line, 'is not JSON');
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw wrong(path, line, `"${v.getDotPath(issue) ?? 'line'}" ${issue.message}`);
}

/** Does not show the line, because a line holds a number. */
function wrong(path: string, line: number, message: string): CommandFailure {
  return new CommandFailure(
    `${path}: line ${line}: ${message}. The first line must be like {"version": 0}, and each other line like ` +
      '{"client": "acme/main", "from": "+8215881234", "to": "+8215881239", "own": true}',
  );
}

async function isGzipped(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    const { buffer } = await file.read({ buffer: new Uint8Array(2) });
    await file.close();
    return buffer[0] === 0x1f && buffer[1] === 0x8b;
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}

async function* linesOf(path: string, gzipped: boolean): AsyncGenerator<string> {
  const file = createReadStream(path);
  const input = gzipped ? file.pipe(createGunzip()) : file;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) yield line;
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  } finally {
    file.destroy();
  }
}

/** Lines that are written at once. */
const LINES_AT_ONCE = 1_000;

/** Passes every pair to `onPair`, and writes all of them to a gzipped file that `readRegistrations` reads. */
export async function keepRegistrations(
  path: string,
  { version, pairs }: RegistrationFeed,
  onPair: (pair: RegisteredPair) => void,
): Promise<void> {
  const file = createWriteStream(path, { mode: 0o600 });
  const gzip = createGzip({ level: 1 });
  gzip.pipe(file);
  const written = finished(file);
  // The promise is awaited at the end. Until then, a failure must not end the process.
  written.catch(() => undefined);
  let lines = [JSON.stringify({ version })];
  const flush = async (): Promise<void> => {
    const text = lines.map((line) => `${line}\n`).join('');
    lines = [];
    if (!gzip.write(text)) await once(gzip, 'drain');
  };
  for await (const pair of pairs) {
    onPair(pair);
    const { client, from, to, own } = pair;
    const range = to === from ? {} : { to: `+${to}` };
    lines.push(JSON.stringify({ client, from: `+${from}`, ...range, ...(own ? { own } : {}) }));
    if (lines.length === LINES_AT_ONCE) await flush();
  }
  await flush();
  gzip.end();
  await written;
}
