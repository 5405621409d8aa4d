/**
 * The current release: a build is based on it, and a plan compares with it. Its values come from the service
 * and are cached on disk under content-addressed names.
 */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusInfo } from '../../shared/admin/status.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import { type Blob, blobsOf, type Manifest, openManifest } from '../../shared/release/manifest.ts';
import type { Load } from '../../shared/release/release.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure, hasCode, unwrap } from '../failure.ts';
import { VALUES } from '../paths.ts';
import { privateFolder } from '../private-files.ts';
import { publicKeys } from '../secrets.ts';
import { type BuildFolder, fileOfKey } from './build-folder.ts';

/** The current release according to the coordinator, opened and verified. */
export interface BaseRelease {
  readonly status: StatusInfo;
  /** Null if no release was promoted yet. */
  readonly manifest: Manifest | null;
  /** The manifest as it was signed. */
  readonly signed: SignedText | null;
}

export async function currentRelease(admin: Admin, { ids }: KeyRing): Promise<BaseRelease> {
  const status = await admin.get<StatusInfo>('status');
  if (status.current === null) return { status, manifest: null, signed: null };
  const signed = await admin.get<SignedText>(`releases/${status.current.release}/manifest`);
  return { status, manifest: unwrap(await openManifest(signed, await publicKeys(), ids)), signed };
}

/** Loads values of a build and of its base: from the folder of the build, the cache, or the service. */
export function loaderFor(folder: BuildFolder, admin: () => Admin): Load {
  return async (blob) => (folder.has(blob.key) ? folder.value(blob.key) : loadValue(admin, blob));
}

/**
 * A value of the current release, from the cache folder or else from the service.
 * @param admin called only if the cache does not have the value
 */
export async function loadValue(admin: () => Admin, { key, sha256 }: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const path = join(VALUES, fileOfKey(key));
  const kept = await readFile(path).catch(() => null);
  // Copy: small files share one buffer, and sections must start at a multiple of 8.
  const copy = kept === null ? null : new Uint8Array(kept);
  if (copy !== null && (await sha256Hex(copy)) === sha256) return copy;
  const bytes = await admin()
    .bytes(`values/${key}`)
    .catch((error: unknown) => {
      if (!hasCode(error, 'NOT_FOUND')) throw error;
      throw new CommandFailure(`KV has lost ${key} of the current release: push its build again, with --all`);
    });
  const unfinished = `${path}.${process.pid}`;
  privateFolder(VALUES);
  await writeFile(unfinished, bytes, { mode: 0o600 });
  await rename(unfinished, path);
  return bytes;
}

/** Removes the cached values that this release does not name. */
export async function dropOtherValues(manifest: Manifest): Promise<void> {
  const kept = new Set(blobsOf(manifest).map(({ key }) => fileOfKey(key)));
  const names = await readdir(VALUES).catch(() => []);
  const old = names.filter((name) => name.endsWith('.bin') && !kept.has(name));
  await Promise.all(old.map((name) => rm(join(VALUES, name), { force: true })));
}
