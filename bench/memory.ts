/**
 * Memory of an edge isolate with a large release, and its peak while another release replaces it: one that
 * differs in some numbers, and one that differs in all. Measures the heap and the buffers outside it, as the
 * isolate's engine reports them. The platform limits these. The process also contains the runtime.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HEAD_FRESH_MS } from '../shared/limits.ts';
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import { EdgeWorld } from './edge-world.ts';
import type { HeapUsage, Inspector } from './measuring.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import { type Row, row } from './row.ts';
import { benchKeys, HEAD, hasTail, randomFrom, randomTails, releaseOfImages } from './sets.ts';

/** Targets, of the 128 MB that an isolate has. */
const LOADED_REACH = 64;
const PEAK_REACH = 96;
/** Share of the numbers that is removed. The same number is added. */
const CHURN = 0.005;
/** Slows KV down, so that the loading of shards can be sampled, in ms. */
const KV_MS = 5;
/** Longest wait for a release, in ms. */
const WAIT_MS = 60_000;
/** Numbers checked after each step. */
const ASKED = 2_000;
const MB = 1e6;

export async function memoryBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [20_000_000], [1_000_000]);
  const { seed, heads } = options;
  const world = await EdgeWorld.start();
  const inspector = await world.worker.inspector();
  try {
    const first = randomTails(count!, seed, heads);
    const empty = await idle(world, inspector);
    await step(world, first, 1);
    const loaded = megabytes(await inspector.heap());
    const churned = await swap(world, inspector, churn(first, count!, seed), 2);
    const replaced = await swap(world, inspector, randomTails(count!, seed + 7, heads), 3);
    const name = `isolate, ${count!.toLocaleString('en')} listed`;
    const without = `without a release: ${empty.toFixed(1)} MB`;
    return [
      row(`${name}: memory`, loaded, 'MB', without, null, LOADED_REACH),
      row(`${name}: peak, ${CHURN * 100} % swapped`, churned.peak, 'MB', churned.after, null, PEAK_REACH),
      row(`${name}: peak, all swapped`, replaced.peak, 'MB', replaced.after, null, PEAK_REACH),
    ];
  } finally {
    inspector.close();
    await world.stop();
  }
}

function megabytes({ usedSize, backingStorageSize, embedderHeapUsedSize }: HeapUsage): number {
  return (usedSize + backingStorageSize + embedderHeapUsedSize) / MB;
}

/** Memory of the isolate before it has a release. */
async function idle(world: EdgeWorld, inspector: Inspector): Promise<number> {
  await world.worker.ask('/cold');
  return megabytes(await inspector.heap());
}

/** Publishes a release and waits until the isolate uses it. */
async function step(world: EdgeWorld, images: Uint8Array, seq: number): Promise<void> {
  const { built } = await releaseOfImages(images, await benchKeys());
  await world.publish(built, seq);
  await world.set({ kvMs: KV_MS, aheadMs: seq * 2 * HEAD_FRESH_MS });
  const deadline = performance.now() + WAIT_MS;
  while (!(await answersFrom(world, built.manifest.release, images))) {
    if (performance.now() > deadline) throw new Error(`the isolate does not take release ${seq}`);
    await sleep(20);
  }
}

/**
 * Sends a batch. @returns whether the response used this release @throws if it did and a verdict was wrong
 */
async function answersFrom(world: EdgeWorld, release: string, images: Uint8Array): Promise<boolean> {
  const random = randomFrom(images.length);
  // Numbers of 010 that exist. A rule covers the others.
  const tails = Array.from({ length: ASKED }, () => 20_000_000 + (random() % (SUFFIX_COUNT - 20_000_000)));
  const asked = await world.askAbout(tails.map((tail) => `+${HEAD * SUFFIX_COUNT + tail}`));
  if (asked.release !== release) return false;
  const { permutation } = await benchKeys();
  tails.forEach((tail, index) => {
    const expected = hasTail(images, permutation.permute(tail)) ? 'block' : 'allow';
    if (asked.verdicts[index] !== expected) throw new Error(`${asked.verdicts[index]}, not ${expected}`);
  });
  return true;
}

/** @returns the peak while the release was loaded, including garbage, and the memory afterwards */
async function swap(
  world: EdgeWorld,
  inspector: Inspector,
  images: Uint8Array,
  seq: number,
): Promise<{ peak: number; after: string }> {
  let peak = 0;
  let samples = 0;
  let done = false;
  const watch = async (): Promise<void> => {
    while (!done) {
      peak = Math.max(peak, megabytes(await inspector.heapNow()));
      samples++;
      await sleep(2);
    }
  };
  const watching = watch();
  await step(world, images, seq).finally(() => {
    done = true;
  });
  await watching;
  const left = megabytes(await inspector.heap());
  return { peak, after: `${left.toFixed(1)} MB once it is done, seen ${samples} times` };
}

/** The same numbers, with some removed and as many added. */
function churn(images: Uint8Array<ArrayBuffer>, count: number, seed: number): Uint8Array<ArrayBuffer> {
  const changed = images.slice();
  const random = randomFrom(seed + 6);
  const many = Math.floor(count * CHURN);
  for (let gone = 0, come = 0; gone < many || come < many; ) {
    const place = Math.floor((random() / 2 ** 32) * images.length * 8);
    const isListed = hasTail(changed, place);
    if (isListed ? gone >= many : come >= many) continue;
    changed[place >>> 3]! ^= 1 << (place & 7);
    if (isListed) gone++;
    else come++;
  }
  return changed;
}
