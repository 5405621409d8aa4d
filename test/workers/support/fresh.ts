/**
 * Every test starts with empty stores, and ends with real clocks and unwatched bindings. Import for its effect;
 * vitest.config.ts finds the files that do.
 */
import { listDurableObjectIds, reset, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, vi } from 'vitest';

const namespaces = Object.values(env).filter(isNamespace);

/**
 * Empties everything. `reset` empties the objects in memory. The runtime drops those that nobody calls for some seconds, and
 * they keep what they have; and one that is called meanwhile may have restored itself from KV. The clock is the real one
 * meanwhile: an object that had seen a later time than the test shows it would wait for that time.
 */
export async function emptyStores(): Promise<void> {
  const faked = vi.isFakeTimers() ? Date.now() : null;
  vi.useRealTimers();
  await emptyAll();
  if (faked !== null) vi.useFakeTimers({ toFake: ['Date'], now: faked });
}

async function emptyAll(): Promise<void> {
  await reset();
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
  if (left.flat().length > 0) await reset();
}

beforeEach(emptyStores);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function isNamespace(value: unknown): value is DurableObjectNamespace {
  return (value as object | null)?.constructor.name === 'DurableObjectNamespace';
}
