/** Every test relies on empty stores: before each test, all objects are emptied, whether in memory or not. */
import { evictDurableObject, listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { emptyStores } from '../support/fresh.ts';
import { namespaces, startedObjects } from '../support/started.ts';

const NAMES = ['kept in memory', 'evicted'] as const;
/** A time that no object sets when it starts. */
const ALARM = Date.UTC(2099, 0, 1);

const stubOf = (namespace: DurableObjectNamespace, name: string) => namespace.get(namespace.idFromName(name));

test('objects of every class start empty, also those that were evicted', async () => {
  expect(namespaces.length).toBeGreaterThan(15);
  for (const namespace of namespaces) {
    for (const name of NAMES)
      await runInDurableObject(stubOf(namespace, name), async (_, { storage }) => {
        await storage.put('left', name);
        await storage.setAlarm(ALARM);
      });
    await evictDurableObject(stubOf(namespace, 'evicted'));
  }
  const known = new Set(startedObjects().map(({ id }) => id.toString()));
  expect(known.size).toBe(NAMES.length * namespaces.length);
  await emptyStores();
  expect(startedObjects()).toEqual([]);
  for (const namespace of namespaces) {
    const listed = (await listDurableObjectIds(namespace)).map(String);
    for (const name of NAMES) {
      const stub = stubOf(namespace, name);
      // Without this, the test would prove nothing. The object's file still exists.
      expect(listed).toContain(stub.id.toString());
      const left = await runInDurableObject(stub, async (_, { storage }) => [
        await storage.get('left'),
        await storage.getAlarm(),
      ]);
      expect(left[0], name).toBeUndefined();
      expect(left[1], name).not.toBe(ALARM);
    }
  }
});
