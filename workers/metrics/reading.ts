/**
 * Reads all stores at the same time, with one call each. If a store does not answer in time, only its own
 * metrics are missing, and `numgate_up` shows that.
 */
import { METRICS_WAIT_MS } from '../../shared/limits/metrics.ts';
import { coordinatorOf } from '../admin/coordinator-stub.ts';
import { registryOf } from '../admin/registry.ts';
import { deskOf } from '../admin/rule-blocks.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { APPEALS_NAME } from '../storage/appeals-port.ts';
import { DRIFT_NAME } from '../storage/drift-port.ts';
import { FEED_NAME } from '../storage/feed-port.ts';
import { METRIC_TOTALS_NAME } from '../storage/metrics-port.ts';
import { within } from '../storage/single-flight.ts';
import { STATISTICS_NAME } from '../storage/statistics-port.ts';
import { Samples } from './exposition.ts';
import {
  addAppeals,
  addCoordinator,
  addDrift,
  addFeed,
  addFigures,
  addRegistry,
  addResponse,
  addStatistics,
} from './store-samples.ts';

/** Adds the samples of a store that has answered. @param now ms since 1970 */
type Add = (samples: Samples, now: number) => void;

const STORES: Readonly<Record<string, (env: ControlEnv) => Promise<Add>>> = {
  coordinator: async (env) => {
    const status = await coordinatorOf(env).status();
    return (samples, now) => addCoordinator(samples, status, now);
  },
  registry: async (env) => {
    const status = await registryOf(env).status();
    return (samples) => addRegistry(samples, status);
  },
  response: async (env) => {
    const info = await deskOf(env).status();
    return (samples) => addResponse(samples, info);
  },
  appeals: async (env) => {
    const figures = await env.APPEALS.getByName(APPEALS_NAME).figures();
    return (samples) => addAppeals(samples, figures);
  },
  feed: async (env) => {
    const status = await env.FEED.getByName(FEED_NAME).status();
    return (samples) => addFeed(samples, status);
  },
  drift: async (env) => {
    const status = await env.TEXT_DRIFT.getByName(DRIFT_NAME).status();
    return (samples) => addDrift(samples, status);
  },
  statistics: async (env) => {
    const status = await env.STATISTICS.getByName(STATISTICS_NAME).status();
    return (samples) => addStatistics(samples, status);
  },
  totals: async (env) => {
    const totals = await env.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME).totals();
    return (samples) => addFigures(samples, totals);
  },
};

/** Reads all stores. Never throws. */
export async function readStores(env: ControlEnv): Promise<Samples> {
  const readings = Object.entries(STORES).map(async ([store, read]) => {
    try {
      return { store, add: await within(read(env), METRICS_WAIT_MS) };
    } catch (error) {
      warnFailed('metricsNotRead', error, { store });
      return { store, add: null };
    }
  });
  const samples = new Samples();
  const now = Date.now();
  for (const { store, add } of await Promise.all(readings)) {
    samples.add('up', add === null ? 0 : 1, { store });
    add?.(samples, now);
  }
  return samples;
}
