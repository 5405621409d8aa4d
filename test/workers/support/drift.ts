/**
 * Scores of texts on their way from isolates through the objects of clients to the object that adds them up.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, type MockInstance, vi } from 'vitest';
import { USAGE_COMMIT_MS } from '../../../shared/limits/control.ts';
import { DRIFT_REPORT_MS } from '../../../shared/limits/drift.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { type UsageFlush, usageObjectName } from '../../../shared/usage/flush.ts';
import { TextCounter, type TextCounts } from '../../../shared/usage/text-counts.ts';
import { DriftRows } from '../../../workers/drift/drift-rows.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { DRIFT_NAME } from '../../../workers/storage/drift-port.ts';
import type { UsageObject } from '../../../workers/storage/usage-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';

export const control = env as unknown as ControlEnv;
/** Noon in Korea. */
export const NOON = Date.parse('2040-01-10T03:00:00Z');
export const WAIT = { timeout: HANG_MS };
let warned: MockInstance<(...lines: unknown[]) => void>;

export const drift = () => control.TEXT_DRIFT.getByName(DRIFT_NAME);
export const driftStub = () => drift() as unknown as DurableObjectStub;
export const counter = (name: string) => env.USAGE!.getByName(name) as unknown as DurableObjectStub;

/** Ends the object if it is in memory. */
export async function stopped(stub: DurableObjectStub): Promise<void> {
  await evictDurableObject(stub).catch(() => undefined);
}

/** The logged events of this name. */
export function logged(event: string): Record<string, unknown>[] {
  return warned.mock.calls
    .map(([line]) => JSON.parse(String(line)) as Record<string, unknown>)
    .filter((each) => each.event === event);
}

/** Each test of the file begins at noon in Korea. */
export function atNoon(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  });
}

/** Counts of texts of one model. @param suspicious share of the texts */
export function scoresOf(release: string, texts: number, suspicious: number, model = 'kr-1'): TextCounts {
  const counted = new TextCounter();
  const marked = Math.round(texts * suspicious);
  for (let text = 0; text < texts; text++)
    if (text < marked) counted.count(release, model, 0.97, 'suspicious', false);
    else counted.count(release, model, (0.6 * (text % 97)) / 97, 'ordinary', false);
  return counted.counts()[0]!;
}

export function flushOf(
  client: string,
  flush: number,
  scores: readonly TextCounts[],
  rest: Partial<UsageFlush> = {},
): UsageFlush {
  const counts = { totals: { numbers: 1 }, by: {} };
  const hour = Math.floor(Date.now() / HOUR_MS);
  return { client, isolate: 'a', flush, hour, counts, shard: 0, shards: 1, scores, ...rest };
}

export async function apply(flush: UsageFlush): Promise<void> {
  // A busy object waits between two commits.
  vi.setSystemTime(Date.now() + USAGE_COMMIT_MS);
  const object = counter(usageObjectName(flush.client, flush.shard)) as unknown as UsageObject;
  await object.apply(flush);
}

/** All counts of the object that adds them up. */
export async function totals(): Promise<Record<string, number[]>> {
  const rows = await runInDurableObject(driftStub(), (_, { storage }) =>
    new DriftRows(storage).totals({ from: 0, to: 1_000_000 }),
  );
  return Object.fromEntries(
    rows.map(({ day, release, model, counts }) => [`${day} ${release} ${model}`, [...counts]]),
  );
}

/** Makes the objects report their counts. */
export async function reported(...names: readonly string[]): Promise<void> {
  vi.setSystemTime(Date.now() + 2 * DRIFT_REPORT_MS);
  for (const name of names) {
    await runInDurableObject(counter(name), (_, { storage }) => storage.setAlarm(Date.now()));
    await runDurableObjectAlarm(counter(name));
  }
}
