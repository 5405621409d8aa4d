/**
 * Bytes of an exact set, compared with the entropy bound, with filters that are not exact, and with sets of
 * the same numbers in the memory of Redis and JavaScript. Before a size is reported, every listed number and a
 * large sample of all others are looked up. The size counts all values of a release: whole shards with their
 * headers. The manifest that names them is reported separately.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../../cli/paths.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { Release } from '../../shared/release/release.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import { entropyBits } from '../lib/entropy.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import {
  benchKeys,
  byPrefix,
  countOf,
  hasSuffix,
  PREFIX,
  placesOf,
  randomFrom,
  randomSuffixes,
  releaseOf,
} from '../lib/random-lists.ts';
import { Redis } from '../lib/redis.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';

const COUNTS = [100_000, 1_000_000, 5_000_000, 10_000_000, 20_000_000];
const COUNTS_SMALL = [100_000];
/** Target, relative to the entropy bound. */
const RATIO_TARGET = 1.12;
/** Below this many numbers per prefix there is no target, because the manifest and the shard headers are a large part. */
const TARGET_FROM = 100_000;
/** Target for 5 million of 10^8 numbers, in bits per number. */
const BITS_TARGET = 7;
const BITS_TARGET_COUNT = 5_000_000;
/** Numbers looked up per prefix in addition to the listed ones. */
const CHECKS = 2_000_000;
/** More numbers take over ten seconds in Redis. */
const REDIS_MAX = 5_000_000;
/** A `Set` holds at most 2^24 values. */
const SET_MAX = 2 ** 24;

export async function sizeBench(options: BenchOptions): Promise<Row[]> {
  const redis = await Redis.start('size');
  const rows: Row[] = [];
  for (const count of sizesOf(options, COUNTS, COUNTS_SMALL))
    rows.push(...(await sizeRows(count, options, redis)));
  await redis?.stop();
  return rows;
}

async function sizeRows(
  count: number,
  { seed, prefixes }: BenchOptions,
  redis: Redis | null,
): Promise<Row[]> {
  const images = randomSuffixes(count, seed, prefixes);
  const { built, release } = await releaseOf(images, await benchKeys());
  check(release, images, seed + 1);
  const bytes = [...built.values.values()].reduce((sum, value) => sum + value.length, 0);
  const manifest = Buffer.byteLength(JSON.stringify(built.manifest));
  const bits = (bytes * 8) / count;
  const name = `exact set, ${withCommas(count)} of ${prefixes === 1 ? '' : `${prefixes} x `}10^8`;
  const compare = (baseline: string, other: number, target: number | null = null, note = ''): Row =>
    row(name, bits, 'bit/number', `${baseline}: ${short(other)}${note}`, bits / other, target);
  const withManifest = ` (${short(((bytes + manifest) * 8) / count)} with the manifest)`;
  const target = count >= TARGET_FROM * prefixes ? RATIO_TARGET : null;
  const rows = [compare('entropy bound', boundBits(images) / count, target, withManifest)];
  if (count === BITS_TARGET_COUNT && prefixes === 1)
    rows.push(row(name, bits, 'bit/number', `${withCommas(bytes)} bytes`, null, BITS_TARGET));
  rows.push(compare('binary fuse 8, 0.39 % wrong', fuse8Bits(count)));
  rows.push(compare('Bloom, 1 % wrong', BLOOM_BITS));
  const places = placesOf(images);
  if (redis !== null && count <= REDIS_MAX)
    rows.push(compare('Redis, set of strings, by MEMORY USAGE', await redisBits(redis, places)));
  if (count <= SET_MAX) rows.push(compare('Set<number>, heap growth of Node', setBits(places)));
  return rows;
}

/** @throws if a result differs from the bitmap */
function check(release: Release, images: Uint8Array, seed: number): void {
  const random = randomFrom(seed);
  for (const [index, bits] of byPrefix(images).entries()) {
    const prefix = PREFIX + index;
    const lookUp = (image: number): void => {
      const part = release.shard(release.shardIndexOf(prefix, image))?.partOf(prefix, image);
      const listed = (part?.until(0, prefix, image, 0) ?? NOT_LISTED) !== NOT_LISTED;
      if (listed !== hasSuffix(bits, image)) throw new Error(`wrong result for ${prefix} ${image}`);
    };
    placesOf(bits).forEach(lookUp);
    Uint32Array.from({ length: CHECKS }, () => random() % SUFFIX_COUNT)
      .sort()
      .forEach(lookUp);
  }
}

/** Minimum bits for all listed numbers, if the count per prefix is known and the numbers are random. */
function boundBits(images: Uint8Array): number {
  const counts = byPrefix(images).map(countOf);
  return counts.reduce((sum, count) => sum + count * entropyBits(count, SUFFIX_COUNT), 0);
}

/** Bits per number of a Bloom filter with 1 % false positives: ln(100) / ln(2)^2. */
const BLOOM_BITS = Math.log(100) / Math.LN2 ** 2;

/** Bits per number of a binary fuse filter with three hashes and one byte per slot (Graf and Lemire 2022). */
function fuse8Bits(count: number): number {
  const segment = Math.min(2 ** 18, 2 ** Math.floor(Math.log(count) / Math.log(3.33) + 2.25));
  const factor = Math.max(1.125, 0.875 + (0.25 * Math.log(1e6)) / Math.log(count));
  // Whole segments. The last two hold only the ends of keys that begin in earlier segments.
  const segments = Math.max(1, Math.ceil(Math.round(count * factor) / segment) - 2) + 2;
  return (segments * segment * 8) / count;
}

/** Bits per number in Redis, with the numbers in full. */
async function redisBits(redis: Redis, places: Uint32Array): Promise<number> {
  await redis.fill(Array.from(places, (place) => String(PREFIX * SUFFIX_COUNT + place)));
  return ((await redis.memoryBytes()) * 8) / places.length;
}

/** Bits per number in a `Set` that holds only suffixes, which are small enough to need no object of their own. */
function setBits(places: Uint32Array): number {
  const script = join(PROJECT, 'bench', 'lib', 'measure-set-memory.ts');
  const child = spawnSync(process.execPath, ['--expose-gc', script], {
    env: { ...process.env, NODE_OPTIONS: '' },
    input: new Uint8Array(places.buffer),
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(`${script} failed: ${child.stderr}`);
  return (Number(child.stdout) * 8) / places.length;
}
