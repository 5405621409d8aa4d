/** `numgate build`: from files to a signed release on disk. Nothing is published. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { ALWAYS, type ListContent, ListEntries } from '../../shared/build/list-entries.ts';
import { buildRelease } from '../../shared/build/release.ts';
import { LISTS_MAX, REJECTS_WRITTEN_MAX } from '../../shared/limits.ts';
import { type Manifest, signManifest } from '../../shared/release/manifest.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { fingerprintsOf, formFor } from '../../shared/sources/source.ts';
import { type Admin, Unreachable } from '../admin.ts';
import { CommandFailure, unwrap } from '../failure.ts';
import { type CatalogueList, readCatalogue } from '../import/catalogue.ts';
import { collect, type InputReport, type Reject } from '../import/collect.ts';
import { type FoldedList, fold } from '../import/fold.ts';
import { foldedIn } from '../import/folded-lists.ts';
import { currentRelease, ValueCache } from '../publish/base-release.ts';
import { type BuildFolder, rejectsPath, writeBuild } from '../publish/build-folder.ts';
import { listKeys, signingKey } from '../secrets.ts';
import { count, percent } from '../terminal/figures.ts';
import { startProgress } from '../terminal/progress.ts';
import { allEntries } from './entries.ts';

export interface BuildSettings {
  readonly catalogue: string;
  readonly builds: string;
  /** Share of a file's lines that may be rejected. */
  readonly maxRejects: number;
  /** Accept a file that lists nothing. */
  readonly allowEmpty?: boolean;
  /** The service that knows the current release. Null builds without a base and folds no live entries. */
  readonly admin: Admin | null;
}

export interface BuildResult {
  readonly folder: BuildFolder;
  readonly manifest: Manifest;
  readonly inputs: readonly InputReport[];
  readonly rejectsNotWritten: number;
  readonly bytes: number;
}

export async function build({
  catalogue: path,
  builds,
  maxRejects,
  allowEmpty = false,
  admin,
}: BuildSettings): Promise<BuildResult> {
  const catalogue = readCatalogue(path);
  const keys = await listKeys();
  const signer = await signingKey();
  const createdAt = new Date();
  const now = Math.floor(createdAt.getTime() / 1000);
  const { base, foldedSeq, folded } = await loadBase(admin, keys, now);
  checkCount(catalogue.lists.length, folded);
  const lists = catalogue.lists.map(() => new ListEntries(keys.permutation));
  const rejects = await openRejects(rejectsPath(builds));
  const progress = startProgress('reading');
  let inputs: InputReport[];
  try {
    inputs = await collect(catalogue, {
      now,
      onEntry: ({ list, what, dates }) => {
        const entries = lists[list]!;
        if (what.kind === 'number') entries.addNumber(what.n, dates);
        else if (what.kind === 'ranges')
          for (const range of what.ranges) entries.ranges.push({ ...range, ...dates });
        else {
          const { effect } = catalogue.lists[list]!;
          const fingerprint = formFor(fingerprintsOf(what.source, keys.sourceSeed), effect);
          entries.sources.push({ fingerprint, ...dates });
        }
      },
      onNumber: (list, n) => lists[list]!.addNumber(n, ALWAYS),
      onReject: rejects.write,
      onProgress: progress.update,
    });
  } finally {
    progress.stop();
    await rejects.close();
  }
  checkRejects(inputs, maxRejects, writtenRejects(rejectsPath(builds), rejects.notWritten));
  if (!allowEmpty) checkEmpty(inputs);
  const encoding = startProgress('encoding');
  const built = await buildRelease(
    [
      ...catalogue.lists.map((list, index) => ({
        info: { ...infoOf(list), asOf: list.asOf ?? createdAt.toISOString() },
        content: lists[index]!.finish(),
      })),
      ...folded.map((list) => ({
        info: { ...infoOf(list), asOf: createdAt.toISOString() },
        content: contentOf(list, keys),
      })),
    ],
    keys,
    { base, createdAt, foldedSeq, onProgress: encoding.update },
  ).finally(() => encoding.stop());
  const release = unwrap(built);
  const signed = await signManifest(release.manifest, signer);
  const rejectsNotWritten = rejects.notWritten;
  const report = {
    release: release.manifest.release,
    catalogue: resolve(path),
    ...{ now, inputs, rejectsNotWritten },
  };
  const folder = writeBuild(builds, release, signed, report, folded);
  const bytes = [...release.values.values()].reduce((sum, value) => sum + value.length, 0);
  return { folder, manifest: release.manifest, inputs, rejectsNotWritten, bytes };
}

interface Base {
  readonly base: string | null;
  /** The last live change that is folded in. */
  readonly foldedSeq: number;
  readonly folded: readonly FoldedList[];
}

/** The release that this one is based on, and the live entries that it folds in. */
async function loadBase(admin: Admin | null, keys: ListKeys, now: number): Promise<Base> {
  if (admin === null) return { base: null, foldedSeq: 0, folded: [] };
  try {
    const { manifest } = await currentRelease(admin, keys);
    const { entries, upTo } = await allEntries(admin);
    const before = manifest?.foldedSeq ?? 0;
    const values = new ValueCache(admin);
    const carried = manifest === null ? [] : await foldedIn(manifest, keys, (blob) => values.load(blob));
    const created = entries.filter(({ seq }) => seq > before);
    const folded = fold(created, carried, now);
    return { base: manifest?.release ?? null, foldedSeq: upTo, folded };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    throw new CommandFailure(
      `${error.message}\n--offline builds without what is current there: for a first release`,
    );
  }
}

function checkCount(lists: number, folded: readonly FoldedList[]): void {
  if (lists + folded.length <= LISTS_MAX) return;
  throw new CommandFailure(
    `the live entries need ${folded.length} lists beside the ${lists} of the catalogue (one for each code, ` +
      `authority and subject), and a release has at most ${LISTS_MAX}: move some into the catalogue's files and clear them`,
  );
}

function infoOf({ name, reason, effect, subjects, authority }: CatalogueList | FoldedList) {
  return { name, reason, effect, subjects, authority };
}

function contentOf({ entries }: FoldedList, keys: ListKeys): ListContent {
  const content = new ListEntries(keys.permutation);
  for (const { what, since, until } of entries) {
    if (what.kind === 'number') content.addNumber(what.n, { since, until });
    else content.sources.push({ fingerprint: BigInt(`0x${what.hex}`), since, until });
  }
  return content.finish();
}

interface Rejects {
  write(reject: Reject): void;
  close(): Promise<void>;
  /** Number of rejects beyond the limit of the file. */
  readonly notWritten: number;
}

/** Path of the rejects, and how many of them it lacks. */
export function writtenRejects(path: string, notWritten: number): string {
  return notWritten === 0 ? path : `${path}, without the last ${count(notWritten)}`;
}

async function openRejects(path: string): Promise<Rejects> {
  const file = createWriteStream(path, { mode: 0o600 });
  await once(file, 'open');
  const written = finished(file);
  // `close` reports the error. Until then it must not end the process.
  written.catch(() => undefined);
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  let rejected = 0;
  const notWritten = (): number => Math.max(0, rejected - REJECTS_WRITTEN_MAX);
  file.write('file,line,code,message\n');
  return {
    write: ({ file: name, line, code, message }) => {
      rejected++;
      if (notWritten() === 0) file.write(`${quote(name)},${line},${code},${quote(message)}\n`);
    },
    close: async () => {
      const more = `${count(notWritten())} more lines were rejected, and are not written here`;
      if (notWritten() > 0) file.write(`"",,REJECTS_NOT_WRITTEN,${quote(more)}\n`);
      file.end();
      await written;
    },
    get notWritten() {
      return notWritten();
    },
  };
}

/** @param written where the rejects are */
function checkRejects(inputs: readonly InputReport[], maxRejects: number, written: string): void {
  for (const { file, rows, rejected } of inputs) {
    const share = rows === 0 ? 0 : rejected / rows;
    if (share <= maxRejects) continue;
    throw new CommandFailure(
      `${file}: ${count(rejected)} of ${count(rows)} lines rejected (${percent(share)}), more than ${percent(maxRejects)}.\n` +
        `See ${written}; if they are as they should be, say --max-rejects ${Math.ceil(share * 100) / 100}`,
    );
  }
}

/** An empty file is more often a failed export than an empty list, and would let every number through. */
function checkEmpty(inputs: readonly InputReport[]): void {
  const empty = inputs.find(({ accepted, expired }) => accepted + expired === 0);
  if (empty === undefined) return;
  throw new CommandFailure(`${empty.file} lists nothing; if that is as it should be, say --allow-empty`);
}
