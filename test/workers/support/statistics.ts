/** The store of statistics with a coordinator that can fail, and real intakes. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import type { Organisation } from '../../../shared/organisations.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import type { PeriodCounts } from '../../../shared/usage/flush.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { StatisticsStore } from '../../../workers/statistics/statistics-store.ts';
import { type RecordedMonth, STATISTICS_NAME } from '../../../workers/storage/statistics-port.ts';
import type { StoreRequest } from '../../../workers/storage/store-request.ts';
import { bindings, type Fault } from './reports.ts';

type Stub = {
  [Name in keyof StatisticsStore]: StatisticsStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export const statistics = (): Stub => bindings.STATISTICS.getByName(STATISTICS_NAME) as unknown as Stub;
export const statisticsStub = (): DurableObjectStub => statistics() as unknown as DurableObjectStub;

export interface FakeSources {
  partners: { id: string; slices: number }[];
  organisations: Organisation[];
  clients: { id: string; mock?: boolean }[];
  /** Counts by client. */
  checks: Record<string, PeriodCounts[]>;
  /** The versions in the audit log, as the coordinator keeps them: one for each key of a request. */
  readonly recorded: Map<string, { request: StoreRequest; version: RecordedMonth }>;
  /** The fault of the next call to the coordinator, or to an intake. */
  next: () => Fault;
}

export function fakeSources(): FakeSources {
  return {
    ...{ partners: [], organisations: [], clients: [], checks: {}, recorded: new Map() },
    next: () => null,
  };
}

export function relay(id: string, senderCode: string, reseller = false): Organisation {
  return { ...bareOrganisation(id), senderCode, reseller };
}

/** Replaces the sources of the store. The object's end removes this. */
export async function withSources(fake: FakeSources): Promise<void> {
  await runInDurableObject(statisticsStub(), (instance) => {
    const object = instance as unknown as { env: ControlEnv };
    const faulty = async <Value>(call: () => Promise<Value>): Promise<Value> => {
      const fault = fake.next();
      if (fault === 'before') throw new Error('it does not respond');
      const value = await call();
      if (fault === 'after') throw new Error('the answer is lost');
      return value;
    };
    const coordinator = {
      partners: () => faulty(async () => ({ partners: fake.partners })),
      organisations: () => faulty(async () => fake.organisations),
      clients: () => faulty(async () => fake.clients),
      qualifications: () => faulty(async () => [{ state: 'certified', nextInspectionBy: null }]),
      recordStatistics: (request: StoreRequest, version: RecordedMonth) =>
        faulty(async () => {
          const key = request.repeat!.key;
          if (!fake.recorded.has(key)) fake.recorded.set(key, { request, version });
        }),
    };
    const replaced = {
      COORDINATOR: { getByName: () => coordinator },
      REPORTS: {
        getByName: (name: string) => ({
          month: (month: string) => faulty(() => bindings.REPORTS.getByName(name).month(month)),
        }),
      },
      USAGE: {
        getByName: (client: string) => ({
          history: async () => ({ shards: 1, lastHour: null, periods: fake.checks[client] ?? [] }),
        }),
      },
    };
    Object.defineProperty(object, 'env', { value: { ...object.env, ...replaced }, configurable: true });
  });
}

/** Runs the alarm, if one is set. */
export async function runAlarm(): Promise<boolean> {
  return runDurableObjectAlarm(statisticsStub());
}

/** Runs a sweep, like the cron. */
export async function runSweep(): Promise<void> {
  await statistics().sweep();
}
