/**
 * One client floods the edge with garbage tokens, each of another text and with a signature to verify. How long the
 * checks of another client take meanwhile, against the same requests with one valid token, and against none.
 */
import { Agent, request } from 'node:http';
import { garbageOf, type HolderKey } from '../lib/holder-tokens.ts';
import type { BenchOptions } from '../lib/options.ts';
import { skipMissing } from '../lib/skip-missing.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import { hasWrk, WrkScript } from '../lib/wrk.ts';
import type { SimulatedEdge } from '../simulation/edge.ts';

const TARGET = 1.1;
/** Requests of the flood: twice the verifications that a client may have. */
const PER_SECOND = 500;
const TURN_SECONDS = 1;
const ROUNDS = 11;
/** Interval in which requests are sent, in ms. */
const TICK_MS = 2;
/** Requests under way: on a machine that is too slow for the rate, no queue of them grows. */
const AT_ONCE = 8;

type Turn = 'garbage' | 'valid' | 'none';

export async function floodRows(
  edge: SimulatedEdge,
  holder: HolderKey,
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
  const from = `+${holder.row.spans[0]!.from}`;
  const token = await holder.token('flood');
  let index = 1;
  const bodies: Readonly<Record<Exclude<Turn, 'none'>, () => string>> = {
    garbage: () => JSON.stringify({ from, senderToken: garbageOf(token, index++) }),
    valid: () => JSON.stringify({ from, senderToken: token }),
  };
  const p50: Record<Turn, number[]> = { garbage: [], valid: [], none: [] };
  const turns = Object.keys(p50) as Turn[];
  for (let round = 0; round < (small ? 1 : ROUNDS); round++) {
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
      const flood = turn === 'none' ? null : startFlood(url, edge.keyOf('flooder'), bodies[turn]);
      const { p50Ms } = await others.drive(url, 1, TURN_SECONDS);
      const statuses = await flood?.stop();
      if (statuses !== undefined && statuses.get(200) === undefined)
        throw new Error('the flood got no response');
      p50[turn].push(p50Ms);
    }
  }
  const name = `flood of ${withCommas(PER_SECOND)} garbage tokens/s of one client`;
  const baseline = `the same requests with one valid token: ${short(median(p50.valid))} ms; no flood: ${short(median(p50.none))} ms`;
  const ratio = medianRatio(p50.garbage, p50.valid);
  return [row(`${name}: p50 of another`, median(p50.garbage), 'ms', baseline, ratio, TARGET)];
}

interface Flood {
  /** @returns responses by status */
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
    const sending = request(`${url}/v1/check`, { method: 'POST', agent, headers }, (response) => {
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
