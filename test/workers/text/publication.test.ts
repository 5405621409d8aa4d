/** The head's part that names texts: how often it changes, and the effects of KV, kills, lost tables and rotations. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { HEAD_PART_INTERVAL_MS } from '../../../shared/limits/control.ts';
import { TEXT_RESTORED_GAP } from '../../../shared/limits/text.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { COORDINATOR_NAME } from '../../../workers/storage/coordinator-port.ts';
import { TextStore } from '../../../workers/text/text-store.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { otherKeys } from '../../shared/support/other-keys.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { asAdmin, coordinator, copied, unwrap } from '../support/coordinator.ts';
import { watchPuts } from '../support/kv.ts';
import { A, B, restarted } from '../support/rotating.ts';
import {
  asText,
  codeIn,
  done,
  headText,
  keysInKv,
  loseTables,
  namesIn,
  promoted,
  promoting,
  pushed,
  readIndex,
  readValue,
  textRelease,
  textStub,
  texts,
} from '../support/text-store.ts';

let warned: Record<string, unknown>[];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(JSON.parse(line)));
});
const events = (): unknown[] => warned.map(({ event }) => event);

test('many changes make one head in an interval, and it has the last of them', async () => {
  const { release } = await pushed();
  let calls = 0;
  const startedAt = Date.now();
  await runInDurableObject(textStub(), async (_, state) => {
    const real = env.COORDINATOR.getByName(COORDINATOR_NAME) as never as Record<
      'text' | 'putText',
      (...args: unknown[]) => Promise<unknown>
    >;
    const COORDINATOR = {
      getByName: () => ({
        text: () => real.text(),
        putText: (update: unknown) => {
          calls++;
          return real.putText(update);
        },
      }),
    };
    const store = new TextStore(state, { ...env, COORDINATOR } as unknown as ControlEnv);
    const shares = Array.from({ length: 20 }, (_, index) => (index + 1) / 40);
    const answers = await Promise.all(
      shares.map((share) => store.promote(asText(), release, promoting(null, { share }))),
    );
    expect(answers.map((answer) => done(answer).version)).toEqual(shares.map((_, index) => index + 1));
    await store.refresh();
  });
  // On any machine, however slow. The last call is that of `refresh`.
  expect(calls).toBeLessThanOrEqual(Math.floor((Date.now() - startedAt) / HEAD_PART_INTERVAL_MS) + 2);
  expect(await readIndex()).toMatchObject({ version: 20, candidate: { share: 0.5 } });
});

test('a KV that refuses writes delays nothing: the coordinator has the values, and writes them later', async () => {
  let isRefusing = true;
  watchPuts((key) =>
    isRefusing && key.startsWith('text/') ? Promise.reject(new Error('KV PUT failed: 500')) : null,
  );
  const built = await pushed();
  expect(await promoted(built.release)).toMatchObject({ published: true });
  expect(events()).toContain('valuePutFailed');
  expect(await keysInKv()).toEqual([]);
  expect(namesIn(await readIndex())).toEqual([built.release, null]);
  for (const key of built.keys) expect((await readValue(key)).length).toBeGreaterThan(0);
  isRefusing = false;
  await coordinator().sweep(asAdmin().actor);
  await vi.waitFor(
    async () => expect(await keysInKv()).toEqual(expect.arrayContaining([...built.keys])),
    HANG_MS,
  );
});

test('a value that returns after its release was withdrawn is written to KV again', async () => {
  const first = await pushed();
  await promoted(first.release);
  done(await texts().rollBack(asText(), undefined));
  // Like the coordinator with values that nothing names.
  for (const key of first.keys) await env.LISTS.delete(key);
  await promoted(first.release);
  expect(await keysInKv()).toEqual(expect.arrayContaining([...first.keys]));
});

test('a change reaches the head although the coordinator was silent and the store ended', async () => {
  const { release } = await pushed();
  const silent = vi.spyOn(env.COORDINATOR, 'getByName').mockImplementation(() => {
    throw new Error('Network connection lost.');
  });
  expect(await promoted(release)).toMatchObject({ current: release, published: false });
  expect(events()).toContain('textNotPublished');
  expect((await texts().status()).published).toBe(0);
  await evictDurableObject(textStub());
  silent.mockRestore();
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(textStub());
    expect(namesIn(await readIndex())).toEqual([release, null]);
  }, HANG_MS);
  expect(await texts().status()).toMatchObject({ version: 1, published: 1 });
});

test('a store that was set back continues above the version of the head', async () => {
  const { release } = await pushed();
  await promoted(release, null, { share: 0.2 });
  await promoted(release, null, { share: 0.4 });
  const { version } = await readIndex();
  await runInDurableObject(textStub(), (_, { storage }) => {
    storage.sql.exec("UPDATE meta SET value = '1' WHERE key IN ('version', 'publishedVersion')");
    storage.sql.exec('UPDATE releases SET share = 0.2');
  });
  await evictDurableObject(textStub());
  await texts().refresh();
  expect(await readIndex()).toMatchObject({
    version: version + TEXT_RESTORED_GAP,
    candidate: { share: 0.2 },
  });
  expect(warned.at(-1)).toEqual({ event: 'textRestored', before: 1, version: version + TEXT_RESTORED_GAP });
});

test('a store that has lost its tables gets the releases in force back from KV', async () => {
  const first = await pushed();
  await promoted(first.release);
  const second = await pushed({ base: first.release, minute: 1, weight: 2 });
  await promoted(second.release, first.release, { share: 0.3 });
  const before = await readIndex();
  await loseTables();
  await texts().refresh();
  const after = await readIndex();
  expect(after).toEqual({ ...before, version: before.version + TEXT_RESTORED_GAP });
  expect(warned.at(-1)).toMatchObject({ event: 'textRestored', had: 2, restored: 2 });
  expect((await texts().audit(0, 10)).map(({ action, actor }) => [action, actor])).toEqual([
    ['textRelease.restore', 'numgate'],
    ['textRelease.restore', 'numgate'],
  ]);
  for (const key of [...first.keys, ...second.keys]) expect(await texts().value(key)).not.toBeNull();
  expect(await promoted(second.release, first.release)).toMatchObject({ current: second.release });
});

test('what KV has lost or altered is not restored: the head then has none of it', async () => {
  const first = await pushed();
  await promoted(first.release);
  const second = await pushed({ base: first.release, minute: 1, weight: 2 });
  await promoted(second.release, first.release, { share: 0.3 });
  const model = second.manifest.model!.value.key;
  await env.LISTS.put(model, (await readValue(first.manifest.model!.value.key)).buffer);
  await loseTables();
  await texts().refresh();
  expect(namesIn(await readIndex())).toEqual([first.release, null]);
  expect(warned.at(-1)).toMatchObject({ event: 'textRestored', had: 2, restored: 1 });
  await env.LISTS.delete((await headText())!.index.key);
  await loseTables();
  await texts().refresh();
  expect(namesIn(await readIndex())).toEqual([null, null]);
  expect(warned.at(-1)).toMatchObject({ event: 'textRestored', had: null, restored: 0 });
});

test('a coordinator that has lost its tables keeps the texts of the head, and the store gives them again', async () => {
  const { release } = await pushed();
  await promoted(release);
  await copied();
  await runInDurableObject(env.COORDINATOR.getByName(COORDINATOR_NAME) as never, async (_, { storage }) => {
    await storage.deleteAll();
  });
  await evictDurableObject(env.COORDINATOR.getByName(COORDINATOR_NAME) as never);
  expect(namesIn(await readIndex())).toEqual([release, null]);
  await coordinator().sweep(asAdmin().actor);
  await vi.waitFor(
    async () => expect((await coordinator().status()).listKeys?.text).toEqual([testKeys.keyId]),
    HANG_MS,
  );
});

test('a rotation of LIST_KEY seals the index again; a release keeps its key until another one is promoted', async () => {
  const { release } = await pushed();
  await promoted(release);
  const inBoth = `${B},${A}`;
  await restarted(inBoth, async (each) => {
    const options = { keyId: otherKeys.keyId, dropUnknownSources: false, reason: 'yearly' };
    unwrap(await each.rotateListKey(asAdmin(), options));
  });
  const COORDINATOR = {
    getByName: () => ({
      text: () => restarted(inBoth, (each) => each.text()),
      putText: (update: never) => restarted(inBoth, (each) => each.putText(update)),
    }),
  };
  const withKey = <Value>(listKey: string, work: (store: TextStore) => Promise<Value>): Promise<Value> =>
    runInDurableObject(textStub(), (_, state) =>
      work(new TextStore(state, { ...env, LIST_KEY: listKey, COORDINATOR } as unknown as ControlEnv)),
    );
  const keyIds = () => restarted(inBoth, async (each) => (await each.status()).listKeys?.text);
  await withKey(inBoth, (store) => store.refresh());
  expect(await keyIds()).toEqual([testKeys.keyId, otherKeys.keyId].sort());
  const { sealed } = await restarted(inBoth, (each) => each.head({ seq: 0, dataCentre: 'TST' }));
  expect(sealed).not.toBeNull();
  const next = await textRelease({
    ...{ base: release, minute: 1, keys: otherKeys },
  });
  await withKey(inBoth, async (store) => {
    done(await store.pushRelease(asText(), next.put));
    done(await store.promote(asText(), next.release, promoting(release)));
  });
  expect(await keyIds()).toEqual([otherKeys.keyId]);
  // Without the old key, releases that it sealed can neither return nor be promoted.
  await withKey(B, async (store) => {
    expect(await store.rollBack(asText(), undefined)).toMatchObject({
      ...{ code: 'ROLLBACK_IMPOSSIBLE', message: expect.stringContaining('KEY_FOREIGN') },
    });
    expect(codeIn(await store.promote(asText(), release, promoting(next.release)))).toBe('KEY_FOREIGN');
  });
});

test('the audit log has the end of the chain', async () => {
  const { release } = await pushed();
  await promoted(release);
  await runInDurableObject(textStub(), (instance) => (instance as TextStore).alarm());
  const [last] = (await texts().audit(0, 10)).slice(-1);
  const anchor = (await coordinator().audit(0, 100)).find(({ action }) => action === 'text.anchor');
  expect(anchor).toMatchObject({
    ...{ subject: 'text releases and campaigns', actor: 'numgate' },
    after: { n: 2, from: 0, hash: last!.hash },
  });
});
