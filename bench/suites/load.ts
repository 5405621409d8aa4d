/** Opens a release from its values, as a cold isolate does. Also measures what verifying the digests adds. */
import { sha256Hex } from '../../shared/bytes.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import { benchKeys, openRelease, randomSuffixes, releaseOf } from '../lib/random-lists.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';

const ROUNDS = 7;

export async function loadBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [5_000_000], [200_000]) as [number];
  const keys = await benchKeys();
  const { built } = await releaseOf(randomSuffixes(count, options.seed, options.prefixes), keys);
  const blobs = blobsOf(built.manifest);
  const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0);
  let [loadMs, digestMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await openRelease(built, keys);
    const loaded = performance.now();
    for (const blob of blobs) await sha256Hex(built.values.get(blob.key)!);
    loadMs = Math.min(loadMs, loaded - start);
    digestMs = Math.min(digestMs, performance.now() - loaded);
  }
  const name = `open a release of ${withCommas(count)} (${short(bytes / 2 ** 20)} MiB)`;
  const without = loadMs - digestMs;
  return [row(name, loadMs, 'ms', `without SHA-256: ${short(without)} ms`, loadMs / without)];
}
