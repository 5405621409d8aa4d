/**
 * Time until a change is visible everywhere, the load on the coordinator, and the cost. A simulated fleet
 * (`bench/simulation/fleet.ts`) runs the real policy of `shared/propagation.ts` in an assumed network (`network.ts`).
 * docs/operations.md explains the table.
 *
 * Time to visible of a change at an isolate: time from the change to the last request that the isolate answered without it; 0
 * if there was none. Percentiles are over all pairs of change and isolate.
 */
import { KV_MUTABLE_TTL_SECONDS } from '../../shared/limits/edge.ts';
import {
  cost,
  KV_READS,
  KV_WRITES,
  objectCost,
  SECONDS_PER_MONTH,
  WORKER_REQUESTS,
} from '../lib/cloudflare-prices.ts';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import { Fleet } from '../simulation/fleet.ts';
import { type Condition, standardNetwork } from '../simulation/network.ts';

const ISOLATES = [1_000, 10_000, 100_000];
const ISOLATES_SMALL = [1_000];

/** Targets at p99, in s, while the coordinator responds and while it does not. */
const HEALTHY_TARGET_S = 15;
const FALLBACK_TARGET_S = 90;
/** Target for requests per second: the documents promise "tens a second". */
const COORDINATOR_TARGET = 99;

/** Warm-up, because all isolates start cold. Nothing before this time is counted, in s. */
const SETTLED_S = 60;
/** Mean interval between changes, which come at random times, in s. */
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
  const random = randomShare(seed + 6);
  const endS = SETTLED_S + CHANGES_S + SEEN_S;
  const changesS: number[] = [];
  for (let atS = SETTLED_S; ; ) {
    atS -= Math.log(1 - random()) * CHANGE_GAP_S;
    if (atS > SETTLED_S + CHANGES_S) break;
    changesS.push(atS);
  }
  const fleet = runFleet(isolates, random, endS, changesS, () => condition);
  const { counts } = fleet;
  const name = `${withCommas(isolates)} isolates, ${condition}`;
  const isHealthy = condition === 'healthy';
  const visible = changesS.map((_, change) => fleet.visibleMs(change));
  const coordinator = rate(counts.coordinator, SETTLED_S, endS);
  const kvReads = rate(counts.kvReads, SETTLED_S, endS);
  const rows = [
    visibleRow(`${name}: time to visible`, visible, isHealthy ? HEALTHY_TARGET_S : FALLBACK_TARGET_S),
    rateRow(`${name}: coordinator`, coordinator, 'request/s', COORDINATOR_TARGET),
    rateRow(`${name}: KV reads of the head`, kvReads, 'read/s'),
    rateRow(`${name}: cache reads`, rate(counts.cacheReads, SETTLED_S, endS), 'read/s'),
    waitedRow(name, fleet, SETTLED_S, endS),
  ];
  if (!isHealthy) return rows;
  const perMonth = (perSecond: number): number => perSecond * SECONDS_PER_MONTH;
  const month =
    objectCost(perMonth(coordinator.mean)) +
    cost(KV_READS, perMonth(kvReads.mean)) +
    cost(KV_WRITES, perMonth(1 / CHANGE_GAP_S));
  const requests = rate(counts.requests, SETTLED_S, endS).mean;
  const empty = cost(WORKER_REQUESTS, perMonth(requests));
  const baseline = `empty Worker, ${withCommas(Math.round(requests))} requests/s: $${withCommas(Math.round(empty))}`;
  return [...rows, row(`${name}: cost per month`, month, '$', baseline, month / empty)];
}

/** The coordinator fails for ten minutes. The last changes before the outage were written to KV. */
function outage(isolates: number, seed: number): Row[] {
  const random = randomShare(seed + 7);
  const failsS = SETTLED_S + 30;
  const healsS = failsS + OUTAGE_S;
  const endS = healsS + SEEN_S;
  const before = [failsS - 3, failsS - 2, failsS - 1];
  // The first change after the outage shows when isolates are back to normal.
  const fleet = runFleet(isolates, random, endS, [...before, healsS], (now) =>
    now >= failsS * 1000 && now < healsS * 1000 ? 'failing' : 'healthy',
  );
  const { counts } = fleet;
  const name = `${withCommas(isolates)} isolates, failing`;
  const visible = before.map((_, change) => fleet.visibleMs(change));
  const [p50, p99, max] = quantilesS([fleet.visibleMs(before.length)]) as [number, number, number];
  const healthyPeak = rate(counts.coordinator, SETTLED_S, failsS).peak;
  const healedPeak = rate(counts.coordinator, healsS, endS).peak;
  const duringOutage = rate(counts.coordinator, failsS, healsS);
  const healed = `${name}, then healthy again`;
  const percentiles = `p50 ${p50.toFixed(1)} s, p99 ${p99.toFixed(1)} s`;
  return [
    visibleRow(`${name}: time to visible through KV`, visible, FALLBACK_TARGET_S),
    rateRow(`${name}: coordinator`, duringOutage, 'request/s', COORDINATOR_TARGET),
    rateRow(`${name}: KV reads of the head`, rate(counts.kvReads, failsS, healsS), 'read/s'),
    waitedRow(name, fleet, failsS, healsS),
    row(`${healed}: time until all isolates are back to normal`, max, 's', percentiles),
    row(
      `${healed}: coordinator, peak`,
      healedPeak,
      'request/s',
      `peak before it failed: ${healthyPeak}`,
      healedPeak / healthyPeak,
    ),
  ];
}

function runFleet(
  isolates: number,
  random: () => number,
  endS: number,
  changesS: readonly number[],
  condition: (now: number) => Condition,
): Fleet {
  const network = standardNetwork(isolates, KV_MUTABLE_TTL_SECONDS * 1000, random);
  const changesMs = changesS.map((atS) => Math.round(atS * 1000));
  const fleet = new Fleet({ network, endMs: endS * 1000, changesMs, condition });
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

function rateRow(name: string, { mean, peak }: Rate, unit: string, target: number | null = null): Row {
  return row(name, mean, unit, `peak ${withCommas(peak)}`, null, target);
}

function visibleRow(name: string, visibleMs: readonly Float64Array[], target: number): Row {
  const [p50, p99, max] = quantilesS(visibleMs) as [number, number, number];
  return row(`${name}, p99`, p99, 's', `p50 ${p50.toFixed(1)} s, max ${max.toFixed(1)} s`, null, target);
}

function waitedRow(name: string, { counts }: Fleet, fromS: number, toS: number): Row {
  const waited = sum(counts.waited.subarray(fromS, toS));
  const meanMs = sum(counts.waitedMs.subarray(fromS, toS)) / waited;
  const share = (100 * waited) / sum(counts.requests.subarray(fromS, toS));
  return row(`${name}: requests that wait`, share, '%', `${meanMs.toFixed(0)} ms on average`);
}

/** p50, p99 and maximum of all values, in s. */
function quantilesS(partsMs: readonly Float64Array[]): number[] {
  const ms = new Float64Array(partsMs.flatMap((part) => [...part]));
  return [0.5, 0.99, 1].map((share) => quantile(ms, share) / 1000);
}

function sum(values: Uint32Array | Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Random shares, 0 to 1. */
function randomShare(seed: number): () => number {
  const random = randomFrom(seed);
  return () => random() / 2 ** 32;
}
