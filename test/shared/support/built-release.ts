/**
 * Releases built and installed from plain lists, with the test keys and fixed times.
 */
import { type BuiltRelease, buildRelease } from '../../../shared/build/release.ts';
import { type Blob, blobsOf } from '../../../shared/release/manifest.ts';
import { Release } from '../../../shared/release/release.ts';
import { listSource, type PlainList } from './plain-model.ts';
import { testKeys } from './test-keys.ts';

export const OPTIONS = { base: null, createdAt: new Date('2026-11-24T03:12:09Z'), foldedSeq: 7 };

export async function build(lists: readonly PlainList[]): Promise<BuiltRelease> {
  const built = await buildRelease(
    lists.map((list) => listSource(list, testKeys)),
    testKeys,
    OPTIONS,
  );
  if (!built.ok) throw new Error(built.message);
  return built.value;
}

/** @param wanted selects the values to install; by default all */
export async function install(
  built: BuiltRelease,
  wanted: (blob: Blob) => boolean = () => true,
): Promise<Release> {
  const release = new Release(built.manifest, testKeys);
  for (const blob of blobsOf(built.manifest).filter(wanted)) {
    const installed = await release.install(blob, built.values.get(blob.key)!);
    if (!installed.ok) throw new Error(installed.message);
  }
  return release;
}

/** The end of a number's exact entry, as screen finds it in the release. */
export function exactUntil(release: Release, list: number, n: number, now: number): number {
  const prefix = Math.floor(n / 100_000_000);
  const image = release.keys.permutation.permute(n % 100_000_000);
  const index = release.shardIndexOf(prefix, image);
  if (index < 0) return -1;
  const shard = release.shard(index);
  if (shard === null) throw new Error(`shard ${index} is not there`);
  return shard.partOf(prefix, image).until(list, prefix, image, now);
}
