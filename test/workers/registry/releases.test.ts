/**
 * The registry and the releases. It forgets changes that every readable release contains, and no release that lacks forgotten
 * changes becomes current. When LIST_KEY rotates, its segments move to the new key.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { VALUES_KEPT_MS } from '../../../shared/limits/control.ts';
import { REGISTRATION_UNSEALED_MAX } from '../../../shared/limits/registrations.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { RegistrationSegment } from '../../../shared/senders/registration-segment.ts';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { unseal } from '../../../shared/set/seal.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { Registry } from '../../../workers/registry/registry.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { OTHER_LIST_KEY } from '../../shared/support/other-keys.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  ALL_GUARDS,
  asAdmin,
  codeOf,
  coordinator,
  type ReleaseOptions,
  readHead,
  stage,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import {
  change,
  changes,
  headRegistrations,
  published,
  readChanges,
  registry,
  registryStub,
} from '../support/registry.ts';
import { A, B, restarted } from '../support/rotating.ts';
import { smallLists } from '../support/world.ts';

const MAIN = 'acme/main';
const FIRST = 82_15_881_234;

let minute = 0;
let base: string | null = null;
beforeEach(() => {
  minute = 0;
  base = null;
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

async function promote(options: Partial<ReleaseOptions>) {
  const release = await stage({ lists: smallLists(), base, minute: minute++, ...options });
  const promoted = await coordinator().promote(asAdmin(), release, {
    ...{ base, share: 1, overrides: ALL_GUARDS, reason: 'test' },
  });
  if (promoted.ok) base = release;
  return promoted;
}

/** Waits until the copy of the head in KV is current. */
const copied = (): Promise<void> =>
  vi.waitFor(async () => {
    const { seq, kvSeq } = await coordinator().status();
    expect(kvSeq).toBe(seq);
  }, HANG_MS);

/** The registry drops changes after a promotion is answered. */
const dropped = (version: number): Promise<void> =>
  vi.waitFor(async () => {
    const { registrations } = (await readHead())!.head;
    expect(registrations?.droppedVersion).toBe(version);
    const rows = await runInDurableObject(registryStub(), (_, { storage }) =>
      storage.sql.exec('SELECT 1 FROM changes WHERE version <= ?', version).toArray(),
    );
    expect(rows).toEqual([]);
  }, HANG_MS);

test('changes are forgotten once every release that a rollback can reach contains them', async () => {
  const first = await published('acme', 1, changes(MAIN, FIRST, REGISTRATION_UNSEALED_MAX + 10));
  unwrap(await promote({}));
  for (let pushed = 0; pushed < 2; pushed++) unwrap(await promote({ registrations: first }));
  // The first release can still become current.
  expect((await headRegistrations()).droppedVersion).toBe(0);
  const later = await published('acme', 2, [change(MAIN, FIRST, 'remove')]);
  unwrap(await promote({ registrations: first }));
  await dropped(first);
  await vi.waitFor(async () => expect((await headRegistrations()).segments).toEqual([]), HANG_MS);
  expect([...(await readChanges())]).toEqual([[`${MAIN} ${FIRST}-${FIRST}`, 'remove']]);
  expect(await registry().status()).toMatchObject({ version: later, changes: 1 });
  // Every release that a rollback can reach has the forgotten changes.
  unwrap(await coordinator().rollback(asAdmin(), { reason: 'test', overrideAuthorities: [] }));
  unwrap(await coordinator().rollback(asAdmin(), { reason: 'test', overrideAuthorities: [] }));
  expect((await headRegistrations()).droppedVersion).toBe(first);
});

test('a release that lacks forgotten changes, or has changes that the head lacks, does not become current', async () => {
  const version = await published('acme', 1, [change(MAIN, FIRST), change(MAIN, FIRST + 1)]);
  expect(codeOf(await promote({ registrations: version + 1 }))).toBe('REGISTRATIONS_AHEAD');
  unwrap(await promote({ registrations: version }));
  await dropped(version);
  expect(codeOf(await promote({ registrations: version - 1 }))).toBe('REGISTRATIONS_BEHIND');
  expect(codeOf(await promote({}))).toBe('REGISTRATIONS_BEHIND');
  unwrap(await promote({ registrations: version }));
});

test('segments that the head no longer names leave KV after a day, and named ones stay', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const keys = async () => (await env.LISTS.list({ prefix: 'registrations/' })).keys.map(({ name }) => name);
  const publish = async (n: number) => {
    vi.setSystemTime(Date.now() + 2_000);
    await published('acme', n, changes(MAIN, FIRST + n * 1_000, REGISTRATION_UNSEALED_MAX + 1));
  };
  await publish(1);
  await publish(2);
  expect(await keys()).toHaveLength(2);
  await coordinator().sweep(WRANGLER);
  vi.setSystemTime(Date.now() + VALUES_KEPT_MS);
  await coordinator().sweep(WRANGLER);
  const { segments } = await headRegistrations();
  expect(await keys()).toEqual(segments.map(({ key }) => key));
  expect(segments).toHaveLength(1);
});

const loseTables = (): Promise<void> =>
  runInDurableObject(stub(), async (_, { storage }) => {
    for (const table of ['meta', 'audit', 'answers']) storage.sql.exec(`DELETE FROM ${table}`);
    await storage.deleteAlarm();
  });

test('a coordinator that has lost its tables keeps the registrations of the head, and gets what is newer', async () => {
  await published('acme', 1, changes(MAIN, FIRST, 3));
  await copied();
  const before = await headRegistrations();
  await loseTables();
  await evictDurableObject(stub());
  expect(await headRegistrations()).toEqual(before);
  await published('acme', 2, [change(MAIN, FIRST, 'remove')]);
  expect((await readChanges()).get(`${MAIN} ${FIRST}-${FIRST}`)).toBe('remove');
});

test('after lost tables, the segments of the head may need every key until the registry gives its state', async () => {
  const otherKeys = await deriveListKeys(OTHER_LIST_KEY);
  await published('acme', 1, changes(MAIN, FIRST, REGISTRATION_UNSEALED_MAX + 1));
  await copied();
  await loseTables();
  await restarted(`${B},${A}`, async (each) => {
    expect((await each.status()).listKeys?.registrations).toEqual([otherKeys.keyId, testKeys.keyId]);
  });
  await evictDurableObject(stub());
  await registry().refresh();
  expect((await coordinator().status()).listKeys?.registrations).toEqual([testKeys.keyId]);
});

test('a coordinator that starts empty gets the changes of the registry with the next cron', async () => {
  await published('acme', 1, changes(MAIN, FIRST, 3));
  await copied();
  await loseTables();
  await env.LISTS.delete(HEAD_KEY);
  await evictDurableObject(stub());
  expect(await coordinator().registrations()).toMatchObject({ head: null });
  await coordinator().sweep(WRANGLER);
  await vi.waitFor(async () => expect((await readChanges()).size).toBe(3), HANG_MS);
  await copied();
});

test('a rotation of LIST_KEY seals the segments again, and the status shows which keys they need', async () => {
  const otherKeys = await deriveListKeys(OTHER_LIST_KEY);
  await published('acme', 1, changes(MAIN, FIRST, REGISTRATION_UNSEALED_MAX + 1));
  const expected = await readChanges();
  const [before] = (await headRegistrations()).segments;
  const inBoth = `${B},${A}`;
  await restarted(inBoth, async (each) => {
    expect((await each.status()).listKeys?.registrations).toEqual([testKeys.keyId]);
    // Its call reaches the registry of the test, which has only the old key, and changes nothing.
    unwrap(
      await each.rotateListKey(asAdmin(), {
        ...{ keyId: otherKeys.keyId, dropUnknownSources: false, reason: 'yearly' },
      }),
    );
  });
  const COORDINATOR = {
    getByName: () => ({
      registrations: () => restarted(inBoth, (each) => each.registrations()),
      putRegistrations: (update: never) => restarted(inBoth, (each) => each.putRegistrations(update)),
    }),
  };
  await runInDurableObject(registryStub(), async (_, state) => {
    const fresh = new Registry(state, { ...env, LIST_KEY: inBoth, COORDINATOR } as unknown as ControlEnv);
    await fresh.refresh();
  });
  await restarted(inBoth, async (each) => {
    const { listKeys } = await each.status();
    expect([listKeys?.current, listKeys?.registrations]).toEqual([otherKeys.keyId, [otherKeys.keyId]]);
    const { head } = await each.registrations();
    expect(head!.segments).not.toContainEqual(before);
    const bytes = await runInDurableObject(registryStub(), async (_, { storage }) => {
      const [row] = storage.sql.exec<{ bytes: ArrayBuffer }>('SELECT bytes FROM segments').toArray();
      return new Uint8Array(row!.bytes);
    });
    const opened = new RegistrationSegment((await unseal(bytes, otherKeys))!);
    expect(opened.count).toBe(expected.size);
  });
});
