/**
 * One check over HTTP, with its key, on a direct socket: requests per second and latency. The baseline is a
 * Worker in the same process that receives the same requests and only responds `ok`. wrk drives both in
 * turns, in short rounds. Each ratio compares two turns of one round, and the result is the median of all
 * rounds.
 */
import type { Installation } from './installation.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import type { Asked } from './questions.ts';
import { atLeast, type Row, row, short } from './row.ts';
import { median, medianRatio, processorSeconds } from './runtime.ts';
import { served } from './served.ts';
import { skip } from './skipped.ts';
import { hasWrk, type WrkRequest, WrkScript } from './wrk.ts';

/** Target, relative to the requests per second of `ok`. */
const RATE_REACH = 0.85;
/** Target, relative to the latency of `ok`. */
const LATENCY_REACH = 1.2;
const LATENCY_REACH_MS = 1;
/** Connections: enough to keep the core busy, and one for the latency. */
const MANY = 32;
const TURN_SECONDS = 1;
const ROUNDS = 5;
/** Distinct requests, sent repeatedly. */
const REQUESTS = 20_000;
/** Responses that are checked before anything is timed. */
const CHECKED = 2_000;
const CHECKED_AT_ONCE = 16;

const ENVELOPE = 'a Worker that reads the key and answers fixed JSON of this size under the same headers';
/** Headers that the server writes itself. */
const OF_CONNECTION = /^(connection|keep-alive|content-length|transfer-encoding|content-encoding|date)$/;

/** The URL and the requests to send. */
interface Target {
  readonly url: string;
  readonly script: WrkScript;
}

/** Turns of one target with a fixed number of connections, one per round. */
interface Turns {
  readonly perSecond: number[];
  readonly p50Ms: number[];
  /** Processor time of the runtime per request, in µs. */
  readonly processorUs: number[];
}

export async function httpBench(options: BenchOptions): Promise<Row[]> {
  if (!hasWrk()) {
    skip('wrk', 'http: there is no wrk, so nothing is measured (apt install wrk)');
    return [];
  }
  const rows: Row[] = [];
  for (const count of sizesOf(options, [1_000_000], [100_000]))
    rows.push(...(await httpOver(count, options)));
  return rows;
}

async function httpOver(count: number, options: BenchOptions): Promise<Row[]> {
  const { questions, installation } = await served(count, options);
  const asked = questions.ask(REQUESTS);
  const authorization = `Bearer ${installation.clientKey}`;
  const scripts: Record<Method, WrkScript> = {
    GET: new WrkScript(asked.map((each) => requestOf('GET', each, authorization))),
    POST: new WrkScript(asked.map((each) => requestOf('POST', each, authorization))),
  };
  try {
    const { url, besideUrls } = installation;
    const answer = await check(asked.slice(0, CHECKED), installation, authorization);
    await fetch(besideUrls.fixed!, { method: 'PUT', body: answer.answer });
    const told = { method: 'PUT', headers: { authorization }, body: JSON.stringify(answer) };
    await fetch(besideUrls.envelope!, told);
    // No target comes right after itself: after another Worker it finds none of its own data in the caches.
    const targets: Record<string, Target> = {
      GET: { url, script: scripts.GET },
      okGET: { url: besideUrls.ok!, script: scripts.GET },
      POST: { url, script: scripts.POST },
      envelopeGET: { url: besideUrls.envelope!, script: scripts.GET },
      okPOST: { url: besideUrls.ok!, script: scripts.POST },
      envelopePOST: { url: besideUrls.envelope!, script: scripts.POST },
      fixed: { url: besideUrls.fixed!, script: scripts.POST },
    };
    const many = await takeTurns(targets, MANY, installation.runtimePids, options.small);
    const one = await takeTurns(targets, 1, installation.runtimePids, options.small);
    const peers = [
      beside('GET', 'envelopeGET', ENVELOPE, many, one),
      beside('POST', 'envelopePOST', `${ENVELOPE}, and reads the body`, many, one),
      beside('POST', 'fixed', 'a Worker that reads the body and answers fixed JSON of this size', many, one),
    ];
    return [...rowsOf('GET', many, one), ...rowsOf('POST', many, one), ...peers];
  } finally {
    scripts.GET.remove();
    scripts.POST.remove();
  }
}

type Method = 'GET' | 'POST';

/** A response to POST, without what belongs to the connection. */
interface Answer {
  readonly answer: string;
  readonly headers: Readonly<Record<string, string>>;
}

function requestOf(method: Method, { number }: Asked, authorization: string): WrkRequest {
  if (method === 'GET')
    return { method, path: `/v1/check?to=${encodeURIComponent(number)}`, headers: { authorization } };
  const headers = { authorization, 'content-type': 'application/json' };
  return { method, path: '/v1/check', headers, body: JSON.stringify({ to: number }) };
}

/** Checks both methods against the Set. @returns a response to POST */
async function check(asked: readonly Asked[], { url }: Installation, authorization: string): Promise<Answer> {
  let last = '';
  let under: Record<string, string> = {};
  const checkOne = async (each: Asked): Promise<void> => {
    for (const method of ['GET', 'POST'] as const) {
      const { path, headers, body } = requestOf(method, each, authorization);
      const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
      last = await response.text();
      under = Object.fromEntries([...response.headers].filter(([name]) => !OF_CONNECTION.test(name)));
      const { verdict } = JSON.parse(last) as { verdict?: string };
      if (verdict !== (each.listed ? 'block' : 'allow'))
        throw new Error(`${method} is unlike the Set: ${last}`);
    }
  };
  for (let from = 0; from < asked.length; from += CHECKED_AT_ONCE)
    await Promise.all(asked.slice(from, from + CHECKED_AT_ONCE).map(checkOne));
  return { answer: last, headers: under };
}

async function takeTurns(
  targets: Readonly<Record<string, Target>>,
  connections: number,
  pids: readonly number[],
  isSmall: boolean,
): Promise<Record<string, Turns>> {
  const turns = Object.fromEntries(
    Object.keys(targets).map((name): [string, Turns] => [
      name,
      { perSecond: [], p50Ms: [], processorUs: [] },
    ]),
  );
  for (let round = 0; round < (isSmall ? 1 : ROUNDS); round++) {
    for (const [name, { url, script }] of Object.entries(targets)) {
      const own = turns[name]!;
      const before = processorSeconds(pids);
      const { requests, perSecond, p50Ms } = await script.drive(url, connections, TURN_SECONDS);
      own.processorUs.push(((processorSeconds(pids) - before) / requests) * 1e6);
      own.perSecond.push(perSecond);
      own.p50Ms.push(p50Ms);
    }
  }
  return turns;
}

interface Compared {
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
}

function against(figure: keyof Turns, ours: Turns, peer: Turns): Compared {
  const ratio = medianRatio(ours[figure], peer[figure]);
  return { ours: median(ours[figure]), peer: median(peer[figure]), ratio };
}

function rowsOf(method: Method, many: Record<string, Turns>, one: Record<string, Turns>): Row[] {
  const okOf = `ok${method}`;
  const rate = against('perSecond', many[method]!, many[okOf]!);
  const latency = against('p50Ms', one[method]!, one[okOf]!);
  const time = against('processorUs', many[method]!, many[okOf]!);
  const name = `${method} /v1/check`;
  const ok = (value: number, unit: string): string => `a Worker that answers "ok": ${short(value)} ${unit}`;
  return [
    row(
      `${name}, ${MANY} connections`,
      rate.ours,
      'request/s',
      ok(rate.peer, 'request/s'),
      rate.ratio,
      atLeast(RATE_REACH),
    ),
    row(
      `${name}, processor time of the runtime a request`,
      time.ours,
      'µs',
      ok(time.peer, 'µs'),
      time.ratio,
      null,
    ),
    row(
      `${name}, 1 connection, p50`,
      latency.ours,
      'ms',
      ok(latency.peer, 'ms'),
      latency.ratio,
      LATENCY_REACH,
    ),
    row(`${name}, 1 connection, p50`, latency.ours, 'ms', '', null, LATENCY_REACH_MS),
  ];
}

/** How much of a check is HTTP, and how a Worker that does only HTTP compares with `ok`. No target. */
function beside(
  method: Method,
  peer: string,
  whatItIs: string,
  many: Record<string, Turns>,
  one: Record<string, Turns>,
): Row {
  const rate = against('perSecond', many[method]!, many[peer]!);
  const latency = against('p50Ms', one[method]!, one[peer]!);
  const ofOk = against('perSecond', many[peer]!, many[`ok${method}`]!).ratio;
  const latencyOfOk = against('p50Ms', one[peer]!, one[`ok${method}`]!).ratio;
  const told = [
    `${whatItIs}: ${short(rate.peer)} request/s, itself ${short(ofOk)} x "ok"`,
    `p50 of 1: ${short(latency.peer)} ms, itself ${short(latencyOfOk)} x "ok"; ours ${short(latency.ratio)} x this`,
  ].join('; ');
  return row(`${method} /v1/check, ${MANY} connections`, rate.ours, 'request/s', told, rate.ratio, null);
}
