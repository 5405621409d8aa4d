/**
 * Bytes of an exact set against the entropy bound, against filters that are not exact, and against sets in
 * the memory of Redis and of JavaScript that hold the same numbers. Every listed number and a large sample
 * of all others are asked before a size is told. A size is that of all values of a release,
 * whole shards with their headers; the manifest that names them is told beside it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { askingOrder } from '../cli/asking-order.ts';
import { PROJECT } from '../cli/paths.ts';
import { TAILS } from '../shared/numbers/number.ts';
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
/** Of the entropy bound. */
const RATIO_REACH = 1.12;
/** Of fewer numbers a head, the manifest and the headers of shards are no small part. */
const PROMISED_FROM = 100_000;
/** 5 million of 10^8 in at most so many bits each. */
const BITS_REACH = 7;
const BITS_REACH_COUNT = 5_000_000;
/** Numbers asked beside those that are listed. */
const CHECKS = 2_000_000;
const ASKED_AT_ONCE = 4_000_000;
/** More take Redis over ten seconds. */
const REDIS_MAX = 5_000_000;
const REDIS_KEY = 'listed';
/** A `Set` holds no more than 2^24 values. */
const SET_MAX = 2 ** 24;
/** A bitmap of a head takes 12.5 MB, and a place in all of them 31 bits. */
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

/** @throws where an answer is not what the bitmap says */
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
    // In the order in which they lie in the release: in any other, each would wait for memory.
    const askAll = (tails: Uint32Array): void => {
      for (let from = 0; from < tails.length; from += ASKED_AT_ONCE)
        askingOrder(tails.subarray(from, from + ASKED_AT_ONCE), keys.permutation).forEach(ask);
    };
    askAll(placesOf(ofHead));
    askAll(Uint32Array.from({ length: CHECKS / heads.length }, () => random() % TAILS));
  }
}

/** The bitmaps of the heads. */
function byHead(bits: Uint8Array): Uint8Array[] {
  const heads = (bits.length * 8) / TAILS;
  return Array.from({ length: heads }, (_, head) =>
    bits.subarray((head * TAILS) / 8, ((head + 1) * TAILS) / 8),
  );
}

/** Least bits of all that are listed: how many each head has is known, and which ones is chance. */
function boundBits(bits: Uint8Array): number {
  const counts = byHead(bits).map(countOf);
  return counts.reduce((sum, count) => sum + count * entropyBits(count, TAILS), 0);
}

/** Bloom filter with 1 % wrong answers, a number: ln(100) / ln(2)^2. */
const BLOOM_BITS = Math.log(100) / Math.LN2 ** 2;

/** Binary fuse filter of three hashes and a byte a place (Graf and Lemire 2022), a number. */
function fuse8Bits(count: number): number {
  const segment = Math.min(2 ** 18, 2 ** Math.floor(Math.log(count) / Math.log(3.33) + 2.25));
  const factor = Math.max(1.125, 0.875 + (0.25 * Math.log(1e6)) / Math.log(count));
  // Whole segments, of which the last two only end what begins before them.
  const segments = Math.max(1, Math.ceil(Math.round(count * factor) / segment) - 2) + 2;
  return (segments * segment * 8) / count;
}

/** Bits of a number in Redis, as it is written in Korea. */
async function redisBits(redis: Redis, places: Uint32Array): Promise<number> {
  const members = Array.from(places, (place) => String(HEAD * TAILS + place));
  await redis.ask(command('DEL', REDIS_KEY));
  await redis.fill(REDIS_KEY, members);
  return ((await redis.memoryOf(REDIS_KEY)) * 8) / members.length;
}

/** Bits of a number in a `Set` of nothing but tails, which are small enough to take no object of their own. */
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
