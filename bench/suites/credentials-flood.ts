/**
 * One client floods the edge with garbage tokens or PASSporTs. Each one differs and has a signature to verify. Measures how
 * long checks of another client take meanwhile, against a flood of the same requests with a valid one, and against no flood.
 */
import { Agent, request } from 'node:http';
import { garbageOf, type HolderKey, type PassportKey } from '../lib/holder-tokens.ts';
import type { BenchOptions } from '../lib/options.ts';
import { skipMissing } from '../lib/skip-missing.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import { hasWrk, WrkScript } from '../lib/wrk.ts';
import type { SimulatedEdge } from '../simulation/edge.ts';

const TARGET = 1.1;
/** Requests of the flood. This is more than the verifications of tokens and of PASSporTs that a client may have. */
const PER_SECOND = 500;
const TURN_SECONDS = 1;
const ROUNDS = 11;
/** Interval between requests, in ms. */
const TICK_MS = 2;
/** Requests in flight. On a machine that is too slow for the rate, no queue grows. */
const AT_ONCE = 8;
/** An ordinary number that is on no list. */
const TO = '821023456789';

/** What a flood presents. Each kind exists as valid and as garbage. */
const KINDS = ['token', 'passport'] as const;
type Kind = (typeof KINDS)[number];
type Turn = `${Kind} ${'garbage' | 'valid'}` | 'none';
const TURNS: readonly Turn[] = [
  ...KINDS.flatMap((kind) => [`${kind} garbage`, `${kind} valid`] as const),
  'none',
];

/** Keys of a certificate and of a gateway's network. */
export interface FloodKeys {
  readonly holder: HolderKey;
  readonly signer: PassportKey;
}

/** @param flooder a client with the rights `check` and `gateway` */
export async function floodRows(
  edge: SimulatedEdge,
  flooder: string,
  keys: FloodKeys,
  { small }: BenchOptions,
): Promise<Row[]> {
  if (!hasWrk()) {
    skipMissing('wrk', 'credentials: wrk is not installed, so no flood is measured (apt install wrk)');
    return [];
  }
  const { url } = edge.worker;
  const headers = { authorization: `Bearer ${edge.keyOf()}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ from: '15889999', to: '01023456789' });
  const others = new WrkScript([{ method: 'POST', path: '/v1/check', headers, body }]);
  const p50 = Object.fromEntries(TURNS.map((turn) => [turn, [] as number[]])) as Record<Turn, number[]>;
  let index = 1;
  const next = (): number => index++;
  for (const kind of KINDS) await checkFlood(await requestsOf(kind, keys, next), url, edge.keyOf(flooder));
  for (let round = 0; round < (small ? 1 : ROUNDS); round++) {
    for (const turn of round % 2 === 0 ? TURNS : TURNS.toReversed()) {
      const [kind, quality] = turn.split(' ') as [Kind | 'none', 'garbage' | 'valid'];
      // Sign them anew, because a PASSporT is valid for a minute.
      const requests = kind === 'none' ? null : await requestsOf(kind, keys, next);
      const flood = requests && startFlood(url + requests.path, edge.keyOf(flooder), requests[quality]);
      const { p50Ms } = await others.drive(url, 1, TURN_SECONDS);
      const statuses = await flood?.stop();
      if (statuses !== undefined && statuses.get(200) === undefined)
        throw new Error('the flood got no response');
      p50[turn].push(p50Ms);
    }
  }
  return KINDS.flatMap((kind) => rowsOf(kind, p50));
}

function rowsOf(kind: Kind, p50: Readonly<Record<Turn, number[]>>): Row[] {
  const what = kind === 'token' ? 'garbage tokens/s of one client' : 'garbage PASSporTs/s of one gateway';
  const name = `flood of ${withCommas(PER_SECOND)} ${what}: p50 of another client`;
  const flooded = p50[`${kind} garbage`];
  const valid = p50[`${kind} valid`];
  return [
    row(
      name,
      median(flooded),
      'ms',
      `the same requests with one that is valid: ${short(median(valid))} ms`,
      medianRatio(flooded, valid),
      // The limit for PASSporTs is higher, because each call has its own.
      kind === 'token' ? TARGET : null,
    ),
    // Every flood slows the client, because client, flood and runtime share the processors.
    row(
      `${name}, against no flood`,
      median(flooded),
      'ms',
      `no flood: ${short(median(p50.none))} ms`,
      medianRatio(flooded, p50.none),
    ),
  ];
}

/** Bodies of a flood, and the path that they are sent to. */
interface FloodRequests {
  readonly path: string;
  readonly garbage: () => string;
  readonly valid: () => string;
}

/** @param next makes each garbage value different */
async function requestsOf(
  kind: Kind,
  { holder, signer }: FloodKeys,
  next: () => number,
): Promise<FloodRequests> {
  const isToken = kind === 'token';
  const digits = String((isToken ? holder : signer).row.spans[0]!.from);
  const good = isToken ? await holder.token('flood') : await signer.passport(digits, TO);
  const parties = { from: `+${digits}`, ...(isToken ? {} : { to: `+${TO}`, channel: 'voice' }) };
  const bodyOf = (text: string): string =>
    JSON.stringify({ ...parties, [isToken ? 'senderToken' : 'identity']: text });
  return {
    path: isToken ? '/v1/check' : '/v1/gateway/check',
    garbage: () => bodyOf(garbageOf(good, next())),
    valid: () => bodyOf(good),
  };
}

/** Checks that garbage is refused and that a valid token or PASSporT passes. */
async function checkFlood({ path, garbage, valid }: FloodRequests, url: string, key: string): Promise<void> {
  const isRefused = async (body: string): Promise<boolean> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path} returned ${response.status}: ${text}`);
    return text.includes('"TOKEN_INVALID"');
  };
  if (!(await isRefused(garbage())) || (await isRefused(valid())))
    throw new Error(`${path} does not refuse garbage alone`);
}

interface Flood {
  /** @returns number of responses by status */
  stop(): Promise<ReadonlyMap<number, number>>;
}

/** Sends requests at a fixed rate, as long as the edge keeps up. */
function startFlood(url: string, key: string, bodyOf: () => string): Flood {
  const agent = new Agent({ keepAlive: true });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const statuses = new Map<number, number>();
  const pending = new Set<Promise<void>>();
  const begin = performance.now();
  let sent = 0;
  const send = (): void => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sending = request(url, { method: 'POST', agent, headers }, (response) => {
      const { statusCode = 0 } = response;
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
      response.resume().on('end', resolve);
    }).on('error', reject);
    sending.end(bodyOf());
    const done = promise.finally(() => pending.delete(done));
    pending.add(done);
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - begin) / 1_000) * PER_SECOND;
    for (; sent < due; sent++) if (pending.size < AT_ONCE) send();
  }, TICK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      agent.destroy();
      return statuses;
    },
  };
}
