/**
 * What a billion verdicts per month cost on Cloudflare, by request type, given the measured CPU time of a
 * verdict. Baselines: one KV read per verdict, and one Durable Object call per verdict, in the same number of
 * requests. The CPU time of the baselines is left out, in their favour.
 */
import { BATCH_ITEMS_MAX } from '../shared/limits.ts';
import { kvReadsCost, objectCallsCost, requestsCost, requestsCostOfAll } from './prices.ts';
import { type Row, row, short } from './row.ts';

export const VERDICTS = 1e9;
/** Target: cheaper than the baselines. */
const REACH = 1;

/** Verdicts per request to the Worker, by the name in the rows. */
export const WAYS = {
  single: 1,
  'batch of 100': 100,
  [`batch of ${BATCH_ITEMS_MAX.toLocaleString('en')}`]: BATCH_ITEMS_MAX,
  'stream of 1,000,000': 1_000_000,
};

export const CPU_UNIT = 'µs CPU';

export function nameOf(way: string): string {
  return `a billion verdicts, ${way}`;
}

/** @param cpuUs CPU time of a verdict, in µs; rounded to three digits, as printed */
export function billionRows(way: string, perRequest: number, cpuUs: number): Row[] {
  const requests = VERDICTS / perRequest;
  const cpuMs = (Number(cpuUs.toPrecision(3)) * VERDICTS) / 1e3;
  const month = requestsCost(requests, cpuMs);
  const [ofRequests, ofCpu] = requestsCostOfAll(requests, cpuMs);
  const peers = { 'a read of KV': kvReadsCost(VERDICTS), 'a call to an object': objectCallsCost(VERDICTS) };
  const parts = `${millions(requests)} M requests: $${short(ofRequests)}, ${millions(cpuMs)} M ms: $${short(ofCpu)}`;
  return [
    ...Object.entries(peers).map(([peer, ofPeer]) => {
      const whole = requestsCost(requests, 0) + ofPeer;
      return row(nameOf(way), month, '$', `${peer} for each: $${short(whole)}`, month / whole, REACH);
    }),
    row(`${nameOf(way)}, nothing included`, ofRequests + ofCpu, '$', parts, null, null),
  ];
}

function millions(amount: number): string {
  return short(amount / 1e6);
}
