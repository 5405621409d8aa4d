/**
 * Runs the lookups of the benchmark `query`. One isolate holds a release and other structures with the same
 * numbers, compares their results, and times loops over the same numbers. The clock of a local workerd
 * advances during a loop. Numbers are encoded as places, which count from 0 through all prefixes in turn.
 */
import { BloomFilter } from 'bloom-filters';
import type { RoaringBitmap32 } from 'roaring-wasm';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { Manifest } from '../../shared/release/manifest.ts';
import { Release } from '../../shared/release/release.ts';
import { benchKeys, hasSuffix, PREFIX } from '../lib/random-lists.ts';
import type { Structure, Times } from '../lib/worker-results.ts';
import { openRoaring } from './roaring.ts';
import { serve } from './serve.ts';

/** The Bloom filter is much slower. It gets only this many lookups, and holds only the listed numbers among these. */
const BLOOM_LOOKUPS = 10_000;
/** Number of slices of the numbers. Each round times one slice. */
const SLICES = 5;
/** False positive rate of the filter. The benchmark `size` assumes the same rate. */
const BLOOM_FALSE_POSITIVES = 0.01;

const keys = await benchKeys();
const { permutation } = keys;
const { RoaringBitmap32: Roaring } = await openRoaring();

let release: Release;
/** One bit per place, by its permuted suffix. */
let bitmap = new Uint8Array(0);
let lookups = new Uint32Array(0);
let set: Set<number> | null = null;
let roaring: RoaringBitmap32 | null = null;
let bloom: BloomFilter | null = null;

/** Looks up a list as `shared/screening/look-up.ts` does. */
function isListed(place: number): boolean {
  const index = (place / SUFFIX_COUNT) | 0;
  const prefix = PREFIX + index;
  const image = permutation.permute(place - index * SUFFIX_COUNT);
  const part = release.shard(release.shardIndexOf(prefix, image))?.partOf(prefix, image);
  return part?.has(0, prefix, image) === true;
}

function isInBitmap(place: number): boolean {
  const start = ((place / SUFFIX_COUNT) | 0) * SUFFIX_COUNT;
  return hasSuffix(bitmap, start + permutation.permute(place - start));
}

/** Returns 0, because places are below 2^31. The engine cannot know that. */
function never(): number {
  return lookups[0]! >>> 31;
}

/** A separate loop for each structure, so that the engine's profile of one does not slow down another. */
const LOOPS: Record<Structure, (from: number, to: number) => number> = {
  numgate: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (isListed(lookups[at]!)) listed++;
    return listed;
  },
  bitmap: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (isInBitmap(lookups[at]!)) listed++;
    return listed;
  },
  // Each lookup waits for the result of the previous one, as if in a separate request. Otherwise the processor
  // overlaps several lookups.
  numgateDependent: (from, to) => {
    let listed = 0;
    let wait = 0;
    for (let at = from; at < to; at++) {
      const result = Number(isListed(lookups[at]! + wait));
      wait = result & never();
      listed += result;
    }
    return listed;
  },
  bitmapDependent: (from, to) => {
    let listed = 0;
    let wait = 0;
    for (let at = from; at < to; at++) {
      const result = Number(isInBitmap(lookups[at]! + wait));
      wait = result & never();
      listed += result;
    }
    return listed;
  },
  permutation: (from, to) => {
    let odd = 0;
    for (let at = from; at < to; at++) odd += permutation.permute(lookups[at]! % SUFFIX_COUNT) & 1;
    return odd;
  },
  set: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (set!.has(lookups[at]!)) listed++;
    return listed;
  },
  roaring: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (roaring!.has(lookups[at]!)) listed++;
    return listed;
  },
  bloom: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (bloom!.has(String(lookups[at]!))) listed++;
    return listed;
  },
};

function structures(): Structure[] {
  return [
    ...(['numgate', 'bitmap', 'numgateDependent', 'bitmapDependent', 'permutation'] as const),
    ...(set === null ? [] : (['set'] as const)),
    ...(roaring === null ? [] : (['roaring'] as const)),
    ...(bloom === null ? [] : (['bloom'] as const)),
  ];
}

/**
 * Counts the results that differ from the bitmap's. The Bloom filter has false positives, so only its false
 * negatives count.
 */
function differences(): number {
  const results: ((place: number) => boolean)[] = [isListed];
  if (set !== null) results.push((place) => set!.has(place));
  if (roaring !== null) results.push((place) => roaring!.has(place));
  let wrong = 0;
  for (const result of results) for (const place of lookups) if (result(place) !== isInBitmap(place)) wrong++;
  if (bloom !== null)
    for (const place of lookups.subarray(0, BLOOM_LOOKUPS))
      if (isInBitmap(place) && !bloom.has(String(place))) wrong++;
  return wrong;
}

/**
 * Each round times each structure once, over one slice of the numbers. Slowdowns of the machine then affect
 * all structures, and a short loop has a chance to run undisturbed.
 */
function time(rounds: number): Times {
  const times = Object.fromEntries(structures().map((name) => [name, [] as number[]])) as Times;
  const slice = Math.ceil(lookups.length / SLICES);
  for (let round = 0; round < rounds; round++) {
    for (const [name, own] of Object.entries(times) as [Structure, number[]][]) {
      const from = name === 'bloom' ? 0 : (round % SLICES) * slice;
      const to = Math.min(from + (name === 'bloom' ? BLOOM_LOOKUPS : slice), lookups.length);
      const start = performance.now();
      LOOPS[name](from, to);
      own.push(((performance.now() - start) * 1e6) / (to - from));
    }
  }
  return times;
}

function fillBloom(numbers: number): BloomFilter {
  const filter = BloomFilter.create(numbers, BLOOM_FALSE_POSITIVES);
  for (const place of lookups.subarray(0, BLOOM_LOOKUPS)) if (isInBitmap(place)) filter.add(String(place));
  return filter;
}

/** Allocates an object per lookup, which the measurement of allocations must detect. */
function allocate(): number {
  const made: { listed: boolean }[] = [];
  for (let at = 0; at < lookups.length; at++) made[at & 0xff] = { listed: isListed(lookups[at]!) };
  return made.filter(({ listed }) => listed).length;
}

export default serve({
  '/release': (_query, body) => {
    roaring?.dispose();
    release = new Release(JSON.parse(new TextDecoder().decode(body)) as Manifest, keys);
    [set, roaring, bloom] = [null, null, null];
  },
  '/value': async (query, body) => {
    const blob = release.manifest.shards.find(({ key }) => key === query.get('key'));
    return (await release.install(blob!, body)).ok;
  },
  '/bitmap': (_query, body) => {
    bitmap = body;
  },
  '/lookups': (_query, body) => {
    lookups = new Uint32Array(body.buffer);
  },
  '/set': (_query, body) => {
    set = new Set(new Uint32Array(body.buffer));
  },
  '/roaring': (_query, body) => {
    roaring = new Roaring(new Uint32Array(body.buffer));
  },
  '/bloom': (query) => {
    bloom = fillBloom(Number(query.get('numbers')));
  },
  '/differences': () => differences(),
  '/time': (query) => time(Number(query.get('rounds'))),
  '/run': () => {
    LOOPS.numgate(0, lookups.length);
    return lookups.length;
  },
  '/allocate': () => {
    allocate();
    return lookups.length;
  },
});
