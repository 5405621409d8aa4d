/**
 * What Cloudflare asks for on the paid plan, in US dollars, as its public price list had it in November
 * 2026. Amounts that the plan includes are taken off; the plan's own 5 dollars a month are left out.
 */

export const SECONDS_A_MONTH = 2_592_000;

/** Of a price: what is included in a month, and what a million more cost. */
interface Price {
  readonly included: number;
  readonly perMillion: number;
}

const WORKER_REQUESTS: Price = { included: 10e6, perMillion: 0.3 };
const KV_READS: Price = { included: 10e6, perMillion: 0.5 };
const KV_WRITES: Price = { included: 1e6, perMillion: 5 };
const OBJECT_REQUESTS: Price = { included: 1e6, perMillion: 0.15 };
/** Of a Durable Object: GB-seconds, at 128 MB whatever it uses. */
const OBJECT_DURATION: Price = { included: 400e3, perMillion: 12.5 };
const OBJECT_GB = 0.128;

/** A month of propagation. The Cache API is free. Rates are in 1/s. */
export function propagationCost(authorityRequests: number, kvReads: number, kvWrites: number): number {
  return (
    cost(OBJECT_REQUESTS, authorityRequests * SECONDS_A_MONTH) +
    // Asked all the time, it never sleeps.
    cost(OBJECT_DURATION, OBJECT_GB * SECONDS_A_MONTH) +
    cost(KV_READS, kvReads * SECONDS_A_MONTH) +
    cost(KV_WRITES, kvWrites * SECONDS_A_MONTH)
  );
}

/**
 * A month of writing and reading values of KV, by their count: bytes cost nothing. What the plan includes is
 * not taken off, since the rest of the service uses it too.
 */
export function valuesCost(writes: number, reads: number): number {
  return (writes * KV_WRITES.perMillion + reads * KV_READS.perMillion) / 1e6;
}

/** A month of a Worker that does nothing. @param requests in 1/s */
export function emptyWorkerCost(requests: number): number {
  return cost(WORKER_REQUESTS, requests * SECONDS_A_MONTH);
}

function cost({ included, perMillion }: Price, amount: number): number {
  return (Math.max(0, amount - included) / 1e6) * perMillion;
}
