/**
 * Empties what the file before has left in the runtime that both share. `reset` empties the objects that are in memory; the
 * runtime drops objects that nobody calls for some seconds, and those keep their state. Listed in vitest.config.ts.
 */
import { listDurableObjectIds, reset, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll } from 'vitest';

beforeAll(async () => {
  await reset();
  for (const namespace of Object.values(env).filter(isNamespace)) {
    for (const id of await listDurableObjectIds(namespace)) {
      await runInDurableObject(namespace.get(id), async (_, { storage }) => {
        await storage.deleteAlarm();
        await storage.deleteAll();
      });
    }
  }
  await reset();
});

function isNamespace(value: unknown): value is DurableObjectNamespace {
  return (value as object | null)?.constructor.name === 'DurableObjectNamespace';
}
