/**
 * Every test starts with empty stores, and ends with real clocks and unwatched bindings. The runtime and its modules serve
 * many files: what a module keeps, the files that need it empty must empty.
 */
import { listDurableObjectIds, reset, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, vi } from 'vitest';

const namespaces = Object.values(env).filter(isNamespace);

/** The runtime drops an object from memory after about 10 s without a call. Less, in ms. */
const KEPT_MS = 5_000;
let emptiedAt = Number.NEGATIVE_INFINITY;

/**
 * Empties everything. The clock is the real one meanwhile: an object that had seen a later time than the test shows it
 * would wait for that time.
 */
export async function emptyStores(): Promise<void> {
  const faked = vi.isFakeTimers() ? Date.now() : null;
  vi.useRealTimers();
  // `reset` empties the objects in memory.
  await reset();
  if (Date.now() - emptiedAt > KEPT_MS) await emptyDropped();
  // One that was called meanwhile may have restored itself from KV.
  await reset();
  emptiedAt = Date.now();
  if (faked !== null) vi.useFakeTimers({ toFake: ['Date'], now: faked });
}

/** Empties the objects that are on disk alone. */
async function emptyDropped(): Promise<void> {
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

beforeEach(emptyStores);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function isNamespace(value: unknown): value is DurableObjectNamespace {
  return (value as object | null)?.constructor.name === 'DurableObjectNamespace';
}
