/**
 * A daily push: half a percent of the numbers has changed, and the values missing in KV are uploaded. Uses
 * the real build of both days and the real upload, into a KV in memory.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildResult, build } from '../cli/commands/build.ts';
import { Upload, type Uploaded } from '../cli/publish/upload.ts';
import type { Kv } from '../cli/publish/wrangler.ts';
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import { blobsOf } from '../shared/release/manifest.ts';
import { entropyBits } from './entropy.ts';
import { temporaryFolder } from './leftovers.ts';
import { writeTails } from './number-files.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import { type Row, row } from './row.ts';
import { hasTail, randomFrom, randomTails } from './sets.ts';
import { type Days, shardRows } from './shards.ts';

/** Shares of the numbers per day. */
const ADDED = 0.0025;
const REMOVED = 0.0025;

export async function pushBench(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of sizesOf(options, [5_000_000], [200_000])) {
    const before = randomTails(count, options.seed);
    const days = { before, after: nextDay(before, count, options.seed + 1), count };
    rows.push(...(await pushRows(days)), ...(await shardRows(days)));
  }
  return rows;
}

/** The changes are random, because numbers are given up and assigned in no order. */
function nextDay(before: Uint8Array, count: number, seed: number): Uint8Array {
  const random = randomFrom(seed);
  const after = before.slice();
  const change = (changes: number, wasListed: boolean): void => {
    for (let made = 0; made < changes; ) {
      const tail = random() % SUFFIX_COUNT;
      // A number changes only once, because a second change on the same day would undo the first.
      if (hasTail(before, tail) !== wasListed || hasTail(after, tail) !== wasListed) continue;
      after[tail >>> 3]! ^= 1 << (tail & 7);
      made++;
    }
  };
  change(Math.round(count * ADDED), false);
  change(Math.round(count * REMOVED), true);
  return after;
}

async function pushRows({ before, after, count }: Days): Promise<Row[]> {
  const { path: folder, remove } = temporaryFolder('push');
  try {
    const first = await buildOf(folder, before);
    const second = await buildOf(folder, after);
    const held = new Set(blobsOf(first.manifest).map(({ key }) => key));
    const changed = blobsOf(second.manifest).filter(({ key }) => !held.has(key)).length;
    const full = await upload(second, new Set());
    const daily = await upload(second, held);
    const name = `push, 0.5 % of ${count.toLocaleString('en')} changed`;
    const all = `full push: ${full.uploadedBytes.toLocaleString('en')}`;
    // The bound has two parts: which listed numbers were removed, and which others were added. `entropyBits`
    // covers one of them.
    const [gone, come] = [count * REMOVED, count * ADDED];
    const bound = (gone * entropyBits(gone, count) + come * entropyBits(come, SUFFIX_COUNT - count)) / 8;
    const values = (peer: string, of: number, reach: number | null): Row =>
      row(`${name}: values uploaded`, daily.uploaded, '', `${peer}: ${of}`, daily.uploaded / of, reach);
    const bytes = daily.uploadedBytes;
    return [
      values('values that changed', changed, 1),
      values('full push', full.uploaded, null),
      row(`${name}: uploaded`, bytes, 'bytes', all, bytes / full.uploadedBytes, null),
      row(
        `${name}: uploaded`,
        bytes,
        'bytes',
        `entropy of the change: ${Math.round(bound).toLocaleString('en')}`,
        bytes / bound,
        null,
      ),
    ];
  } finally {
    remove();
  }
}

async function buildOf(folder: string, set: Uint8Array): Promise<BuildResult> {
  await writeTails(join(folder, 'numbers.txt'), set);
  const lists = [{ name: 'bench', reason: 'NUMBER_SUSPENDED', authority: 'bench' }];
  const catalogue = join(folder, 'lists.json');
  writeFileSync(catalogue, JSON.stringify({ lists, inputs: [{ file: 'numbers.txt', list: 'bench' }] }));
  return build({ catalogue, builds: join(folder, 'out'), maxRejects: 0.01, admin: null });
}

/** @param held keys that are in KV already */
async function upload({ folder, manifest }: BuildResult, held: ReadonlySet<string>): Promise<Uploaded> {
  const put = new Map<string, number>();
  const kv: Kv = {
    name: `in memory, ${held.size} held`,
    bulkBytesMax: 2 ** 26,
    keys: async () => [...held],
    put: async () => undefined,
    bulkPut: async (values) => {
      for (const [key, bytes] of values) put.set(key, bytes.length);
    },
  };
  const run = new Upload(folder, manifest, kv);
  await run.run(held);
  const { result } = run;
  const bytes = [...put.values()].reduce((sum, each) => sum + each, 0);
  if (bytes !== result.uploadedBytes)
    throw new Error(`${bytes} bytes came, and ${result.uploadedBytes} were told`);
  return result;
}
