/**
 * Cloudflare's prices on the paid plan, in US dollars, from its public price list in November 2026. The plan's
 * base price of 5 dollars per month is left out.
 */

const MILLION = 1e6;

/** The amount included per month, and the price of each further million. */
export interface Price {
  readonly included: number;
  readonly perMillion: number;
}

export const WORKER_REQUESTS: Price = { included: 10 * MILLION, perMillion: 0.3 };
/** CPU time of Workers, in ms. Waiting is free. */
export const WORKER_CPU_MS: Price = { included: 30 * MILLION, perMillion: 0.02 };
/** Per key, including missing keys and keys of bulk reads. Bytes are free, and so is the Cache API. */
export const KV_READS: Price = { included: 10 * MILLION, perMillion: 0.5 };
export const KV_WRITES: Price = { included: MILLION, perMillion: 5 };
export const OBJECT_REQUESTS: Price = { included: MILLION, perMillion: 0.15 };
/** Duration of a Durable Object, in GB-seconds. It is billed at 128 MB regardless of its use. */
export const OBJECT_DURATION: Price = { included: 400e3, perMillion: 12.5 };
export const OBJECT_GB = 0.128;

/** Rows written to the SQLite storage of a Durable Object. A removed row counts as written. */
export const OBJECT_ROWS_WRITTEN: Price = { included: 50 * MILLION, perMillion: 1 };

export const SECONDS_PER_MONTH = 2_592_000;

/** The price of a monthly amount beyond what the plan includes. */
export function cost(price: Price, amount: number): number {
  return fullCost(price, Math.max(0, amount - price.included));
}

/** The price of a monthly amount if the rest of the account has used up what the plan includes. */
export function fullCost({ perMillion }: Price, amount: number): number {
  return (amount / MILLION) * perMillion;
}

/** The monthly price of calls to one Durable Object. Under constant calls it never sleeps. */
export function objectCost(calls: number): number {
  return cost(OBJECT_REQUESTS, calls) + cost(OBJECT_DURATION, OBJECT_GB * SECONDS_PER_MONTH);
}
