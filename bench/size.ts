/**
 * Bytes of an exact set, compared with the entropy bound, with filters that are not exact, and with sets of
 * the same numbers in the memory of Redis and JavaScript. Before a size is reported, every listed number and
 * a large sample of all others are looked up. The size counts all values of a release: whole shards with
 * their headers. The manifest that names them is reported separately.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../cli/paths.ts';
import { queryOrder } from '../cli/proof/query-order.ts';
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import type { Release } from '../shared/release/release.ts';
import type { ListKeys } from '../shared/set/keys.ts';
import { NOT_LISTED } from '../shared/set/number-set.ts';
import { entropyBits } from './entropy.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import { command, Redis } from './redis.ts';
import { type Row, row, short } from './row.ts';
import { benchKeys, countOf, HEAD, hasTail, placesOf, randomFrom, randomTails, releaseOf } from './sets.ts';
import { skip } from './skipped.ts';

const COUNTS = [100_000, 1_000_000, 5_000_000, 10_000_000, 20_000_000];
const COUNTS_SMALL = [100_000, 1_000_000];
/** Target, relative to the entropy bound. */
const RATIO_REACH = 1.12;
/** With fewer numbers per prefix, the manifest and the shard headers are a large part. */
const PROMISED_FROM = 100_000;
/** Target for 5 million of 10^8: at most this many bits per number. */
const BITS_REACH = 7;
const BITS_REACH_COUNT = 5_000_000;
/** Numbers looked up in addition to the listed ones. */
const CHECKS = 2_000_000;
const ASKED_AT_ONCE = 4_000_000;
/** More take over ten seconds in Redis. */
const REDIS_MAX = 5_000_000;
const REDIS_KEY = 'listed';
/** A `Set` holds at most 2^24 values. */
const SET_MAX = 2 ** 24;
/** The bitmap of a prefix takes 12.5 MB, and a place across all of them 31 bits. */
const HEADS_MAX = 16;

export async function sizeBench(options: BenchOptions): Promise<Row[]> {
  const { seed, heads } = options;
  if (heads > HEADS_MAX) throw new Error(`size: at most ${HEADS_MAX} heads`);
  const redis = await Redis.start();
  if (redis === null) skip('redis-server', 'size: there is no redis-server, so no row against it');
  try {
    const rows: Row[] = [];
    for (const count of sizesOf(options, COUNTS, COUNTS_SMALL))
      rows.push(...(await sizeRows(randomTails(count, seed, heads), count, options, redis)));
    return rows;
  } finally {
    await redis?.stop();
  }
}

async function sizeRows(
  bits: Uint8Array,
  count: number,
  { seed, heads }: BenchOptions,
  redis: Redis | null,
): Promise<Row[]> {
  const keys = await benchKeys();
  const { built, release } = await releaseOf(bits, keys);
  check(release, keys, bits, seed + 1);
  const places = placesOf(bits);
  const bytes = [...built.values.values()].reduce((sum, value) => sum + value.length, 0);
  const manifest = Buffer.byteLength(JSON.stringify(built.manifest));
  const each = (bytes * 8) / count;
  const name = `exact set, ${count.toLocaleString('en')} of ${heads === 1 ? '' : `${heads} x `}10^8`;
  const against = (peer: string, bitsEach: number, reach: number | null = null): Row =>
    row(name, each, 'bit/number', `${peer}: ${short(bitsEach)}`, each / bitsEach, reach);
  const bound = boundBits(bits) / count;
  const whole = ((bytes + manifest) * 8) / count;
  const reach = count >= PROMISED_FROM * heads ? RATIO_REACH : null;
  const peer = `entropy bound: ${short(bound)} (${short(whole)} with the manifest)`;
  const rows = [row(name, each, 'bit/number', peer, each / bound, reach)];
  if (count === BITS_REACH_COUNT && heads === 1)
    rows.push(row(name, each, 'bit/number', `${bytes.toLocaleString('en')} bytes`, null, BITS_REACH));
  rows.push(against('binary fuse 8, 0.39 % wrong', fuse8Bits(count)));
  rows.push(against('Bloom, 1 % wrong', BLOOM_BITS));
  if (redis !== null && count <= REDIS_MAX)
    rows.push(against('Redis, set of strings, its MEMORY USAGE', await redisBits(redis, places)));
  if (count <= SET_MAX) rows.push(against('Set<number>, growth of the heap of Node', setBits(places)));
  return rows;
}

/** @throws if a result differs from the bitmap */
function check(release: Release, keys: ListKeys, bits: Uint8Array, seed: number): void {
  const random = randomFrom(seed);
  const heads = byHead(bits);
  for (const [ahead, ofHead] of heads.entries()) {
    const head = HEAD + ahead;
    const ask = (tail: number): void => {
      const image = keys.permutation.permute(tail);
      const part = release.shard(release.shardIndexOf(head, image))?.partOf(head, image);
      const listed = (part?.until(0, head, image, 0) ?? NOT_LISTED) !== NOT_LISTED;
      if (listed !== hasTail(ofHead, tail)) throw new Error(`a wrong answer for ${head} ${tail}`);
    };
    // In the order of the entries in the release. In any other order, each lookup would wait for memory.
    const askAll = (tails: Uint32Array): void => {
      for (let from = 0; from < tails.length; from += ASKED_AT_ONCE)
        queryOrder(tails.subarray(from, from + ASKED_AT_ONCE), keys.permutation).forEach(ask);
    };
    askAll(placesOf(ofHead));
    askAll(Uint32Array.from({ length: CHECKS / heads.length }, () => random() % SUFFIX_COUNT));
  }
}

/** The bitmaps of the prefixes. */
function byHead(bits: Uint8Array): Uint8Array[] {
  const heads = (bits.length * 8) / SUFFIX_COUNT;
  return Array.from({ length: heads }, (_, head) =>
    bits.subarray((head * SUFFIX_COUNT) / 8, ((head + 1) * SUFFIX_COUNT) / 8),
  );
}

/** Minimum bits for all listed numbers, if the count per prefix is known and the numbers are random. */
function boundBits(bits: Uint8Array): number {
  const counts = byHead(bits).map(countOf);
  return counts.reduce((sum, count) => sum + count * entropyBits(count, SUFFIX_COUNT), 0);
}

/** Bits per number of a Bloom filter with 1 % false positives: ln(100) / ln(2)^2. */
const BLOOM_BITS = Math.log(100) / Math.LN2 ** 2;

/** Bits per number of a binary fuse filter with three hashes and one byte per slot (Graf and Lemire 2022). */
function fuse8Bits(count: number): number {
  const segment = Math.min(2 ** 18, 2 ** Math.floor(Math.log(count) / Math.log(3.33) + 2.25));
  const factor = Math.max(1.125, 0.875 + (0.25 * Math.log(1e6)) / Math.log(count));
  // Whole segments. The last two only hold the ends of what begins in earlier ones.
  const segments = Math.max(1, Math.ceil(Math.round(count * factor) / segment) - 2) + 2;
  return (segments * segment * 8) / count;
}

/** Bits per number in Redis, with the numbers in full. */
async function redisBits(redis: Redis, places: Uint32Array): Promise<number> {
  const members = Array.from(places, (place) => String(HEAD * SUFFIX_COUNT + place));
  await redis.ask(command('DEL', REDIS_KEY));
  await redis.fill(REDIS_KEY, members);
  return ((await redis.memoryOf(REDIS_KEY)) * 8) / members.length;
}

/** Bits per number in a `Set` of suffixes only, which are small enough to need no object of their own. */
function setBits(places: Uint32Array): number {
  const script = join(PROJECT, 'bench', 'set-memory.ts');
  const env = { ...process.env, NODE_OPTIONS: '' };
  const child = spawnSync(process.execPath, ['--expose-gc', script], {
    env,
    input: new Uint8Array(places.buffer),
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(`${script} failed: ${child.stderr}`);
  return (Number(child.stdout) * 8) / places.length;
}
