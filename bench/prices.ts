/**
 * Cloudflare's prices on the paid plan, in US dollars, from its public price list in November 2026. Amounts
 * that the plan includes are subtracted. The plan's own 5 dollars per month are left out.
 */

export const SECONDS_A_MONTH = 2_592_000;

/** The amount included per month, and the price of each further million. */
interface Price {
  readonly included: number;
  readonly perMillion: number;
}

const WORKER_REQUESTS: Price = { included: 10e6, perMillion: 0.3 };
/** CPU time of Workers, in ms. Waiting is free. */
const WORKER_CPU: Price = { included: 30e6, perMillion: 0.02 };
/** Per key, including missing keys and keys of bulk reads. */
const KV_READS: Price = { included: 10e6, perMillion: 0.5 };
const KV_WRITES: Price = { included: 1e6, perMillion: 5 };
const OBJECT_REQUESTS: Price = { included: 1e6, perMillion: 0.15 };
/** Of a Durable Object: GB-seconds, at 128 MB regardless of its use. */
const OBJECT_DURATION: Price = { included: 400e3, perMillion: 12.5 };
const OBJECT_GB = 0.128;

/** A month of propagation. The Cache API is free. Rates are in 1/s. */
export function propagationCost(authorityRequests: number, kvReads: number, kvWrites: number): number {
  return (
    objectCallsCost(authorityRequests * SECONDS_A_MONTH) +
    cost(KV_READS, kvReads * SECONDS_A_MONTH) +
    cost(KV_WRITES, kvWrites * SECONDS_A_MONTH)
  );
}

/**
 * A month of KV value writes and reads, by count: bytes cost nothing. The included amount is not subtracted,
 * because the rest of the service uses it too.
 */
export function valuesCost(writes: number, reads: number): number {
  return (writes * KV_WRITES.perMillion + reads * KV_READS.perMillion) / 1e6;
}

/** A month of a Worker that does nothing. @param requests in 1/s */
export function emptyWorkerCost(requests: number): number {
  return cost(WORKER_REQUESTS, requests * SECONDS_A_MONTH);
}

/** A month of requests to Workers. @param cpuMs CPU time of all of them */
export function requestsCost(requests: number, cpuMs: number): number {
  return cost(WORKER_REQUESTS, requests) + cost(WORKER_CPU, cpuMs);
}

/**
 * The same, if the rest of the account has used up what the plan includes. @returns the costs of requests and
 * of CPU time
 */
export function requestsCostOfAll(requests: number, cpuMs: number): [number, number] {
  return [costOfAll(WORKER_REQUESTS, requests), costOfAll(WORKER_CPU, cpuMs)];
}

/** A month of KV reads by a Worker. */
export function kvReadsCost(reads: number): number {
  return cost(KV_READS, reads);
}

/** A month of calls to one Durable Object. */
export function objectCallsCost(calls: number): number {
  // With constant calls it never sleeps.
  return cost(OBJECT_REQUESTS, calls) + cost(OBJECT_DURATION, OBJECT_GB * SECONDS_A_MONTH);
}

function cost(price: Price, amount: number): number {
  return costOfAll(price, Math.max(0, amount - price.included));
}

function costOfAll({ perMillion }: Price, amount: number): number {
  return (amount / 1e6) * perMillion;
}
