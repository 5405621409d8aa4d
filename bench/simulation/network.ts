/**
 * The assumptions of the propagation simulation as named constants: where isolates are, how often they receive
 * requests, and how the data centre's cache, the coordinator and Workers KV behave. Times are in ms. Nothing
 * here was measured at Cloudflare. Values come from documents where these exist. Otherwise the slower case is
 * assumed.
 */
import type { Random } from '../../shared/propagation.ts';

/** Data centres of Cloudflare that run Workers. */
export const DATA_CENTRES = 330;
/** Share of the data centres that have one isolate each. */
const LONELY_SHARE = 0.1;
/** The other data centres have isolates by Zipf's law: the n-th largest in proportion to n^-1. */
const ZIPF_EXPONENT = 1;

/** Share of the isolates that receive a request every few minutes. */
const IDLE_SHARE = 0.1;
const IDLE_GAP_MS = 180_000;
/**
 * The other isolates receive requests at random times, at rates between these two. The rates are uniform on a
 * logarithmic scale.
 */
const BUSY_LEAST_PER_MS = 0.05 / 1000;
const BUSY_MOST_PER_MS = 1 / 1000;

/** Round trip from a data centre to the coordinator: uniform between these two, so the mean is 200 ms. */
const RTT_LEAST_MS = 20;
const RTT_MOST_MS = 380;
/** A round trip takes up to this share longer than the shortest one of its data centre. */
const RTT_SPREAD = 0.2;

/** Time of the Cache API: a minimum, and the mean of an additional exponential time. */
const CACHE_LEAST_MS = 2;
const CACHE_MORE_MS = 3;

/** Time that the coordinator takes for one `head()`: 1,000 per second, the soft limit of a Durable Object. */
const COORDINATOR_SERVICE_MS = 1;
/** Maximum wait for the coordinator. A request that would wait longer is refused as overloaded. */
const COORDINATOR_QUEUE_MS = 500;
/** Additional time while the coordinator is slow: minimum, and mean of an exponential part. */
const SLOW_LEAST_MS = 1_000;
const SLOW_MORE_MS = 150;
/** While the coordinator fails, this share of the requests gets no response, and the others get an error. */
const FAILS_SILENTLY_SHARE = 0.5;

/** Time of a KV read: a minimum, and the mean of an additional exponential time. */
const KV_LEAST_MS = 10;
const KV_MORE_MS = 60;
/** Time from a change until its copy is in KV's store, and the minimum interval between two writes of one key. */
const KV_WRITE_MS = 300;
const KV_WRITE_INTERVAL_MS = 1_100;
/** Maximum delay until a write reaches the store of a region. */
const KV_STORE_LAG_MS = 10_000;
/** KV also caches by region, between the data centres and the stores, with the same TTL. */
const KV_REGIONS = 10;

export type Condition = 'healthy' | 'slow' | 'failing';

export interface DataCentre {
  readonly rttMs: number;
  /** When the KV caches in front of the data centre were filled, nearest first. They refresh every TTL. */
  readonly kvPhasesMs: readonly number[];
  /** Delay from a write until the store behind the caches has it. */
  readonly kvLagMs: number;
}

export interface Network {
  readonly dataCentres: readonly DataCentre[];
  /** One entry per isolate: its data centre, and a function that draws the time to its next request. */
  readonly isolates: readonly { readonly dataCentre: number; readonly gapMs: () => number }[];
  readonly rttMs: (dataCentre: DataCentre) => number;
  readonly cacheMs: () => number;
  readonly kvMs: () => number;
  readonly slowMs: () => number;
  readonly failsSilently: () => boolean;
  readonly serviceMs: number;
  readonly queueMs: number;
  readonly kvWriteMs: number;
  readonly kvWriteIntervalMs: number;
  readonly random: Random;
}

export function standardNetwork(isolates: number, kvTtlMs: number, random: Random): Network {
  const exponential = (mean: number): number => -Math.log(1 - random()) * mean;
  const between = (least: number, most: number): number => least + random() * (most - least);
  const regions = Array.from({ length: KV_REGIONS }, () => ({
    phaseMs: random() * kvTtlMs,
    lagMs: random() * KV_STORE_LAG_MS,
  }));
  const dataCentres = Array.from({ length: DATA_CENTRES }, (_, index): DataCentre => {
    const region = regions[index % KV_REGIONS]!;
    return {
      rttMs: between(RTT_LEAST_MS, RTT_MOST_MS),
      kvPhasesMs: [random() * kvTtlMs, region.phaseMs],
      kvLagMs: region.lagMs,
    };
  });
  const gap = (): (() => number) => {
    if (random() < IDLE_SHARE) return () => exponential(IDLE_GAP_MS);
    const perMs = BUSY_LEAST_PER_MS * (BUSY_MOST_PER_MS / BUSY_LEAST_PER_MS) ** random();
    return () => exponential(1 / perMs);
  };
  return {
    dataCentres,
    isolates: placesOf(isolates).map((dataCentre) => ({ dataCentre, gapMs: gap() })),
    rttMs: ({ rttMs }) => rttMs * (1 + RTT_SPREAD * random()),
    cacheMs: () => CACHE_LEAST_MS + exponential(CACHE_MORE_MS),
    kvMs: () => KV_LEAST_MS + exponential(KV_MORE_MS),
    slowMs: () => SLOW_LEAST_MS + exponential(SLOW_MORE_MS),
    failsSilently: () => random() < FAILS_SILENTLY_SHARE,
    serviceMs: COORDINATOR_SERVICE_MS,
    queueMs: COORDINATOR_QUEUE_MS,
    kvWriteMs: KV_WRITE_MS,
    kvWriteIntervalMs: KV_WRITE_INTERVAL_MS,
    random,
  };
}

/** The data centre of each isolate. */
function placesOf(isolates: number): number[] {
  const lonely = Math.round(DATA_CENTRES * LONELY_SHARE);
  const weights = Array.from({ length: DATA_CENTRES - lonely }, (_, index) => (index + 1) ** -ZIPF_EXPONENT);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const places = Array.from({ length: DATA_CENTRES }, (_, index) => index);
  // Each data centre has one isolate. The remaining isolates are distributed, largest data centre first.
  let owed = 0;
  for (const [index, weight] of weights.entries()) {
    owed += (weight / total) * (isolates - DATA_CENTRES);
    while (places.length < DATA_CENTRES + Math.round(owed)) places.push(index);
  }
  return places;
}
