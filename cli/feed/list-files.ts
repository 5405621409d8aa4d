/**
 * Writes the lists of a pull for `build`: a catalogue, an NDJSON file for each list, and the files for text risk, in a new
 * folder. `current` is a link to the newest folder. A reader that follows the link once sees one whole state of the feed, even
 * while a pull goes on. Some older folders are kept for builds that are not proven yet.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { FOREVER } from '../../shared/set/layout.ts';
import { hasSourceKind } from '../../shared/sources/source.ts';
import { unfinishedFolder } from '../temporary.ts';
import type { FeedEntries, KeptEntry } from './entries.ts';
import type { ListPlan, PlannedList } from './lists.ts';
import { type FeedPlace, syncFolder } from './state-file.ts';
import { CAMPAIGNS, TEXT_CATALOGUE, type TextPlan, writeTextFiles } from './text-files.ts';

export const CURRENT = 'current';
export const CATALOGUE = 'feed.lists.json';
const FOLDERS = 'lists';
/** Number of folders of older states that are kept. */
const KEPT_FOLDERS = 4;
/** Characters that are written at once. */
const CHUNK_CHARS = 1 << 16;

export interface WrittenLists {
  /** Path of the catalogue, through the link. */
  readonly catalogue: string;
  readonly lists: readonly { readonly name: string; readonly entries: number }[];
  /** Path of the campaigns, and of the catalogue of the host lists. */
  readonly campaigns: string;
  readonly textCatalogue: string;
}

/** @param folder of the pull */
export function writeLists(
  folder: string,
  { lists }: ListPlan,
  texts: TextPlan,
  entries: FeedEntries,
  { position, at }: Pick<FeedPlace, 'position' | 'at'>,
): WrittenLists {
  const folders = join(folder, FOLDERS);
  mkdirSync(folders, { recursive: true, mode: 0o700 });
  const unfinished = unfinishedFolder(folders);
  const digest = createHash('sha256');
  digest.update(writeTextFiles(unfinished, texts, at));
  for (const planned of lists) digest.update(writeList(unfinished, planned, entries));
  const catalogue = {
    lists: lists.map(({ list }) => ({ ...list, asOf: at })),
    inputs: lists.map(({ list }) => ({ file: fileOf(list.name), list: list.name })),
  };
  const text = `${JSON.stringify(catalogue, null, 2)}\n`;
  writeFileSync(join(unfinished, CATALOGUE), text, { flush: true });
  syncFolder(unfinished);
  const name = `${String(position).padStart(12, '0')}-${digest.update(text).digest('hex').slice(0, 12)}`;
  // The folder exists already if neither the state nor the settings have changed.
  if (existsSync(join(folders, name))) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, join(folders, name));
  setCurrent(folder, name);
  removeOld(folders, name);
  return {
    catalogue: join(folder, CURRENT, CATALOGUE),
    campaigns: join(folder, CURRENT, CAMPAIGNS),
    textCatalogue: join(folder, CURRENT, TEXT_CATALOGUE),
    lists: lists.map(({ list, slots }) => ({ name: list.name, entries: slots.length })),
  };
}

function fileOf(list: string): string {
  return `${list}.ndjson`;
}

/** @returns the SHA-256 of the file */
function writeList(folder: string, { list, slots }: PlannedList, entries: FeedEntries): Buffer {
  const hash = createHash('sha256');
  const file = openSync(join(folder, fileOf(list.name)), 'wx', 0o600);
  try {
    let chunk = '';
    const flush = (): void => {
      hash.update(chunk);
      writeFileSync(file, chunk);
      chunk = '';
    };
    for (const slot of slots) {
      chunk += `${JSON.stringify(rowOf(entries.at(slot)))}\n`;
      if (chunk.length >= CHUNK_CHARS) flush();
    }
    flush();
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return hash.digest();
}

/** A row in the form that `build` reads. */
function rowOf({ number, source, until }: KeptEntry): object {
  const written = number ?? (hasSourceKind(source!) ? source! : `sender:${source!}`);
  return until === FOREVER
    ? { number: written }
    : { number: written, until: new Date(until * 1000).toISOString() };
}

/** Renames a new link over the old one, because a link cannot be changed in place. */
function setCurrent(folder: string, name: string): void {
  const link = join(folder, `${CURRENT}.new`);
  rmSync(link, { force: true });
  symlinkSync(join(FOLDERS, name), link);
  renameSync(link, join(folder, CURRENT));
  syncFolder(folder);
}

function removeOld(folders: string, current: string): void {
  const older = readdirSync(folders)
    .filter((name) => /^\d{12}-[0-9a-f]{12}$/.test(name) && name !== current)
    .sort();
  for (const name of older.slice(0, Math.max(0, older.length - KEPT_FOLDERS)))
    rmSync(join(folders, name), { recursive: true, force: true });
}
