/**
 * The processor time of a check at one edge and at another, in turns: by `/v1/check`, in a batch, in a stream, and of a
 * gateway. All of the runtime counts, whatever else the machine does.
 */
import type { SimulatedEdge } from '../simulation/edge.ts';
import { threadNs } from './process-usage.ts';
import { isClearOf, median, middle, ratiosOf } from './statistics.ts';
import { type Row, row, short } from './table.ts';

interface Repeats {
  /** New pairs of processes, whose sides take turns to start first. */
  readonly pairs: number;
  /** More pairs follow, up to this many, while the result is too near the target to tell. */
  readonly mostPairs: number;
  /** Turns of both sides in a pair, for each kind of check. */
  readonly rounds: number;
}

/** Turns scatter by 0.1 on a shared machine, and pairs by 0.01: many rounds, and a few pairs. */
const WITH_TARGET: Repeats = { pairs: 5, mostPairs: 15, rounds: 40 };
const WITHOUT_TARGET: Repeats = { pairs: 3, mostPairs: 3, rounds: 8 };
const SMALL: Repeats = { pairs: 1, mostPairs: 1, rounds: 1 };
/** A single check is filled up with spaces, so that a turn has some hundred of them. */
const CHECK_CHARS = 1_024;
const BATCH_ITEMS = 1_000;
const STREAM_LINES = 20_000;
const JSON_TYPE = 'application/json';

export interface CheckedText {
  readonly from?: string;
  readonly to?: string;
}

export interface ComparedEdges {
  /** Starts the edge that is measured. */
  readonly own: () => Promise<SimulatedEdge>;
  /** Starts the one that it is compared with. */
  readonly plain: () => Promise<SimulatedEdge>;
  /** What the baseline is. */
  readonly words: string;
}

interface Kind {
  readonly path: string;
  readonly type: string;
  readonly body: string;
  /** Checks in a body. */
  readonly count: number;
  /** Whether it is compared in small runs. */
  readonly isSmall: boolean;
  /** ID of the client that posts it; without one, the usual client. */
  readonly client?: string;
}

interface CompareOptions {
  readonly small: boolean;
  /** Of the ratio; null for none. */
  readonly target: number | null;
  /** ID of a client of both edges with the right `gateway`: its checks are compared as well. */
  readonly gateway?: string;
}

/** Processor time of each check, in µs, of both edges in turns. */
interface Times {
  readonly own: number[];
  readonly plain: number[];
}

interface Comparison {
  readonly kind: Kind;
  /** Of each pair of processes. */
  readonly times: Times[];
}

export async function compareChecks(
  name: string,
  edges: ComparedEdges,
  textOf: (index: number) => CheckedText,
  { small, target, gateway }: CompareOptions,
): Promise<Row[]> {
  const comparisons = kindsOf(textOf, gateway)
    .filter(({ isSmall }) => isSmall || !small)
    .map((kind): Comparison => ({ kind, times: [] }));
  const { pairs, mostPairs, rounds } = small ? SMALL : target === null ? WITHOUT_TARGET : WITH_TARGET;
  for (let pair = 0; pair < mostPairs; pair++) {
    const open = comparisons.filter(
      ({ times }) => pair < pairs || (target !== null && !isClearOf(target, ratiosOfPairs(times))),
    );
    if (open.length === 0) break;
    const [first, second] = pair % 2 === 0 ? [edges.own, edges.plain] : [edges.plain, edges.own];
    const started = [await first(), await second()] as const;
    const [own, plain] = pair % 2 === 0 ? started : [started[1], started[0]];
    try {
      for (const { kind, times } of open) times.push(await timePair(own, plain, kind, rounds));
    } finally {
      await own.worker.stop();
      await plain.worker.stop();
    }
  }
  return comparisons.map(({ kind, times }) => {
    const us = (side: keyof Times): number => median(times.flatMap((each) => each[side]));
    const baseline = `${edges.words}: ${short(us('plain'))} µs, ${times.length} pairs`;
    const ratio = middle(ratiosOfPairs(times));
    return row(`${name}: ${kind.path}, each`, us('own'), 'µs CPU', baseline, ratio, target);
  });
}

/** One ratio of each pair of processes. */
function ratiosOfPairs(times: readonly Times[]): number[] {
  return times.map(({ own, plain }) => middle(ratiosOf(own, plain)));
}

function kindsOf(textOf: (index: number) => CheckedText, gateway: string | undefined): Kind[] {
  const items = Array.from({ length: STREAM_LINES }, (_, index) => textOf(index));
  const one = JSON.stringify(textOf(1)).padEnd(CHECK_CHARS);
  const batch = JSON.stringify({ items: items.slice(0, BATCH_ITEMS) });
  const lines = items.map((item) => `${JSON.stringify(item)}\n`).join('');
  const kinds: Kind[] = [
    { path: '/v1/check', type: JSON_TYPE, body: one, count: 1, isSmall: false },
    { path: '/v1/check/batch', type: JSON_TYPE, body: batch, count: BATCH_ITEMS, isSmall: true },
    {
      ...{ path: '/v1/check/stream', type: 'application/x-ndjson', body: lines, count: STREAM_LINES },
      isSmall: false,
    },
  ];
  if (gateway !== undefined) {
    const path = '/v1/gateway/check';
    kinds.push({ path, type: JSON_TYPE, body: one, count: 1, isSmall: true, client: gateway });
  }
  return kinds;
}

async function timePair(
  own: SimulatedEdge,
  plain: SimulatedEdge,
  kind: Kind,
  rounds: number,
): Promise<Times> {
  // Compiles the code.
  for (const edge of [own, plain]) await timeOf(edge, kind);
  const times: Times = { own: [], plain: [] };
  // In turns, and each first in half of them, so that caches and clock rates are alike.
  for (let round = 0; round < rounds; round++) {
    const turns = [
      async () => times.own.push(await timeOf(own, kind)),
      async () => times.plain.push(await timeOf(plain, kind)),
    ];
    for (const run of round % 2 === 0 ? turns : turns.toReversed()) await run();
  }
  return times;
}

async function timeOf(edge: SimulatedEdge, { path, type, body, count, client }: Kind): Promise<number> {
  const began = threadNs(edge.worker.pids);
  const clients = client === undefined ? {} : { body: client };
  const { body: timing } = await edge.timeBodies(path, { body }, 1, { type, clients });
  if (timing!.status !== 200) throw new Error(`${path} returned ${timing!.status}`);
  return (threadNs(edge.worker.pids) - began) / 1_000 / timing!.requests / count;
}
