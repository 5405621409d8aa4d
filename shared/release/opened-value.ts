/**
 * One value of a release, opened alone: how a release is gone through without ever being held whole.
 * `Release.install` checks size, XXH64, SHA-256, seal and structure; what it opened goes with the value.
 */
import type { Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { Blob, Manifest } from './manifest.ts';
import { type BlobProblem, Release } from './release.ts';

/** Bytes of a value, starting on a multiple of 8. Rejects where they cannot be had. */
export type Load = (blob: Blob) => Promise<Uint8Array<ArrayBuffer>>;

/** A release that holds this value and no other. */
export async function openValue(
  manifest: Manifest,
  blob: Blob,
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<Result<Release, BlobProblem>> {
  const release = new Release(manifest, keys);
  const installed = await release.install(blob, bytes);
  return installed.ok ? { ok: true, value: release } : installed;
}
