/**
 * A daily push: half a percent of the numbers has changed, and the values that KV lacks are uploaded. Uses the
 * real build of both days and the real upload, into a KV in memory. Then the same two days are split into
 * shards of other sizes.
 */
import { join } from 'node:path';
import { type BuildResult, build } from '../../cli/commands/build.ts';
import { Upload, type Uploaded } from '../../cli/publish/upload.ts';
import type { Kv } from '../../cli/publish/wrangler.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { writeCatalogue } from '../lib/catalogue.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import { entropyBits } from '../lib/entropy.ts';
import { writeNumbers } from '../lib/number-files.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import { churn, placesOf, randomSuffixes } from '../lib/random-lists.ts';
import { shardRows } from '../lib/shard-sizes.ts';
import { type Row, row, withCommas } from '../lib/table.ts';

/** Share of the numbers that is removed per day, at random. As many are added. */
const CHURN = 0.0025;

export async function pushBench(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of sizesOf(options, [5_000_000], [200_000])) {
    const changes = Math.round(count * CHURN);
    const bits = randomSuffixes(count, options.seed);
    const before = placesOf(bits);
    const after = placesOf(churn(bits, changes, changes, options.seed + 1));
    rows.push(...(await pushRows(before, after, changes)), ...shardRows(before, after));
  }
  return rows;
}

async function pushRows(before: Uint32Array, after: Uint32Array, changes: number): Promise<Row[]> {
  const count = before.length;
  const folder = temporaryFolder('push');
  const first = await buildNumbers(folder, before);
  const second = await buildNumbers(folder, after);
  const uploaded = new Set(blobsOf(first.manifest).map(({ key }) => key));
  const changed = blobsOf(second.manifest).filter(({ key }) => !uploaded.has(key)).length;
  const full = await upload(second, new Set());
  const daily = await upload(second, uploaded);
  const name = `push, 0.5 % of ${withCommas(count)} changed`;
  // The bound has two parts: which listed numbers were removed, and which numbers were added. `entropyBits`
  // covers one part.
  const bound = (changes / 8) * (entropyBits(changes, count) + entropyBits(changes, SUFFIX_COUNT - count));
  const compare = (
    unit: string,
    figure: number,
    baseline: string,
    other: number,
    target: number | null = null,
  ): Row =>
    row(
      `${name}: uploaded`,
      figure,
      unit,
      `${baseline}: ${withCommas(Math.round(other))}`,
      figure / other,
      target,
    );
  return [
    compare('values', daily.uploaded, 'changed values', changed, 1),
    compare('values', daily.uploaded, 'full push', full.uploaded),
    compare('bytes', daily.uploadedBytes, 'full push', full.uploadedBytes),
    compare('bytes', daily.uploadedBytes, 'entropy of the change', bound),
  ];
}

async function buildNumbers(folder: string, places: Uint32Array): Promise<BuildResult> {
  await writeNumbers(join(folder, 'suspended.txt'), places);
  return build({
    catalogue: writeCatalogue(folder),
    builds: join(folder, 'out'),
    maxRejects: 0.01,
    admin: null,
  });
}

/** @param present keys that KV already has */
async function upload({ folder, manifest }: BuildResult, present: ReadonlySet<string>): Promise<Uploaded> {
  let bytes = 0;
  const kv: Kv = {
    name: 'in memory',
    bulkBytesMax: 2 ** 26,
    keys: async () => [...present],
    put: async () => undefined,
    bulkPut: async (values) => {
      for (const [, value] of values) bytes += value.length;
    },
  };
  const run = new Upload(folder, manifest, kv);
  await run.run(present);
  if (bytes !== run.result.uploadedBytes)
    throw new Error(`${bytes} bytes were written, and ${run.result.uploadedBytes} reported`);
  return run.result;
}
