/**
 * How often enumeration is detected, and how often ordinary traffic raises a false alarm. The code that
 * production uses summarises and decides on simulated attacks and ordinary traffic (`bench/simulation/`).
 * Equal seeds give equal figures.
 */
import { detect } from '../../shared/enumeration/detect.ts';
import { scanKeyOf } from '../../shared/enumeration/scan-key.ts';
import { mergedSketch, ScanSketch } from '../../shared/enumeration/scan-sketch.ts';
import { SKETCH_GROWTH } from '../../shared/limits/enumeration.ts';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import { ORDINARY_TRAFFIC, type OrdinaryTraffic } from '../simulation/ordinary-traffic.ts';
import { ATTACKS, type Attack } from '../simulation/scans.ts';
import { type Random, Subscribers } from '../simulation/subscribers.ts';

/** Numbers of checked numbers, including ordinary ones, at which the rules are applied. */
const POINTS = [1_000, 10_000, 100_000, 1_000_000];
const POINTS_SMALL = [1_000, 10_000];
/** Every scan in equal steps must be detected within this many numbers. */
const STEPS_FOUND_BY = 100_000;
const RUNS = 4;
const RUNS_SMALL = 1;
/** Days of each kind of ordinary traffic in one run, and number of runs. */
const DAYS = 365;
const DAYS_SMALL = 8;
const YEARS = 1;
/** Days of the longer of the two windows. */
const WINDOW_DAYS = 30;

/** A slow scan checks this many numbers each day, in equal steps, through other isolates every day. */
const SLOW_NUMBERS = 3_000;
const SLOW_STEPS = [1, 97, 1_000, 7_919];

export async function enumerationRows(options: BenchOptions): Promise<Row[]> {
  const ordinary = options.small ? ORDINARY_TRAFFIC.slice(0, 3) : ORDINARY_TRAFFIC;
  return [
    ...ATTACKS.flatMap((attack) => attackRows(attack, options)),
    ...SLOW_STEPS.map((step) => slowRow(step, options)),
    ...ordinary.map((traffic) => ordinaryRow(traffic, options)),
  ];
}

function randomShare(seed: number): Random {
  const random = randomFrom(seed);
  return () => random() / 2 ** 32;
}

function isFound(sketch: ScanSketch, days: number): boolean {
  const data = sketch.data();
  return detect({ sketch: data, days, declaredNumbers: null }).length > 0;
}

function attackRows(attack: Attack, { small, seed }: BenchOptions): Row[] {
  const runs = small ? RUNS_SMALL : RUNS;
  const points = small ? POINTS_SMALL : POINTS;
  const found = points.map(() => 0);
  for (let run = 0; run < runs; run++) {
    for (const [index, hit] of runAttack(attack, points, seed + run * 7_919).entries()) found[index]! += +hit;
  }
  return points.flatMap((point, index) => {
    const isDue = point >= STEPS_FOUND_BY && !attack.isHopeless;
    const name = `scan found, ${attack.name}, ${withCommas(point)} numbers`;
    const target = isDue ? { atLeast: 1 } : null;
    return [row(name, found[index]! / runs, 'of runs', '', null, target)];
  });
}

/** @returns for each point whether the scan was detected by then */
function runAttack(attack: Attack, points: readonly number[], seed: number): boolean[] {
  const random = randomShare(seed);
  const key = scanKeyOf(Math.floor(random() * 2 ** 32));
  const people = new Subscribers(random);
  const sketches = Array.from({ length: attack.sketches }, () => new ScanSketch(key));
  const numbers = attack.numbers(random, people);
  let checked = 0;
  let isOver = false;
  let wasFound = false;
  const advance = (end: number): void => {
    for (; checked < end && !isOver; checked++) {
      const isOrdinary = attack.ordinaryPerNumber > 0 && random() * (attack.ordinaryPerNumber + 1) >= 1;
      const next = isOrdinary ? { value: people.mobile(), done: false } : numbers.next();
      isOver = next.done === true;
      const sketch = sketches.length === 1 ? 0 : Math.floor(random() * sketches.length);
      if (!isOver) sketches[sketch]!.seeTo(next.value as number);
    }
    const merged = mergedSketch(key);
    for (const sketch of sketches) merged.add(sketch.data());
    wasFound = isFound(merged, 1);
  };
  // As in production, apply the rules whenever the sketch has grown by a fixed share.
  return points.map((point) => {
    while (checked < point && !isOver && !wasFound) {
      advance(Math.min(point, Math.ceil(checked * SKETCH_GROWTH) + points[0]!));
    }
    return wasFound;
  });
}

/** The day on which slow reading is found, in the window of many days. */
function slowRow(step: number, { seed }: BenchOptions): Row {
  const random = randomShare(seed + step);
  const key = scanKeyOf(Math.floor(random() * 2 ** 32));
  const attack = ATTACKS.find(({ name }) => name === (step === 1 ? 'ascending' : `step ${step}`))!;
  const numbers = attack.numbers(random, new Subscribers(random));
  const merged = mergedSketch(key);
  const perDay = withCommas(SLOW_NUMBERS);
  for (let day = 1; day <= WINDOW_DAYS; day++) {
    const sketches = Array.from({ length: 100 }, () => new ScanSketch(key));
    for (let left = SLOW_NUMBERS; left > 0; left--) {
      sketches[Math.floor(random() * 100)]!.seeTo(numbers.next().value);
    }
    for (const sketch of sketches) merged.add(sketch.data());
    if (isFound(merged, WINDOW_DAYS)) {
      return row(`slow scan found, step ${step}, ${perDay} a day`, day, 'days', '', null, WINDOW_DAYS);
    }
  }
  return row(`slow scan not found, step ${step}, ${perDay} a day`, Number.POSITIVE_INFINITY, 'days');
}

function ordinaryRow(traffic: OrdinaryTraffic, { small, seed }: BenchOptions): Row {
  const days = small ? DAYS_SMALL : Math.ceil(DAYS * traffic.share);
  const years = small ? 1 : YEARS;
  let alarms = 0;
  for (let year = 0; year < years; year++) alarms += runOrdinary(traffic, days, seed + year * 104_729);
  const perYear = (alarms * DAYS) / (days * years);
  const name = `false alarms, ${traffic.name}`;
  return row(name, perYear, 'per organisation-year', `${days * years} days`, null, 0);
}

/** @returns days with an alarm */
function runOrdinary(traffic: OrdinaryTraffic, days: number, seed: number): number {
  const random = randomShare(seed);
  const key = scanKeyOf(Math.floor(random() * 2 ** 32));
  const numbersOfDays = traffic.days(random, new Subscribers(random));
  let alarms = 0;
  let window = mergedSketch(key);
  for (let day = 0; day < days; day++) {
    if (day % WINDOW_DAYS === 0) window = mergedSketch(key);
    const sketch = mergedSketch(key);
    for (const n of numbersOfDays.next().value as Iterable<number>) sketch.seeTo(n);
    if (sketch.isEmpty) continue;
    window.add(sketch.data());
    if (isFound(sketch, 1) || isFound(window, WINDOW_DAYS)) alarms++;
  }
  return alarms;
}
