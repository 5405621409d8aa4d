/**
 * The state of a pull on disk: its place in the feed, and every entry. It is written to a temporary file, synced and
 * renamed, so that a command that dies leaves the old state or the new one. The last line has the digest of all others.
 * The file holds numbers in clear.
 *
 * Lines of JSON: the header, one line for each kind of entry, one for each entry (`[reference, kind, number or source,
 * until]`), one for each campaign and host (`[reference, entry]`), the digest.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { CommandFailure } from '../failure.ts';
import { readLines } from '../import/lines.ts';
import { type EntryKind, FeedEntries, type KeptEntry } from './entries.ts';
import type { KeptText } from './texts.ts';

const VERSION = 1;
/** Characters that are written at once. */
const CHUNK_CHARS = 1 << 16;

const headerSchema = v.strictObject({
  numgateFeed: v.literal(VERSION),
  url: v.string(),
  feed: v.string(),
  epoch: v.number(),
  position: v.number(),
  digest: v.string(),
  checkpoint: v.nullable(v.string()),
  at: v.string(),
  kinds: v.number(),
  entries: v.number(),
  texts: v.optional(v.number(), 0),
});

/** The place of a pull in the feed: its entries include every event up to `position`. */
export interface FeedPlace {
  /** Base URL of the service. */
  readonly url: string;
  /** ID of the feed. */
  readonly feed: string;
  readonly epoch: number;
  readonly position: number;
  /** Digest of the event at `position`. */
  readonly digest: string;
  /** The signed note that confirmed this digest. Null in the progress of a pull that is not over. */
  readonly checkpoint: string | null;
  /** When the events were read, RFC 3339. */
  readonly at: string;
}

export interface PulledState {
  readonly place: FeedPlace;
  readonly entries: FeedEntries;
}

/** @throws CommandFailure or a system error, if the file cannot be written; the old state stays */
export function writeState(path: string, { place, entries }: PulledState): void {
  const kinds = new Map<EntryKind, number>();
  for (const [, { kind }] of entries) if (!kinds.has(kind)) kinds.set(kind, kinds.size);
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    let chunk = '';
    // Not writeSync: on an almost full disk, it writes only a part, without an error.
    const flush = (): void => {
      hash.update(chunk);
      writeFileSync(file, chunk);
      chunk = '';
    };
    const line = (text: string): void => {
      chunk += `${text}\n`;
      if (chunk.length >= CHUNK_CHARS) flush();
    };
    const counts = { kinds: kinds.size, entries: entries.size, texts: entries.texts.size };
    line(JSON.stringify({ numgateFeed: VERSION, ...place, ...counts }));
    for (const kind of kinds.keys()) line(JSON.stringify(kind));
    for (const [reference, { kind, number, source, until }] of entries) {
      // Neither references nor numbers have characters that JSON escapes.
      const what = number === null ? JSON.stringify({ source }) : `"${number}"`;
      line(`["${reference}",${kinds.get(kind)},${what},${until}]`);
    }
    for (const text of entries.texts) line(JSON.stringify(text));
    flush();
    writeFileSync(file, `${JSON.stringify({ sha256: hash.digest('hex') })}\n`);
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Syncs a folder, so that the new name of a file survives a power cut. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** @throws CommandFailure if the file is not a complete state */
export async function readState(path: string): Promise<PulledState> {
  const reader = new StateReader();
  // The file is readable, so a failure from here on means that it is damaged.
  accessSync(path, constants.R_OK);
  await readLines(path, () => ({ take: reader.take })).catch(() => undefined);
  if (reader.isWhole) return reader.state;
  throw new CommandFailure(
    `${path} is damaged: remove it, then run numgate feed pull to begin again with a snapshot`,
  );
}

type StoredEntry = readonly [
  reference: string,
  kind: number,
  what: string | { readonly source: string },
  until: number,
];

/** Takes the lines of a state, in order. */
class StateReader {
  readonly #hash = createHash('sha256');
  readonly #entries = new FeedEntries();
  readonly #kinds: EntryKind[] = [];
  #header: v.InferOutput<typeof headerSchema> | null = null;
  #isWhole = false;

  get isWhole(): boolean {
    const { entries = -1, texts = -1 } = this.#header ?? {};
    return this.#isWhole && this.#entries.size === entries && this.#entries.texts.size === texts;
  }

  get state(): PulledState {
    const { numgateFeed: _, kinds: _kinds, entries: _entries, texts: _texts, ...place } = this.#header!;
    return { place, entries: this.#entries };
  }

  /** @throws any error for an invalid line */
  take = (text: string | null, line: number): void => {
    if (text === null || this.#isWhole) throw new CommandFailure('the line is not one of a state');
    const value: unknown = JSON.parse(text);
    const { kinds = 0, entries = 0, texts = 0 } = this.#header ?? {};
    if (this.#header === null) this.#header = v.parse(headerSchema, value);
    else if (line <= 1 + kinds) this.#kinds.push(value as EntryKind);
    else if (line <= 1 + kinds + entries) this.#takeEntry(value as StoredEntry);
    else if (line <= 1 + kinds + entries + texts) this.#entries.texts.put(value as KeptText);
    // The digest proves that all lines are as they were written, so they need no further checks.
    else if ((value as { sha256?: unknown }).sha256 === this.#hash.digest('hex')) this.#isWhole = true;
    else throw new CommandFailure('the digest is another one');
    if (!this.#isWhole) this.#hash.update(`${text}\n`);
  };

  #takeEntry([reference, kind, what, until]: StoredEntry): void {
    const party: Pick<KeptEntry, 'number' | 'source'> =
      typeof what === 'string' ? { number: what, source: null } : { number: null, source: what.source };
    this.#entries.put(reference, { ...party, kind: this.#kinds[kind]!, until });
  }
}
