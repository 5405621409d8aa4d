/**
 * Compares the processor time of a check at two edges, which take turns: by `/v1/check`, in a batch, in a stream, and from a
 * gateway. The time covers the whole runtime and does not depend on other load of the machine.
 */
import type { SimulatedEdge } from '../simulation/edge.ts';
import { threadNs } from './process-usage.ts';
import { isClearOf, median, middle, ratiosOf } from './statistics.ts';
import { type Row, row, short } from './table.ts';

interface Repeats {
  /** New pairs of processes. The two sides take turns to start first. */
  readonly pairs: number;
  /** Maximum number of pairs. Pairs are added while the result is too near the target to decide. */
  readonly mostPairs: number;
  /** Turns of both sides in a pair, for each kind of check. */
  readonly rounds: number;
}

/** On a shared machine, turns scatter by 0.1 and pairs by 0.01. Hence many rounds and few pairs. */
const WITH_TARGET: Repeats = { pairs: 5, mostPairs: 15, rounds: 40 };
const WITHOUT_TARGET: Repeats = { pairs: 3, mostPairs: 3, rounds: 8 };
const SMALL: Repeats = { pairs: 1, mostPairs: 1, rounds: 1 };
/** A single check is padded with spaces, so that a turn has a few hundred of them. */
const CHECK_CHARS = 1_024;
const BATCH_ITEMS = 1_000;
const STREAM_LINES = 20_000;
const JSON_TYPE = 'application/json';

export interface CheckedText {
  readonly from?: string;
  readonly to?: string;
}

export interface ComparedEdges {
  /** Starts the edge under test. */
  readonly own: () => Promise<SimulatedEdge>;
  /** Starts the baseline edge. */
  readonly plain: () => Promise<SimulatedEdge>;
  /** Describes the baseline in the results. */
  readonly words: string;
}

interface Kind {
  readonly path: string;
  readonly type: string;
  readonly body: string;
  /** Checks in a body. */
  readonly count: number;
  /** Whether small runs include this kind. */
  readonly isSmall: boolean;
  /** ID of the client that posts the body. Without it, the usual client does. */
  readonly client?: string;
}

interface CompareOptions {
  readonly small: boolean;
  /** Upper bound of the ratio; null for none. */
  readonly target: number | null;
  /** ID of a client of both edges with the right `gateway`. If given, its gateway checks are compared too. */
  readonly gateway?: string;
}

/** Processor time of each check at both edges, in µs. */
interface Times {
  readonly own: number[];
  readonly plain: number[];
}

interface Comparison {
  readonly kind: Kind;
  /** One element for each pair of processes. */
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
  // The first turn compiles the code.
  for (const edge of [own, plain]) await timeOf(edge, kind);
  const times: Times = { own: [], plain: [] };
  // The sides take turns, and each side is first in half of the rounds, so that caches and clock rates are alike.
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
