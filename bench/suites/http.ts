/**
 * One check over HTTP, with its key, on a direct socket: requests per second and latency. The baseline is a
 * Worker in the same process that receives the same requests and only responds `ok`. wrk drives both in turns,
 * in short rounds. Each ratio compares two turns of one round, and the result is the median of all rounds.
 */
import { type BenchOptions, sizesOf } from '../lib/options.ts';
import { processorSeconds } from '../lib/process-usage.ts';
import type { SampleNumber } from '../lib/sample-numbers.ts';
import { sharedService } from '../lib/shared-service.ts';
import { skipMissing } from '../lib/skip-missing.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { type Row, row, short } from '../lib/table.ts';
import { hasWrk, type WrkRequest, WrkScript } from '../lib/wrk.ts';

/** Target, relative to the requests per second of `ok`. */
const RATE_TARGET = 0.85;
/** Target, relative to the latency of `ok`. */
const LATENCY_TARGET = 1.2;
const LATENCY_TARGET_MS = 1;
/** Enough connections to keep the core busy; latency is measured with one. */
const MANY = 32;
const TURN_SECONDS = 1;
const ROUNDS = 5;
/** Distinct requests, sent repeatedly. */
const REQUESTS = 20_000;
/** Responses that are checked before anything is timed. */
const CHECKS = 2_000;
const CHECKS_SMALL = 200;
const CHECKS_AT_ONCE = 16;

const ENVELOPE = 'a Worker that reads the key and returns fixed JSON of this size with the same headers';
/** Headers that the server writes itself. */
const OF_CONNECTION = /^(connection|keep-alive|content-length|transfer-encoding|content-encoding|date)$/;

type Method = 'GET' | 'POST';

/** The URL and the requests to send. */
interface Target {
  readonly url: string;
  readonly script: WrkScript;
}

/** Figures of one target with a fixed number of connections, one per round. */
interface Figures {
  readonly perSecond: number[];
  readonly p50Ms: number[];
  /** Processor time of the runtime per request, in µs. */
  readonly processorUs: number[];
}

export async function httpBench(options: BenchOptions): Promise<Row[]> {
  if (!hasWrk()) {
    skipMissing('wrk', 'http: wrk is not installed, so nothing is measured (apt install wrk)');
    return [];
  }
  const rows: Row[] = [];
  for (const count of sizesOf(options, [1_000_000], [10_000])) rows.push(...(await httpRows(count, options)));
  return rows;
}

async function httpRows(count: number, options: BenchOptions): Promise<Row[]> {
  const { samples, url, besideUrls, clientKey, runtimePids } = await sharedService(count, options);
  const numbers = samples.draw(REQUESTS);
  const authorization = `Bearer ${clientKey}`;
  const response = await check(numbers.slice(0, options.small ? CHECKS_SMALL : CHECKS), url, authorization);
  const body = JSON.stringify(response);
  await fetch(besideUrls.envelope!, { method: 'PUT', headers: { authorization }, body });
  const get = new WrkScript(numbers.map((each) => requestOf('GET', each, authorization)));
  const post = new WrkScript(numbers.map((each) => requestOf('POST', each, authorization)));
  // No target follows itself. After another Worker, it finds none of its own data in the processor's caches.
  const targets: Record<string, Target> = {
    GET: { url, script: get },
    okGET: { url: besideUrls.ok!, script: get },
    POST: { url, script: post },
    envelopeGET: { url: besideUrls.envelope!, script: get },
    okPOST: { url: besideUrls.ok!, script: post },
    envelopePOST: { url: besideUrls.envelope!, script: post },
  };
  const rounds = options.small ? 1 : ROUNDS;
  const many = await takeTurns(targets, MANY, runtimePids, rounds);
  // A small run measures nothing, and each call of wrk takes at least a second.
  const one = options.small ? many : await takeTurns(targets, 1, runtimePids, rounds);
  return [
    ...okRows('GET', many, one),
    ...okRows('POST', many, one),
    httpOnlyRow('GET', ENVELOPE, many, one),
    httpOnlyRow('POST', `${ENVELOPE}, and reads the body`, many, one),
  ];
}

function requestOf(method: Method, { number }: SampleNumber, authorization: string): WrkRequest {
  if (method === 'GET')
    return { method, path: `/v1/check?to=${encodeURIComponent(number)}`, headers: { authorization } };
  const headers = { authorization, 'content-type': 'application/json' };
  return { method, path: '/v1/check', headers, body: JSON.stringify({ to: number }) };
}

/** A response, without the headers of the connection. */
interface FixedResponse {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Checks both methods against the Set. @returns the last response to POST */
async function check(
  numbers: readonly SampleNumber[],
  url: string,
  authorization: string,
): Promise<FixedResponse> {
  let last: FixedResponse = { text: '', headers: {} };
  const checkOne = async (each: SampleNumber): Promise<void> => {
    for (const method of ['GET', 'POST'] as const) {
      const { path, headers, body = null } = requestOf(method, each, authorization);
      const response = await fetch(url + path, { method, headers, body });
      const text = await response.text();
      const kept = [...response.headers].filter(([name]) => !OF_CONNECTION.test(name));
      last = { text, headers: Object.fromEntries(kept) };
      const { verdict } = JSON.parse(text) as { verdict?: string };
      if (verdict !== (each.listed ? 'block' : 'allow'))
        throw new Error(`${method} differs from the Set: ${text}`);
    }
  };
  for (let from = 0; from < numbers.length; from += CHECKS_AT_ONCE)
    await Promise.all(numbers.slice(from, from + CHECKS_AT_ONCE).map(checkOne));
  return last;
}

async function takeTurns(
  targets: Readonly<Record<string, Target>>,
  connections: number,
  pids: readonly number[],
  rounds: number,
): Promise<Record<string, Figures>> {
  const figures: Record<string, Figures> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, { url, script }] of Object.entries(targets)) {
      figures[name] ??= { perSecond: [], p50Ms: [], processorUs: [] };
      const before = processorSeconds(pids);
      const { requests, perSecond, p50Ms } = await script.drive(url, connections, TURN_SECONDS);
      figures[name].processorUs.push(((processorSeconds(pids) - before) / requests) * 1e6);
      figures[name].perSecond.push(perSecond);
      figures[name].p50Ms.push(p50Ms);
    }
  }
  return figures;
}

/** Compares with `ok`. */
function okRows(method: Method, many: Record<string, Figures>, one: Record<string, Figures>): Row[] {
  const name = `${method} /v1/check`;
  const compare = (
    what: string,
    figures: Record<string, Figures>,
    figure: keyof Figures,
    unit: string,
    target: Parameters<typeof row>[5] = null,
  ): Row => {
    const [own, ok] = [figures[method]![figure], figures[`ok${method}`]![figure]];
    const baseline = `a Worker that returns "ok": ${short(median(ok))} ${unit}`;
    return row(`${name}, ${what}`, median(own), unit, baseline, medianRatio(own, ok), target);
  };
  const latency = compare('1 connection, p50', one, 'p50Ms', 'ms', LATENCY_TARGET);
  return [
    compare(`${MANY} connections`, many, 'perSecond', 'request/s', { atLeast: RATE_TARGET }),
    compare('processor time of the runtime per request', many, 'processorUs', 'µs'),
    latency,
    row(latency.measurement, latency.figure, 'ms', '', null, LATENCY_TARGET_MS),
  ];
}

/** The share of HTTP in a check, and how a Worker that does only HTTP compares with `ok`. No target. */
function httpOnlyRow(
  method: Method,
  description: string,
  many: Record<string, Figures>,
  one: Record<string, Figures>,
): Row {
  const rate = many[`envelope${method}`]!.perSecond;
  const latency = one[`envelope${method}`]!.p50Ms;
  const baseline = [
    `${description}: ${short(median(rate))} request/s,`,
    `${short(medianRatio(rate, many[`ok${method}`]!.perSecond))} x "ok";`,
    `1 connection, p50: ${short(median(latency))} ms,`,
    `${short(medianRatio(latency, one[`ok${method}`]!.p50Ms))} x "ok";`,
    `numgate takes ${short(medianRatio(one[method]!.p50Ms, latency))} x as long`,
  ].join(' ');
  const own = many[method]!.perSecond;
  return row(
    `${method} /v1/check, ${MANY} connections`,
    median(own),
    'request/s',
    baseline,
    medianRatio(own, rate),
  );
}
