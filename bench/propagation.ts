/**
 * How long a change takes to become visible everywhere, the load on the coordinator, and the cost: a
 * simulated fleet (`fleet.ts`) in an assumed world (`world.ts`), run with the real policy of
 * `shared/propagation.ts`. docs/operations.md explains the table.
 *
 * Time to visible of a change at an isolate: time from the change to the last request that the isolate
 * answered without it; 0 if there was none. Percentiles are over all pairs of change and isolate.
 */
import { KV_MUTABLE_TTL_SECONDS } from '../shared/limits.ts';
import { Fleet } from './fleet.ts';
import type { BenchOptions } from './options.ts';
import { emptyWorkerCost, propagationCost } from './prices.ts';
import { type Row, row } from './row.ts';
import { randomFrom } from './sets.ts';
import { type Condition, standardWorld } from './world.ts';

const ISOLATES = [1_000, 10_000, 100_000];
const ISOLATES_SMALL = [1_000];

/** Targets at p99, in s: design, section 5. */
const HEALTHY_REACH_S = 15;
const FALLBACK_REACH_S = 90;
/** "Tens a second." */
const COORDINATOR_REACH = 99;

/** Warm-up: all isolates start cold. Nothing before this time is counted, in s. */
const SETTLED_S = 60;
/** Changes are made at random times, with this mean interval, in s. */
const CHANGE_GAP_S = 12;
const CHANGES_S = 90;
/** Extra time at the end, so that the last change becomes visible, in s. */
const SEEN_S = 90;
const OUTAGE_S = 600;

export async function propagationBench({ small, seed }: BenchOptions): Promise<Row[]> {
  return (small ? ISOLATES_SMALL : ISOLATES).flatMap((isolates) => [
    ...steady(isolates, 'healthy', seed),
    ...steady(isolates, 'slow', seed),
    ...outage(isolates, seed),
  ]);
}

/** The coordinator stays in one condition. */
function steady(isolates: number, condition: 'healthy' | 'slow', seed: number): Row[] {
  const random = seeded(seed + 6);
  const endS = SETTLED_S + CHANGES_S + SEEN_S;
  const changesS: number[] = [];
  for (let atS = SETTLED_S; ; ) {
    atS -= Math.log(1 - random()) * CHANGE_GAP_S;
    if (atS > SETTLED_S + CHANGES_S) break;
    changesS.push(atS);
  }
  const fleet = ran(isolates, random, endS, changesS, () => condition);
  const { counts } = fleet;
  const name = `${isolates.toLocaleString('en')} isolates, ${condition}`;
  const healthy = condition === 'healthy';
  const visible = seconds(changesS.map((_, change) => fleet.visibleMs(change)));
  const authority = rate(counts.authority, SETTLED_S, endS);
  const kvReads = rate(counts.kvReads, SETTLED_S, endS);
  const requests = rate(counts.requests, SETTLED_S, endS);
  const month = propagationCost(authority.mean, kvReads.mean, 1 / CHANGE_GAP_S);
  const empty = emptyWorkerCost(requests.mean);
  const rows = [
    visibleRow(`${name}: time to visible`, visible, healthy ? HEALTHY_REACH_S : FALLBACK_REACH_S),
    rateRow(`${name}: authority`, authority, 'request/s', COORDINATOR_REACH),
    rateRow(`${name}: KV reads of the head`, kvReads, 'read/s'),
    rateRow(`${name}: cache reads`, rate(counts.cacheReads, SETTLED_S, endS), 'read/s'),
    waitedRow(name, fleet, SETTLED_S, endS),
  ];
  if (!healthy) return rows;
  const peer = `empty Worker, ${Math.round(requests.mean).toLocaleString('en')} requests/s: ${dollars(empty)}`;
  return [...rows, row(`${name}: cost of a month`, month, '$', peer, month / empty, null)];
}

/** The coordinator fails for ten minutes. The last changes before the outage were written to KV. */
function outage(isolates: number, seed: number): Row[] {
  const random = seeded(seed + 7);
  const failsS = SETTLED_S + 30;
  const healsS = failsS + OUTAGE_S;
  const endS = healsS + SEEN_S;
  const before = [failsS - 3, failsS - 2, failsS - 1];
  // The first change after the outage shows when isolates are back to normal.
  const fleet = ran(isolates, random, endS, [...before, healsS], (now) =>
    now >= failsS * 1000 && now < healsS * 1000 ? 'failing' : 'healthy',
  );
  const { counts } = fleet;
  const name = `${isolates.toLocaleString('en')} isolates, failing`;
  const visible = seconds(before.map((_, change) => fleet.visibleMs(change)));
  const normal = seconds([fleet.visibleMs(before.length)]);
  const ordinary = rate(counts.authority, SETTLED_S, failsS);
  const healing = rate(counts.authority, healsS, endS);
  return [
    visibleRow(`${name}: time to visible through KV`, visible, FALLBACK_REACH_S),
    rateRow(
      `${name}: authority meanwhile`,
      rate(counts.authority, failsS, healsS),
      'request/s',
      COORDINATOR_REACH,
    ),
    rateRow(`${name}: KV reads of the head`, rate(counts.kvReads, failsS, healsS), 'read/s'),
    waitedRow(name, fleet, failsS, healsS),
    row(
      `${name}, then healed: all back to normal after`,
      quantile(normal, 1),
      's',
      `p50 ${quantile(normal, 0.5).toFixed(1)} s, p99 ${quantile(normal, 0.99).toFixed(1)} s`,
      null,
      null,
    ),
    row(
      `${name}, then healed: authority, peak`,
      healing.peak,
      'request/s',
      `peak before it failed: ${ordinary.peak}`,
      healing.peak / ordinary.peak,
      null,
    ),
  ];
}

function ran(
  isolates: number,
  random: () => number,
  endS: number,
  changesS: readonly number[],
  condition: (now: number) => Condition,
): Fleet {
  const world = standardWorld(isolates, KV_MUTABLE_TTL_SECONDS * 1000, random);
  const changesMs = changesS.map((atS) => Math.round(atS * 1000));
  const fleet = new Fleet({ world, endMs: endS * 1000, changesMs, condition });
  fleet.run();
  return fleet;
}

interface Rate {
  readonly mean: number;
  /** Highest count in one second. */
  readonly peak: number;
}

function rate(perSecond: Uint32Array, fromS: number, toS: number): Rate {
  const part = perSecond.subarray(fromS, toS);
  return { mean: sum(part) / part.length, peak: Math.max(...part) };
}

function rateRow(name: string, { mean, peak }: Rate, unit: string, reach: number | null = null): Row {
  return row(name, mean, unit, `peak ${peak.toLocaleString('en')}`, null, reach);
}

function visibleRow(name: string, sorted: Float64Array, reach: number): Row {
  const [p50, max] = [0.5, 1].map((share) => quantile(sorted, share).toFixed(1));
  return row(`${name}, p99`, quantile(sorted, 0.99), 's', `p50 ${p50} s, max ${max} s`, null, reach);
}

function waitedRow(name: string, { counts }: Fleet, fromS: number, toS: number): Row {
  const waited = sum(counts.waited.subarray(fromS, toS));
  const meanMs = sum(counts.waitedMs.subarray(fromS, toS)) / waited;
  const share = (100 * waited) / sum(counts.requests.subarray(fromS, toS));
  return row(`${name}: requests that wait`, share, '%', `${meanMs.toFixed(0)} ms in the mean`, null, null);
}

/** All values in one array, sorted, in s. */
function seconds(partsMs: readonly Float64Array[]): Float64Array {
  return new Float64Array(partsMs.flatMap((part) => [...part])).map((ms) => ms / 1000).sort();
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1]!;
}

function sum(values: Uint32Array | Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function seeded(seed: number): () => number {
  const random = randomFrom(seed);
  return () => random() / 2 ** 32;
}

function dollars(amount: number): string {
  return `$${Math.round(amount).toLocaleString('en')}`;
}
