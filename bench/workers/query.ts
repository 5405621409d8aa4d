/**
 * Measuring Worker of the benchmark `query`: one isolate holds a release and its peers, compares their
 * results, and times loops over the same numbers. The clock of a local workerd advances during a loop.
 * Numbers are encoded as places: counted from 0, prefix after prefix.
 */
import { BloomFilter } from 'bloom-filters';
import type { RoaringBitmap32 } from 'roaring-wasm';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { Manifest } from '../../shared/release/manifest.ts';
import { Release } from '../../shared/release/release.ts';
import { benchKeys, HEAD, hasTail } from '../sets.ts';
import type { Side, Times } from '../told.ts';
import { openRoaring } from './roaring.ts';

/**
 * The Bloom filter is so much slower that it gets fewer lookups, and holds only the listed numbers of those.
 */
const BLOOM_ASKED = 10_000;
/** Number of slices in which the numbers are timed. */
const SLICES = 5;
/** False positive rate of the filter, as the benchmark `size` assumes it. */
const BLOOM_WRONG = 0.01;

const keys = await benchKeys();
const { permutation } = keys;
const { RoaringBitmap32: Roaring } = await openRoaring();

let release: Release;
/** One bit per place, by its permuted suffix. */
let floorBits = new Uint8Array(0);
let asked = new Uint32Array(0);
let set: Set<number> | null = null;
let roaring: RoaringBitmap32 | null = null;
let bloom: BloomFilter | null = null;

/** Looks up a list as `shared/screening/look-up.ts` does. */
function isListed(place: number): boolean {
  const ahead = (place / SUFFIX_COUNT) | 0;
  const head = HEAD + ahead;
  const image = permutation.permute(place - ahead * SUFFIX_COUNT);
  const part = release.shard(release.shardIndexOf(head, image))?.partOf(head, image);
  return part?.has(0, head, image) === true;
}

function isInFloor(place: number): boolean {
  const ahead = (place / SUFFIX_COUNT) | 0;
  return hasTail(floorBits, ahead * SUFFIX_COUNT + permutation.permute(place - ahead * SUFFIX_COUNT));
}

/** Returns 0, but the engine cannot know that: places are below 2^31. */
function never(): number {
  return asked[0]! >>> 31;
}

/** A separate loop for each side, so that the engine's profile of one does not slow down another. */
const LOOPS: Record<Side, (from: number, to: number) => number> = {
  ours: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (isListed(asked[at]!)) listed++;
    return listed;
  },
  floor: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (isInFloor(asked[at]!)) listed++;
    return listed;
  },
  // Each lookup waits for the result of the one before, as if in a separate request. Back to back, the
  // processor overlaps several.
  oursAlone: (from, to) => {
    let listed = 0;
    let wait = 0;
    for (let at = from; at < to; at++) {
      const answer = Number(isListed(asked[at]! + wait));
      wait = answer & never();
      listed += answer;
    }
    return listed;
  },
  floorAlone: (from, to) => {
    let listed = 0;
    let wait = 0;
    for (let at = from; at < to; at++) {
      const answer = Number(isInFloor(asked[at]! + wait));
      wait = answer & never();
      listed += answer;
    }
    return listed;
  },
  permutation: (from, to) => {
    let odd = 0;
    for (let at = from; at < to; at++) odd += permutation.permute(asked[at]! % SUFFIX_COUNT) & 1;
    return odd;
  },
  set: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (set!.has(asked[at]!)) listed++;
    return listed;
  },
  roaring: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (roaring!.has(asked[at]!)) listed++;
    return listed;
  },
  bloom: (from, to) => {
    let listed = 0;
    for (let at = from; at < to; at++) if (bloom!.has(String(asked[at]!))) listed++;
    return listed;
  },
};

/** The result of a side for one number. */
const ANSWERS: Partial<Record<Side, (place: number) => boolean>> = {
  ours: isListed,
  set: (place) => set!.has(place),
  roaring: (place) => roaring!.has(place),
};

function present(): Side[] {
  const sides: Side[] = ['ours', 'floor', 'oursAlone', 'floorAlone', 'permutation'];
  if (set !== null) sides.push('set');
  if (roaring !== null) sides.push('roaring');
  if (bloom !== null) sides.push('bloom');
  return sides;
}

/**
 * How many results differ from the floor's. For the Bloom filter, which has false positives, only false
 * negatives count.
 */
function differences(): number {
  let wrong = 0;
  for (const side of present()) {
    const answer = ANSWERS[side];
    if (answer !== undefined) for (const place of asked) if (answer(place) !== isInFloor(place)) wrong++;
  }
  if (bloom !== null)
    for (const place of asked.subarray(0, BLOOM_ASKED))
      if (isInFloor(place) && !bloom.has(String(place))) wrong++;
  return wrong;
}

/**
 * Each round times each side once, over one slice of the numbers. Slowdowns of the machine affect all sides,
 * and a short loop may run undisturbed.
 */
function timed(rounds: number): Times {
  const sides = present().map((side) => ({ side, times: [] as number[] }));
  const slice = Math.ceil(asked.length / SLICES);
  for (let round = 0; round < rounds; round++) {
    for (const { side, times } of sides) {
      const from = side === 'bloom' ? 0 : (round % SLICES) * slice;
      const to = Math.min(from + (side === 'bloom' ? BLOOM_ASKED : slice), asked.length);
      const start = performance.now();
      LOOPS[side](from, to);
      times.push(((performance.now() - start) * 1e6) / (to - from));
    }
  }
  return Object.fromEntries(sides.map(({ side, times }) => [side, times]));
}

function fillBloom(numbers: number): BloomFilter {
  const filter = BloomFilter.create(numbers, BLOOM_WRONG);
  for (const place of asked.subarray(0, BLOOM_ASKED)) if (isInFloor(place)) filter.add(String(place));
  return filter;
}

/** Allocates an object per lookup, which the measurement of allocations must detect. */
function allocating(): number {
  const made: { listed: boolean }[] = [];
  for (let at = 0; at < asked.length; at++) made[at & 0xff] = { listed: isListed(asked[at]!) };
  return made.filter(({ listed }) => listed).length;
}

async function told(path: string, query: URLSearchParams, body: Uint8Array<ArrayBuffer>): Promise<unknown> {
  switch (path) {
    case '/release':
      roaring?.dispose();
      release = new Release(JSON.parse(new TextDecoder().decode(body)) as Manifest, keys);
      [set, roaring, bloom] = [null, null, null];
      return null;
    case '/value': {
      const blob = release.manifest.shards.find(({ key }) => key === query.get('key'));
      return (await release.install(blob!, body)).ok;
    }
    case '/floor':
      floorBits = body;
      return null;
    case '/asked':
      asked = new Uint32Array(body.buffer);
      return null;
    case '/set':
      set = new Set(new Uint32Array(body.buffer));
      return set.size;
    case '/roaring':
      roaring = new Roaring(new Uint32Array(body.buffer));
      return roaring.size;
    case '/bloom':
      bloom = fillBloom(Number(query.get('numbers')));
      return null;
    case '/differences':
      return differences();
    case '/timed':
      return timed(Number(query.get('rounds')));
    case '/run':
      LOOPS.ours(0, asked.length);
      return asked.length;
    case '/allocating':
      allocating();
      return asked.length;
    default:
      throw new Error(`there is no ${path}`);
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    try {
      return Response.json(await told(pathname, searchParams, body));
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};
