/**
 * One lookup in workerd, compared with a floor (the same permutation and one probe of a plain bitmap), with
 * structures from npm, and with itself from 10^5 to 4 x 10^7 numbers. Also measures its allocations.
 */
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { Permutation } from '../../shared/set/permutation.ts';
import { type BenchWorker, startBenchWorker } from '../lib/bench-worker.ts';
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import {
  benchKeys,
  hasSuffix,
  placesOf,
  randomFrom,
  randomSuffixes,
  releaseOf,
} from '../lib/random-lists.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import type { Structure, Times } from '../lib/worker-results.ts';

const COUNTS = [5_000_000, 20_000_000];
const COUNTS_SMALL = [200_000];
/** List sizes whose lookups are compared with each other. */
const STEPS = [100_000, 1_000_000, 5_000_000, 20_000_000, 40_000_000];
const STEPS_SMALL = [100_000, 200_000];
/** Targets, relative to the floor, and for the slowest size relative to the fastest. */
const FLOOR_TARGET = 3;
const GROWTH_TARGET = 2.5;
/**
 * Bytes per lookup. The measurement's own allocations stay below this over a million lookups, and one object
 * is more than a thousand times larger.
 */
const ALLOCATED_TARGET = 0.01;
/** A `Set` of more numbers exceeds the memory of an isolate. */
const SET_MAX = 5_000_000;
const ROUNDS = 10;
const ROUNDS_SMALL = 1;
const LOOKUPS = 1_000_000;
const LOOKUPS_SMALL = 200_000;

export async function queryBench(options: BenchOptions): Promise<Row[]> {
  const counts = sizesOf(options, COUNTS, COUNTS_SMALL);
  const steps = sizesOf(options, STEPS, STEPS_SMALL);
  const rows: Row[] = [];
  const growth: number[] = [];
  const worker = await startBenchWorker('query');
  for (const count of [...new Set([...steps, ...counts])].sort((a, b) => a - b)) {
    const isMain = counts.includes(count);
    const name = `query, ${withCommas(count)} listed`;
    await load(worker, count, isMain, options);
    const wrong = await worker.call<number>('/differences');
    if (wrong !== 0) throw new Error(`${name}: ${wrong} results differ from the bitmap's`);
    const times = await worker.call<Times>(`/time?rounds=${options.small ? ROUNDS_SMALL : ROUNDS}`);
    if (steps.includes(count)) growth.push(Math.min(...times.numgateDependent!));
    if (isMain) rows.push(...timeRows(name, times), await allocatedRow(name, worker));
  }
  await worker.stop();
  if (steps.length < 2) return rows;
  const sizes = `${withCommas(Math.min(...steps))} to ${withCommas(Math.max(...steps))}`;
  const slowest = Math.max(...growth);
  const all = `by size: ${growth.map((time) => time.toFixed(0)).join(', ')} ns`;
  rows.push(row(`query, ${sizes} listed`, slowest, 'ns', all, slowest / Math.min(...growth), GROWTH_TARGET));
  return rows;
}

/** Gives the Worker the same numbers in every structure. @param isMain whether to compare with npm packages */
async function load(
  worker: BenchWorker,
  count: number,
  isMain: boolean,
  options: BenchOptions,
): Promise<void> {
  const { small, seed, prefixes } = options;
  const keys = await benchKeys();
  const images = randomSuffixes(count, seed, prefixes);
  const { built } = await releaseOf(images, keys);
  await worker.call('/release', JSON.stringify(built.manifest));
  for (const { key } of built.manifest.shards) {
    const installed = await worker.call(`/value?key=${encodeURIComponent(key)}`, built.values.get(key)!);
    if (installed !== true) throw new Error(`${key} was rejected`);
  }
  await worker.call('/bitmap', images);
  const listed = placesOf(images);
  const lookups = randomLookups(images, listed, small ? LOOKUPS_SMALL : LOOKUPS, options);
  await worker.call('/lookups', invert(lookups, keys.permutation));
  if (!isMain) return;
  const places = invert(listed, keys.permutation);
  await worker.call('/roaring', places);
  if (count <= SET_MAX) await worker.call('/set', places);
  await worker.call(`/bloom?numbers=${count}`);
}

/** Places in random order. The share `hits` of them is listed. */
function randomLookups(
  bits: Uint8Array,
  listed: Uint32Array,
  count: number,
  { hits, seed }: BenchOptions,
): Uint32Array<ArrayBuffer> {
  const random = randomFrom(seed + 2);
  const below = (limit: number): number => Math.floor((random() / 2 ** 32) * limit);
  return new Uint32Array(count).map(() => {
    if (random() / 2 ** 32 < hits) return listed[below(listed.length)]!;
    let place = below(bits.length * 8);
    while (hasSuffix(bits, place)) place = below(bits.length * 8);
    return place;
  });
}

/** Inverts the permutation of these places, in the same order. */
function invert(images: Uint32Array<ArrayBuffer>, permutation: Permutation): Uint32Array<ArrayBuffer> {
  return images.map((image) => {
    const suffix = image % SUFFIX_COUNT;
    return image - suffix + permutation.invert(suffix);
  });
}

const PACKAGES: Partial<Record<Structure, string>> = {
  set: 'Set<number>, without the permutation',
  roaring: 'roaring-wasm, without the permutation',
  bloom: 'bloom-filters, 1 % wrong',
};

/** Every time is the minimum of all rounds. */
function timeRows(name: string, times: Times): Row[] {
  const compare = (
    label: string,
    own: Structure,
    other: Structure,
    baseline: string,
    target: number | null = null,
  ) => {
    const [ns, otherNs] = [Math.min(...times[own]!), Math.min(...times[other]!)];
    return row(label, ns, 'ns', `${baseline}: ${otherNs.toFixed(0)} ns`, ns / otherNs, target);
  };
  const permutation = `permutation (${Math.min(...times.permutation!).toFixed(0)} ns) and bitmap`;
  const consecutive = `${name}, consecutive`;
  return [
    compare(name, 'numgateDependent', 'bitmapDependent', 'permutation and bitmap', FLOOR_TARGET),
    compare(consecutive, 'numgate', 'bitmap', permutation),
    ...(Object.entries(PACKAGES) as [Structure, string][])
      .filter(([structure]) => times[structure] !== undefined)
      .map(([structure, baseline]) => compare(consecutive, 'numgate', structure, baseline)),
  ];
}

/** Also measures the same loop with one small object per lookup, for comparison. */
async function allocatedRow(name: string, worker: BenchWorker): Promise<Row> {
  const inspector = await worker.inspector();
  const bytes = async (path: string): Promise<number> => {
    let lookups = 0;
    const allocated = await inspector.allocated(async () => {
      lookups = await worker.call<number>(path);
    });
    return allocated / lookups;
  };
  // The allocations of the lookups are in every run, and those of the compiler are not. Hence the minimum.
  const least = Math.min(await bytes('/run'), await bytes('/run'), await bytes('/run'));
  const other = await bytes('/allocate');
  inspector.close();
  if (other < 8) throw new Error('the measurement of allocations does not detect an object');
  const baseline = `with one object per query: ${other.toFixed(0)} byte`;
  return row(`${name}, allocated`, least, 'byte', baseline, null, ALLOCATED_TARGET);
}
