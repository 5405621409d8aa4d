/**
 * Measuring Worker of the bench `query`: one isolate holds a release and its peers, compares what they
 * answer, and times loops over the same asked numbers. The clock of a local workerd goes on in a loop.
 * Numbers are told as places: from 0 on, head after head.
 */
import { BloomFilter } from 'bloom-filters';
import type { RoaringBitmap32 } from 'roaring-wasm';
import { TAILS } from '../../shared/numbers/number.ts';
import type { Manifest } from '../../shared/release/manifest.ts';
import { Release } from '../../shared/release/release.ts';
import { benchKeys, HEAD, hasTail } from '../sets.ts';
import type { Side, Times } from '../told.ts';
import { openRoaring } from './roaring.ts';

/** The Bloom filter takes so much longer that it is asked fewer, and holds the listed ones of those. */
const BLOOM_ASKED = 10_000;
/** The asked numbers are timed in so many slices. */
const SLICES = 5;
/** What the filter promises, as the bench `size` assumes it. */
const BLOOM_WRONG = 0.01;

const keys = await benchKeys();
const { permutation } = keys;
const { RoaringBitmap32: Roaring } = await openRoaring();

let release: Release;
/** One bit for each place, by its permuted tail. */
let floorBits = new Uint8Array(0);
let asked = new Uint32Array(0);
let set: Set<number> | null = null;
let roaring: RoaringBitmap32 | null = null;
let bloom: BloomFilter | null = null;

/** As `shared/look-up.ts` asks a list. */
function isListed(place: number): boolean {
  const ahead = (place / TAILS) | 0;
  const head = HEAD + ahead;
  const image = permutation.permute(place - ahead * TAILS);
  const part = release.shard(release.shardIndexOf(head, image))?.partOf(head, image);
  return part?.has(0, head, image) === true;
}

function isInFloor(place: number): boolean {
  const ahead = (place / TAILS) | 0;
  return hasTail(floorBits, ahead * TAILS + permutation.permute(place - ahead * TAILS));
}

/** 0, which the engine cannot know: places are below 2^31. */
function never(): number {
  return asked[0]! >>> 31;
}

/** A loop of its own for each, so that none is slowed down by what another one taught the engine. */
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
  // Each waits for the answer to the one before, as in a request of its own: in a row, the processor begins
  // several at once.
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
    for (let at = from; at < to; at++) odd += permutation.permute(asked[at]! % TAILS) & 1;
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

/** What a side must answer, one number after the other. */
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

/** How many answers are unlike the floor's; of the Bloom filter, which says yes too often, how many it misses. */
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
 * Round after round, each side once in each, over one slice of the asked numbers after the other: what
 * slows the machine down meets them all, and a short loop has the chance to be left alone.
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

/** Something is allocated for each query: what the measure of allocations must see. */
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
