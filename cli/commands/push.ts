/**
 * `lists push`: shards first, then the manifest, then the head that names it, each with wrangler.
 * Whatever dies in between, a reader sees the old release or the new one; running it again finishes.
 */

import { sha256Hex } from '../../shared/bytes.ts';
import { type Head, openHead, signHead } from '../../shared/release/head.ts';
import { HEAD_KEY, releaseKey } from '../../shared/release/kv-keys.ts';
import { type Blob, blobsOf, openManifest } from '../../shared/release/manifest.ts';
import type { BuildFolder } from '../build-folder.ts';
import { CommandFailure, orFail } from '../failure.ts';
import { startProgress } from '../progress.ts';
import { listKeys, publicKeys, signingKey } from '../secrets.ts';
import { kvBulkPut, kvGet, kvPut, type Target } from '../wrangler.ts';

/** Raw bytes in one file for `wrangler kv bulk put`: 93 MB in base64, below the API's 100 MB. */
export const BULK_BYTES_MAX = 70_000_000;

export interface PushOutcome {
  readonly release: string;
  readonly seq: number;
  /** Values that were not there yet. */
  readonly uploaded: number;
  readonly uploadedBytes: number;
  readonly values: number;
}

/** @throws CommandFailure if there is a head that is damaged, or signed by another key */
export async function currentHead(target: Target): Promise<Head | null> {
  const text = await kvGet(HEAD_KEY, target);
  if (text === null) return null;
  const head = await openHead(text, await publicKeys());
  if (head.ok) return head.value;
  throw new CommandFailure(`${head.message}; lists push --replace-head writes a new one over it`);
}

export interface PushSettings {
  readonly target: Target;
  /** Publish a build that was not proven whole. One that was proven wrong is never published. */
  readonly unproven: boolean;
  /** Upload every value, whatever the current release has in KV. */
  readonly all?: boolean;
  /** Do not ask what is current. */
  readonly replaceHead?: boolean;
}

/** A `seq` above every one that a damaged head can have had: a reader takes no lower one. */
function seqOfNow(): number {
  return Math.floor(Date.now() / 1000);
}

export async function push(
  folder: BuildFolder,
  { target, unproven, all = false, replaceHead = false }: PushSettings,
): Promise<PushOutcome> {
  const signed = folder.manifest;
  const keys = await listKeys();
  const trusted = await publicKeys();
  const signer = await signingKey();
  const manifest = orFail(await openManifest(signed, trusted, keys.keyId));
  checkProof(folder, manifest.release, unproven);
  const head = replaceHead ? null : await currentHead(target);
  const held = all ? new Set<string>() : await heldKeys(head, trusted, keys.keyId);
  const fresh = blobsOf(manifest).filter(({ key }) => !held.has(key));
  const progress = startProgress('pushing');
  try {
    let sent = 0;
    for (const file of inFiles(fresh)) {
      await kvBulkPut(await valuesOf(file, folder), target);
      sent += file.length;
      progress.update(sent / (fresh.length + 2), `${sent} of ${fresh.length} values`);
    }
    await kvPut(releaseKey(manifest.release), JSON.stringify(signed), target);
    progress.update((sent + 1) / (fresh.length + 2), 'manifest');
    const seq = replaceHead ? seqOfNow() : (head?.seq ?? 0) + 1;
    const next = await signHead({ seq, promotedAt: new Date().toISOString(), manifest: signed }, signer);
    await kvPut(HEAD_KEY, JSON.stringify(next), target);
    return {
      release: manifest.release,
      seq,
      uploaded: fresh.length,
      uploadedBytes: fresh.reduce((sum, { bytes }) => sum + bytes, 0),
      values: blobsOf(manifest).length,
    };
  } finally {
    progress.stop();
  }
}

function checkProof(folder: BuildFolder, release: string, unproven: boolean): void {
  // A proof says nothing of another release that was put in its folder.
  const proof = folder.proof?.release === release ? folder.proof : null;
  if (proof !== null && proof.wrong !== 0) {
    throw new CommandFailure(`${release} gave ${proof.wrong} wrong answers when it was proven`);
  }
  if (proof?.complete !== true && !unproven) {
    throw new CommandFailure(`${release} is not proven: run npm run lists -- prove, or say --unproven`);
  }
}

/** Keys that the current release has in KV already. A head that is not ours holds nothing for us. */
async function heldKeys(head: Head | null, trusted: CryptoKey[], keyId: string): Promise<Set<string>> {
  if (head === null) return new Set();
  const current = await openManifest(head.manifest, trusted, keyId);
  return new Set(current.ok ? blobsOf(current.value).map(({ key }) => key) : []);
}

/** The bytes of the values, if they are those that the manifest was signed for. */
async function valuesOf(blobs: readonly Blob[], folder: BuildFolder): Promise<Map<string, Uint8Array>> {
  const values = new Map<string, Uint8Array>();
  for (const { key, sha256 } of blobs) {
    const bytes = folder.value(key);
    if ((await sha256Hex(bytes)) !== sha256)
      throw new CommandFailure(`${key} in ${folder.path} is not what the manifest says: build again`);
    values.set(key, bytes);
  }
  return values;
}

/** Cut into runs of at most BULK_BYTES_MAX each, in order. */
export function inFiles<Value extends { readonly bytes: number }>(blobs: readonly Value[]): Value[][] {
  const files: Value[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const blob of blobs) {
    if (size + blob.bytes > BULK_BYTES_MAX) {
      files.push([]);
      size = 0;
    }
    files.at(-1)!.push(blob);
    size += blob.bytes;
  }
  return files;
}
