/**
 * The state of a pull on disk: where it is in the feed, and every entry. It is written to a temporary file, synced and
 * renamed, so that a command that dies leaves the old state or the new one. The last line has the digest of all others.
 * The file holds numbers in clear.
 *
 * Lines of JSON: the header, one line for each kind of entry, one for each entry (`[reference, kind, number or source,
 * until]`), the digest.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { CommandFailure } from '../failure.ts';
import { readLines } from '../import/lines.ts';
import { type EntryKind, FeedEntries, type KeptEntry } from './entries.ts';

const VERSION = 1;
/** Written at once, in characters. */
const CHUNK_CHARS = 1 << 16;

const headerSchema = v.strictObject({
  numgateFeed: v.literal(VERSION),
  url: v.string(),
  feed: v.string(),
  epoch: v.number(),
  position: v.number(),
  digest: v.string(),
  checkpoint: v.nullable(v.string()),
  kinds: v.number(),
  entries: v.number(),
});

/** Where a pull is: every event up to `position` is in its entries. */
export interface FeedPlace {
  /** Base URL of the service. */
  readonly url: string;
  /** ID of the feed. */
  readonly feed: string;
  readonly epoch: number;
  readonly position: number;
  /** Of the event at `position`. */
  readonly digest: string;
  /** The signed note that confirmed this digest. Null while none has: progress of a pull that is not over. */
  readonly checkpoint: string | null;
}

export interface PulledState {
  readonly place: FeedPlace;
  readonly entries: FeedEntries;
}

/** @throws CommandFailure or a system error, if it cannot be written: the old state stays */
export function writeState(path: string, { place, entries }: PulledState): void {
  const kinds = new Map<EntryKind, number>();
  for (const [, { kind }] of entries) if (!kinds.has(kind)) kinds.set(kind, kinds.size);
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    let chunk = '';
    const flush = (): void => {
      hash.update(chunk);
      writeSync(file, chunk);
      chunk = '';
    };
    const line = (value: unknown): void => {
      chunk += `${JSON.stringify(value)}\n`;
      if (chunk.length >= CHUNK_CHARS) flush();
    };
    line({ numgateFeed: VERSION, ...place, kinds: kinds.size, entries: entries.size });
    for (const kind of kinds.keys()) line(kind);
    for (const [reference, { kind, number, source, until }] of entries)
      line([reference, kinds.get(kind), number ?? { source }, until]);
    flush();
    writeSync(file, `${JSON.stringify({ sha256: hash.digest('hex') })}\n`);
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

/** So that the new name of a file survives a power cut. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** @throws CommandFailure if the file is not a whole state */
export async function readState(path: string): Promise<PulledState> {
  const damaged = new CommandFailure(
    `${path} is damaged: remove it, and numgate feed pull begins again with a snapshot`,
  );
  const hash = createHash('sha256');
  const entries = new FeedEntries();
  const kinds: EntryKind[] = [];
  let header: v.InferOutput<typeof headerSchema> | null = null;
  let isWhole = false;
  const take = (text: string | null, line: number): void => {
    if (text === null || isWhole) throw damaged;
    const value: unknown = JSON.parse(text);
    if (header === null) header = v.parse(headerSchema, value);
    else if (line <= 1 + header.kinds) kinds.push(value as EntryKind);
    else if (line <= 1 + header.kinds + header.entries) {
      const [reference, kind, what, until] = value as StoredEntry;
      entries.put(reference, { ...whatOf(what), kind: kinds[kind]!, until });
    } else {
      // Everything before is as it was written, so it needs no further checks.
      if ((value as { sha256?: unknown }).sha256 !== hash.digest('hex')) throw damaged;
      isWhole = true;
      return;
    }
    hash.update(`${text}\n`);
  };
  try {
    await readLines(path, () => ({ take }));
  } catch (error) {
    if (error instanceof CommandFailure && error !== damaged && header === null) throw error;
    throw damaged;
  }
  if (header === null || !isWhole) throw damaged;
  const { numgateFeed: _, kinds: _kinds, entries: count, ...place }: v.InferOutput<typeof headerSchema> = header;
  if (entries.size !== count) throw damaged;
  return { place, entries };
}

type StoredEntry = readonly [
  reference: string,
  kind: number,
  what: string | { readonly source: string },
  until: number,
];

function whatOf(what: StoredEntry[2]): Pick<KeptEntry, 'number' | 'source'> {
  return typeof what === 'string' ? { number: what, source: null } : { number: null, source: what.source };
}
