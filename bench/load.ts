/** Opens a release from its values: what a cold isolate does, and what verifying the digest adds. */
import { sha256Hex } from '../shared/bytes.ts';
import { blobsOf } from '../shared/release/manifest.ts';
import { Release } from '../shared/release/release.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import { type Row, row } from './row.ts';
import { benchKeys, randomTails, releaseOf } from './sets.ts';

const ROUNDS = 7;

export async function loadBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [5_000_000], [200_000]) as [number];
  const keys = await benchKeys();
  const { built } = await releaseOf(randomTails(count, options.seed, options.heads), keys);
  const blobs = blobsOf(built.manifest);
  const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0);
  const least = { load: Number.POSITIVE_INFINITY, digest: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const release = new Release(built.manifest, keys);
    for (const blob of blobs) {
      const installed = await release.install(blob, built.values.get(blob.key)!);
      if (!installed.ok) throw new Error(installed.message);
    }
    const loaded = performance.now();
    for (const blob of blobs) await sha256Hex(built.values.get(blob.key)!);
    least.load = Math.min(least.load, loaded - start);
    least.digest = Math.min(least.digest, performance.now() - loaded);
  }
  const name = `open a release of ${count.toLocaleString('en')} (${(bytes / 2 ** 20).toFixed(1)} MiB)`;
  const without = least.load - least.digest;
  return [
    row(name, least.load, 'ms', `without SHA-256: ${without.toFixed(1)} ms`, least.load / without, null),
  ];
}
