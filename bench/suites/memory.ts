/**
 * Memory of an edge isolate with a large release, and its peak while another release replaces it. One new
 * release differs in some numbers, and another in all. Measures the heap and the buffers outside it, as the
 * isolate's engine reports them. The platform limits these. The process also contains the runtime.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HEAD_FRESH_MS } from '../../shared/limits/edge.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { HeapUsage, Inspector } from '../lib/inspector.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import {
  benchKeys,
  churn,
  FIRST_SUFFIX,
  hasSuffix,
  PREFIX,
  randomFrom,
  randomSuffixes,
  releaseOf,
} from '../lib/random-lists.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import { type SimulatedEdge, startEdge } from '../simulation/edge.ts';

/** Targets in MB. An isolate has 128 MB. */
const LOADED_TARGET = 64;
const PEAK_TARGET = 96;
/** Share of the numbers that is removed. As many are added. */
const CHURN = 0.005;
/** Slows down each KV read by this many ms, so that memory can be sampled while shards load. */
const KV_MS = 5;
/** Longest wait for a release, in ms. */
const WAIT_MS = 60_000;
/** Numbers checked after each step. */
const CHECKS = 2_000;
const MB = 1e6;

export async function memoryBench(options: BenchOptions): Promise<Row[]> {
  const [count] = sizesOf(options, [20_000_000], [200_000]) as [number];
  const { seed, prefixes } = options;
  const edge = await startEdge();
  const inspector = await edge.worker.inspector();
  const first = randomSuffixes(count, seed, prefixes);
  await edge.worker.call('/cold');
  const empty = megabytes(await inspector.heap());
  await loadRelease(edge, first, 1);
  const loaded = megabytes(await inspector.heap());
  const changes = Math.floor(count * CHURN);
  const churned = await swap(edge, inspector, churn(first, changes, changes, seed + 6), 2);
  const replaced = await swap(edge, inspector, randomSuffixes(count, seed + 7, prefixes), 3);
  inspector.close();
  await edge.worker.stop();
  const name = `isolate, ${withCommas(count)} listed`;
  const without = `without a release: ${empty.toFixed(1)} MB`;
  return [
    row(`${name}: memory`, loaded, 'MB', without, null, LOADED_TARGET),
    row(`${name}: peak, ${CHURN * 100} % swapped`, churned.peak, 'MB', churned.note, null, PEAK_TARGET),
    row(`${name}: peak, all swapped`, replaced.peak, 'MB', replaced.note, null, PEAK_TARGET),
  ];
}

function megabytes({ usedSize, backingStorageSize, embedderHeapUsedSize }: HeapUsage): number {
  return (usedSize + backingStorageSize + embedderHeapUsedSize) / MB;
}

/** Publishes a release and waits until the isolate uses it. */
async function loadRelease(edge: SimulatedEdge, images: Uint8Array, seq: number): Promise<void> {
  const { built } = await releaseOf(images, await benchKeys());
  await edge.publish(built, seq);
  await edge.set({ kvMs: KV_MS, clockOffsetMs: seq * 2 * HEAD_FRESH_MS });
  const deadline = performance.now() + WAIT_MS;
  while (!(await uses(edge, built.manifest.release, images))) {
    if (performance.now() > deadline) throw new Error(`the isolate does not load release ${seq}`);
    await sleep(20);
  }
}

/** Checks a batch. @returns whether the response used this release @throws if it did and a verdict was wrong */
async function uses(edge: SimulatedEdge, release: string, images: Uint8Array): Promise<boolean> {
  const random = randomFrom(images.length);
  const { permutation } = await benchKeys();
  const suffixes = Array.from(
    { length: CHECKS },
    () => FIRST_SUFFIX + (random() % (SUFFIX_COUNT - FIRST_SUFFIX)),
  );
  const result = await edge.check(suffixes.map((suffix) => `+${PREFIX * SUFFIX_COUNT + suffix}`));
  if (result.release !== release) return false;
  for (const [index, suffix] of suffixes.entries()) {
    const expected = hasSuffix(images, permutation.permute(suffix)) ? 'block' : 'allow';
    const verdict = result.verdicts[index];
    if (verdict !== expected) throw new Error(`${suffix}: ${verdict} instead of ${expected}`);
  }
  return true;
}

/** @returns the peak while the release loads, including garbage, and the memory afterwards */
async function swap(
  edge: SimulatedEdge,
  inspector: Inspector,
  images: Uint8Array,
  seq: number,
): Promise<{ peak: number; note: string }> {
  let [peak, samples] = [0, 0];
  let done = false;
  const sample = async (): Promise<void> => {
    for (; !done; samples++) {
      peak = Math.max(peak, megabytes(await inspector.heapNow()));
      await sleep(2);
    }
  };
  const sampling = sample();
  await loadRelease(edge, images, seq).finally(() => {
    done = true;
  });
  await sampling;
  const after = megabytes(await inspector.heap());
  return { peak, note: `${after.toFixed(1)} MB afterwards, ${samples} samples` };
}
