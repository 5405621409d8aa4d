/**
 * Opens one value of a release alone, to process a release without holding all of it.
 * `Release.install` checks size, XXH64, SHA-256, seal and structure; the result is discarded with the value.
 */
import type { Failure, Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { Blob, Manifest } from './manifest.ts';
import { type BlobProblem, Release } from './release.ts';

/** Loads the bytes of a value, aligned to 8 bytes. Rejects if they are unavailable. */
export type Load = (blob: Blob) => Promise<Uint8Array<ArrayBuffer>>;

/** A release with only this value installed. */
export async function openValue(
  manifest: Manifest,
  blob: Blob,
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<Result<Release, Failure<BlobProblem>>> {
  const release = new Release(manifest, keys);
  const installed = await release.install(blob, bytes);
  return installed.ok ? { ok: true, value: release } : installed;
}
