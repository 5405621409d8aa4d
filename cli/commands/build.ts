/**
 * `lists build`: from files to a signed release on disk. Nothing is published.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { ListEntries } from '../../shared/build/list-entries.ts';
import { buildRelease } from '../../shared/build/release.ts';
import { type Manifest, signManifest } from '../../shared/release/manifest.ts';
import { sourceFingerprint } from '../../shared/set/source-table.ts';
import { type BuildFolder, rejectsPath, writeBuild } from '../build-folder.ts';
import { readCatalogue } from '../catalogue.ts';
import { collect, type InputReport, type Reject } from '../collect.ts';
import { CommandFailure, orFail } from '../failure.ts';
import { startProgress } from '../progress.ts';
import { listKeys, signingKey } from '../secrets.ts';

export interface BuildSettings {
  readonly catalogue: string;
  readonly builds: string;
  /** Share of a file's lines that may be rejected. */
  readonly maxRejects: number;
  /** Take a file that lists nothing for what it says. */
  readonly allowEmpty?: boolean;
}

export interface BuildOutcome {
  readonly folder: BuildFolder;
  readonly manifest: Manifest;
  readonly inputs: readonly InputReport[];
  readonly bytes: number;
}

export async function build({
  catalogue: path,
  builds,
  maxRejects,
  allowEmpty = false,
}: BuildSettings): Promise<BuildOutcome> {
  const catalogue = readCatalogue(path);
  const keys = await listKeys();
  const signer = await signingKey();
  const createdAt = new Date();
  const now = Math.floor(createdAt.getTime() / 1000);
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
        else entries.sources.push({ fingerprint: sourceFingerprint(what.text, keys.sourceSeed), ...dates });
      },
      onReject: rejects.write,
      onProgress: progress.update,
    });
  } finally {
    progress.stop();
    await rejects.close();
  }
  checkRejects(inputs, maxRejects, rejectsPath(builds));
  if (!allowEmpty) checkEmpty(inputs);
  const encoding = startProgress('encoding');
  const built = await buildRelease(
    catalogue.lists.map(({ name, reason, effect, subjects, authority, asOf }, index) => ({
      info: { name, reason, effect, subjects, authority, asOf: asOf ?? createdAt.toISOString() },
      content: lists[index]!.finish(),
    })),
    keys,
    { base: null, createdAt, foldedSeq: 0, onProgress: encoding.update },
  ).finally(() => encoding.stop());
  const release = orFail(built);
  const signed = await signManifest(release.manifest, signer);
  const report = { release: release.manifest.release, catalogue: resolve(path), now, inputs };
  const folder = writeBuild(builds, release, signed, report);
  const bytes = [...release.values.values()].reduce((sum, value) => sum + value.length, 0);
  return { folder, manifest: release.manifest, inputs, bytes };
}

interface Rejects {
  write(reject: Reject): void;
  close(): Promise<void>;
}

async function openRejects(path: string): Promise<Rejects> {
  const file = createWriteStream(path, { mode: 0o600 });
  await once(file, 'open');
  const written = finished(file);
  // Told by `close`; until then it is not to end the process.
  written.catch(() => undefined);
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  file.write('file,line,code,message\n');
  return {
    write: ({ file: name, line, code, message }) =>
      file.write(`${quote(name)},${line},${code},${quote(message)}\n`),
    close: async () => {
      file.end();
      await written;
    },
  };
}

function checkRejects(inputs: readonly InputReport[], maxRejects: number, path: string): void {
  for (const { file, rows, rejected } of inputs) {
    const share = rows === 0 ? 0 : rejected / rows;
    if (share <= maxRejects) continue;
    throw new CommandFailure(
      `${file}: ${rejected} of ${rows} lines rejected (${percent(share)} %), more than ${percent(maxRejects)} %.\n` +
        `See ${path}; if they are as they should be, say --max-rejects ${Math.ceil(share * 100) / 100}`,
    );
  }
}

/** An empty file is more often a failed export than an empty list, and would let everyone through. */
function checkEmpty(inputs: readonly InputReport[]): void {
  const empty = inputs.find(({ accepted, expired }) => accepted + expired === 0);
  if (empty === undefined) return;
  throw new CommandFailure(`${empty.file} lists nothing; if that is as it should be, say --allow-empty`);
}

function percent(share: number): string {
  return String(Number((share * 100).toFixed(2)));
}
