/**
 * Every test starts with empty stores and without cached reads of modules, and ends with real clocks and unwatched bindings.
 * This is needed because the runtime and its modules serve many files.
 */
import { reset, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, vi } from 'vitest';
import { resetAuthentication } from '../../../workers/admin/authentication.ts';
import { resetConsumers } from '../../../workers/feed/consumers.ts';
import { resetMetrics } from '../../../workers/metrics/routes.ts';
import { resetNoticeClients } from '../../../workers/notices/clients.ts';
import { resetSources } from '../../../workers/register/sources.ts';
import { resetReportKeys } from '../../../workers/reports/keying.ts';
import { resetPartnerAdmission } from '../../../workers/reports/partner-admission.ts';
import { forgetStarted, startedObjects } from './started.ts';

/**
 * Empties everything. `reset` empties the objects in memory. Objects that a test evicted, or that the runtime dropped after
 * some seconds without a call, keep their data, and so may an object that was writing. So each object that has started since
 * the last time is started again and emptied. An object that is called meanwhile may have restored itself from KV, so there is
 * a second `reset`. Meanwhile the clock is real, because an object that had seen a later time would wait for that time.
 */
export async function emptyStores(): Promise<void> {
  const faked = vi.isFakeTimers() ? Date.now() : null;
  vi.useRealTimers();
  await reset();
  const started = startedObjects();
  for (const stub of started) await runInDurableObject(stub, emptyObject);
  // Objects that start from now on belong to the next test.
  forgetStarted();
  if (started.length > 0) await reset();
  if (faked !== null) vi.useFakeTimers({ toFake: ['Date'], now: faked });
}

async function emptyObject(_: unknown, { storage }: DurableObjectState): Promise<void> {
  await storage.deleteAlarm();
  await storage.deleteAll();
}

beforeEach(async () => {
  await emptyStores();
  resetAuthentication();
  resetConsumers();
  resetMetrics();
  resetNoticeClients();
  resetPartnerAdmission();
  resetReportKeys();
  resetSources();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
