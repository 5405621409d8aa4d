/**
 * One lookup in workerd, compared with a floor (the same permutation and one probe of a plain bitmap), with
 * structures from npm, and with itself from 10^5 to 4 x 10^7 numbers. Also measures its allocations.
 */
import { askedPlaces } from './asked.ts';
import { type Measuring, startMeasuring } from './measuring.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import { type Row, row } from './row.ts';
import { benchKeys, invertedPlaces, placesOf, randomTails, releaseOfImages } from './sets.ts';
import type { Side, Times } from './told.ts';

const COUNTS = [5_000_000, 20_000_000];
const COUNTS_SMALL = [1_000_000];
/** List sizes whose lookups are compared with each other. */
const STEPS = [100_000, 1_000_000, 5_000_000, 20_000_000, 40_000_000];
const STEPS_SMALL = [100_000, 1_000_000];
/** Relative to the floor, and the slowest size relative to the fastest. */
const FLOOR_REACH = 3;
const GROWTH_REACH = 2.5;
/**
 * Bytes per lookup. The measurement's own allocations over a million lookups stay below it, and one object is
 * more than a thousand times larger.
 */
const ALLOCATED_REACH = 0.01;
/** A `Set` of more numbers exceeds the memory of an isolate. */
const SET_MAX = 5_000_000;
/** The bitmap of the floor takes 12.5 MB per prefix. */
const HEADS_MAX = 16;
const ROUNDS = 10;
const ASKED = 1_000_000;
const ASKED_SMALL = 200_000;

export async function queryBench(options: BenchOptions): Promise<Row[]> {
  if (options.heads > HEADS_MAX) throw new Error(`query: the floor holds at most ${HEADS_MAX} heads`);
  const counts = sizesOf(options, COUNTS, COUNTS_SMALL);
  const steps = sizesOf(options, STEPS, STEPS_SMALL);
  const rows: Row[] = [];
  const growth: number[] = [];
  const worker = await startMeasuring('query');
  try {
    for (const count of [...new Set([...steps, ...counts])].sort((a, b) => a - b)) {
      const isMain = counts.includes(count);
      const name = `query, ${count.toLocaleString('en')} listed`;
      await load(worker, count, isMain, options);
      const wrong = await worker.told<number>('/differences');
      if (wrong !== 0) throw new Error(`${name}: ${wrong} answers are unlike the bitmap's`);
      const times = await worker.told<Times>(`/timed?rounds=${ROUNDS}`);
      if (steps.includes(count)) growth.push(least(times.oursAlone!));
      if (!isMain) continue;
      rows.push(...rowsOf(name, times));
      rows.push(await allocatedRow(name, worker));
    }
    return steps.length < 2 ? rows : [...rows, growthRow(growth, steps)];
  } finally {
    await worker.stop();
  }
}

/** Gives the Worker a release and its peers. @param isMain whether to compare with other structures too */
async function load(worker: Measuring, count: number, isMain: boolean, options: BenchOptions): Promise<void> {
  const { small, seed, heads, hits } = options;
  const keys = await benchKeys();
  const images = randomTails(count, seed, heads);
  const { built } = await releaseOfImages(images, keys);
  await worker.ask('/release', JSON.stringify(built.manifest));
  for (const { key } of built.manifest.shards) {
    const installed = await worker.ask(`/value?key=${encodeURIComponent(key)}`, built.values.get(key)!);
    if (installed !== 'true') throw new Error(`${key} was refused`);
  }
  await worker.ask('/floor', images);
  const asked = askedPlaces(images, small ? ASKED_SMALL : ASKED, hits, seed + 2);
  await worker.ask('/asked', invertedPlaces(asked, keys.permutation));
  if (!isMain) return;
  const places = invertedPlaces(placesOf(images), keys.permutation);
  await worker.ask('/roaring', places);
  if (count <= SET_MAX) await worker.ask('/set', places);
  await worker.ask(`/bloom?numbers=${count}`);
}

function least(times: readonly number[]): number {
  return Math.min(...times);
}

const PEERS: Partial<Record<Side, string>> = {
  set: 'Set<number>, without the permutation',
  roaring: 'roaring-wasm, without the permutation',
  bloom: 'bloom-filters, 1 % wrong',
};

/** Compares our lookup with each peer. The floor's ratio is our minimum divided by the floor's minimum. */
function rowsOf(name: string, times: Times): Row[] {
  const ours = least(times.ours!);
  const against = (side: Side): string => `permutation and bitmap: ${least(times[side]!).toFixed(0)} ns`;
  const alone = least(times.oursAlone!);
  const permutation = `of it ${least(times.permutation!).toFixed(0)} permutation`;
  const rows = [
    row(name, alone, 'ns', against('floorAlone'), alone / least(times.floorAlone!), FLOOR_REACH),
    row(
      `${name}, in a row`,
      ours,
      'ns',
      `${against('floor')}, ${permutation}`,
      ours / least(times.floor!),
      null,
    ),
  ];
  for (const [side, peer] of Object.entries(PEERS) as [Side, string][]) {
    const taken = times[side];
    if (taken === undefined) continue;
    rows.push(
      row(
        `${name}, in a row`,
        ours,
        'ns',
        `${peer}: ${least(taken).toFixed(0)} ns`,
        ours / least(taken),
        null,
      ),
    );
  }
  return rows;
}

function growthRow(times: readonly number[], steps: readonly number[]): Row {
  const slowest = Math.max(...times);
  const sizes = `${Math.min(...steps).toLocaleString('en')} to ${Math.max(...steps).toLocaleString('en')}`;
  const each = times.map((time) => time.toFixed(0)).join(', ');
  return row(`query, ${sizes} listed`, slowest, 'ns', `${each} ns`, slowest / least(times), GROWTH_REACH);
}

/** For comparison, it also measures the same loop with one small object per lookup. */
async function allocatedRow(name: string, worker: Measuring): Promise<Row> {
  const inspector = await worker.inspector();
  try {
    const bytes = async (path: string): Promise<number> => {
      let asked = 0;
      const run = async (): Promise<void> => {
        asked = await worker.told<number>(path);
      };
      return (await inspector.allocated(run)) / asked;
    };
    // The allocations of the lookups are in every run, those of the compiler are not. So the minimum counts.
    const ours = least([await bytes('/run'), await bytes('/run'), await bytes('/run')]);
    const other = await bytes('/allocating');
    const peer = `with an object a query: ${other.toFixed(0)} byte`;
    if (other < 8) throw new Error('the measure of allocations does not see an object');
    return row(`${name}, allocated`, ours, 'byte', peer, null, ALLOCATED_REACH);
  } finally {
    inspector.close();
  }
}
