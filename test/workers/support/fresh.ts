/**
 * Every test starts with empty stores, with nothing that modules have read from them, and ends with real clocks and unwatched
 * bindings. The runtime and its modules serve many files.
 */
import { listDurableObjectIds, reset, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, vi } from 'vitest';
import { resetAuthentication } from '../../../workers/admin/authentication.ts';
import { resetConsumers } from '../../../workers/feed/consumers.ts';
import { resetMetrics } from '../../../workers/metrics/routes.ts';
import { resetNoticeClients } from '../../../workers/notices/clients.ts';
import { resetSources } from '../../../workers/register/sources.ts';
import { resetReportKeys } from '../../../workers/reports/keying.ts';
import { resetPartnerAdmission } from '../../../workers/reports/partner-admission.ts';

const namespaces = Object.values(env).filter(isNamespace);

/**
 * Empties everything. `reset` empties the objects in memory. Those that a test evicted, or that the runtime dropped after some
 * seconds without a call, keep what they have; and one that is called meanwhile may have restored itself from KV. The clock is
 * the real one meanwhile: an object that had seen a later time than the test shows it would wait for that time.
 */
export async function emptyStores(): Promise<void> {
  const faked = vi.isFakeTimers() ? Date.now() : null;
  vi.useRealTimers();
  await reset();
  await emptyEvicted();
  await reset();
  if (faked !== null) vi.useFakeTimers({ toFake: ['Date'], now: faked });
}

async function emptyEvicted(): Promise<void> {
  const left = await Promise.all(
    namespaces.map(async (namespace) =>
      (await listDurableObjectIds(namespace)).map((id) => namespace.get(id)),
    ),
  );
  for (const stub of left.flat()) {
    await runInDurableObject(stub, async (_, { storage }) => {
      await storage.deleteAlarm();
      await storage.deleteAll();
    });
  }
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

function isNamespace(value: unknown): value is DurableObjectNamespace {
  return (value as object | null)?.constructor.name === 'DurableObjectNamespace';
}
