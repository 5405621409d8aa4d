/**
 * The registry. Everything that the stores publish reaches the head exactly, whatever is repeated, lost or damaged, and the
 * coordinator gets few changes.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { REGISTRATION_UNSEALED_MAX, REGISTRY_RESTORED_GAP } from '../../../shared/limits/registrations.ts';
import type { Registry } from '../../../workers/registry/registry.ts';
import type { PublishedChange } from '../../../workers/storage/registry-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { coordinator, kvHead, stub } from '../support/coordinator.ts';
import { watchPuts } from '../support/kv.ts';
import {
  change,
  changes,
  headRegistrations,
  loseRegistry,
  published,
  readChanges,
  registry,
  registryStub,
} from '../support/registry.ts';

const MAIN = 'acme/main';
const FIRST = 82_15_881_234;

let warned: { event: string }[];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(JSON.parse(line)));
});

/** The name of the error that refuses a batch. */
async function failureOf(
  organisation: string,
  n: number,
  batch: readonly PublishedChange[],
): Promise<string> {
  return runInDurableObject(registryStub(), async (instance) => {
    const publishing = (instance as unknown as Registry).publish(organisation, n, batch, []);
    return publishing.then(
      () => 'none',
      (error: Error) => error.name,
    );
  });
}

const events = (): string[] => warned.map(({ event }) => event);

test('a batch is in the head once it is acknowledged, and the same batch again changes nothing', async () => {
  const batch = [change(MAIN, FIRST), { ...change(MAIN, FIRST + 1, 'addOwn'), to: FIRST + 100 }];
  const version = await published('acme', 1, batch);
  const head = await headRegistrations();
  expect([head.version, head.droppedVersion]).toEqual([version, 0]);
  const expected = new Map([
    [`${MAIN} ${FIRST}-${FIRST}`, 'add'],
    [`${MAIN} ${FIRST + 1}-${FIRST + 100}`, 'addOwn'],
  ]);
  expect(await readChanges()).toEqual(expected);
  expect(await published('acme', 1, batch)).toBe(version);
  const other = await registry().publish('acme', 1, [change(MAIN, FIRST, 'remove')], []);
  expect(other).toMatchObject({ ok: false, code: 'BATCH_KNOWN', last: 1 });
  expect(await readChanges()).toEqual(expected);
  expect(await headRegistrations()).toEqual(head);
});

test('many batches at once cost the coordinator few changes of the head', async () => {
  const organisations = Array.from({ length: 60 }, (_, index) => `org-${index}`);
  await Promise.all(organisations.map((id) => published(id, 1, changes(`${id}/main`, FIRST, 20))));
  expect((await readChanges()).size).toBe(1_200);
  const { seq } = await coordinator().status();
  expect(seq).toBeLessThan(6);
  const operations = await runInDurableObject(stub(), (_, { storage }) =>
    storage.sql.exec('SELECT 1 FROM operations').toArray(),
  );
  expect(operations).toEqual([]);
});

test('any batches leave what the last change of each pair says', async () => {
  const someChange: fc.Arbitrary<PublishedChange> = fc
    .record({
      client: fc.constantFrom('acme/main', 'acme/second'),
      from: fc.integer({ min: FIRST, max: FIRST + 400 }),
      more: fc.constantFrom(0, 0, 5),
      op: fc.constantFrom('add', 'addOwn', 'remove'),
    })
    .map(({ more, ...some }) => ({ ...some, to: some.from + more }));
  const batches = fc.sample(fc.array(someChange, { minLength: 300, maxLength: 400, size: 'max' }), {
    numRuns: 6,
    seed: 15,
  });
  const model = new Map<string, string>();
  for (const [index, batch] of batches.entries()) {
    // With these, sealed segments contain rows that later rows replace.
    const all = [...batch, ...changes('acme/bulk', FIRST, 100, index % 2 === 0 ? 'add' : 'remove')];
    await published('acme', index + 1, all);
    for (const { client, from, to, op } of all) model.set(`${client} ${from}-${to}`, op);
    expect(await readChanges()).toEqual(model);
  }
  const { segments } = await headRegistrations();
  expect(segments.length).toBeGreaterThan(0);
  expect((await registry().status()).changes).toBe(model.size);
});

test('a change that has no binary form, or is of another organisation, is refused with all of its batch', async () => {
  for (const wrong of [
    change('other/main', FIRST),
    { ...change(MAIN, FIRST), to: FIRST + 10_000 },
    { ...change(MAIN, FIRST), to: FIRST - 1 },
    change(MAIN, 1e15),
    change(MAIN, 0.5),
    change('acme/a\nb', FIRST),
  ]) {
    const done = await registry().publish('acme', 1, [change(MAIN, FIRST), wrong], []);
    expect(done).toMatchObject({ ok: false, code: 'CHANGE_IMPOSSIBLE' });
  }
  const refused = [{ organisation: 'acme', since: expect.any(Number) }];
  const nothing = { version: 0, droppedVersion: 0, changes: 0, waiting: [] };
  expect(await registry().status()).toMatchObject({ ...nothing, refused });
  expect(await coordinator().registrations()).toMatchObject({ head: null });
});

test('while the coordinator does not respond, a batch is not acknowledged, and is published later', async () => {
  const silent = vi.spyOn(env.COORDINATOR, 'getByName').mockImplementation(() => {
    throw new Error('Network connection lost.');
  });
  expect(await failureOf('acme', 1, [change(MAIN, FIRST)])).toBe('Error');
  silent.mockRestore();
  await published('acme', 1, [change(MAIN, FIRST)]);
  expect([...(await readChanges())]).toEqual([[`${MAIN} ${FIRST}-${FIRST}`, 'add']]);
});

test('a registry that ends before the coordinator has its changes publishes them when it is back', async () => {
  await published('acme', 1, [change(MAIN, FIRST)]);
  const silent = vi.spyOn(env.COORDINATOR, 'getByName').mockImplementation(() => {
    throw new Error('Network connection lost.');
  });
  expect(await failureOf('acme', 2, [change(MAIN, FIRST, 'remove')])).toBe('Error');
  await evictDurableObject(registryStub());
  silent.mockRestore();
  // Nobody sends the batch again, because the alarm of the registry is enough.
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(registryStub());
    expect([...(await readChanges())]).toEqual([[`${MAIN} ${FIRST}-${FIRST}`, 'remove']]);
  }, HANG_MS);
});

test('a segment that KV refuses is served by the coordinator, and is in KV before the copy of the head names it', async () => {
  let refused = 0;
  watchPuts((key) => {
    if (!key.startsWith('registrations/') || refused > 1) return null;
    refused++;
    return Promise.reject(new Error('KV PUT failed: 429'));
  });
  await published('acme', 1, changes(MAIN, FIRST, REGISTRATION_UNSEALED_MAX + 1));
  const [named] = (await headRegistrations()).segments;
  expect((await readChanges()).size).toBe(REGISTRATION_UNSEALED_MAX + 1);
  await vi.waitFor(async () => {
    await runInDurableObject(stub(), (instance) =>
      (instance as unknown as { alarm(): Promise<void> }).alarm(),
    );
    expect((await kvHead())?.head.registrations?.segments).toEqual([named]);
  }, HANG_MS);
  expect(await env.LISTS.get(named!.key)).not.toBeNull();
  expect(refused).toBe(2);
});

test('the queue lists what reviewers have to do, in the order of submission', async () => {
  const entry = (id: string, submittedAt: number, state = 'submitted', claimedBy: string | null = null) => ({
    ...{ id, submittedAt, state, claimedBy, basis: 'own', from: FIRST, to: FIRST },
  });
  await published('acme', 1, [], [entry('1', 300), entry('2', 100)]);
  await published('beta', 1, [], [entry('1', 200), entry('9', 300)]);
  const ids = async (after: string | null, limit: number) => {
    const page = await registry().queued(after, limit);
    return { found: page.queue.map(({ organisation, id }) => `${organisation}/${id}`), next: page.next };
  };
  const first = await ids(null, 2);
  expect(first.found).toEqual(['acme/2', 'beta/1']);
  expect((await ids(first.next, 2)).found).toEqual(['acme/1', 'beta/9']);
  await published('acme', 2, [], [entry('2', 100, 'approved'), entry('1', 300, 'inReview', 'token:kisa')]);
  expect((await ids(null, 9)).found).toEqual(['beta/1', 'acme/1', 'beta/9']);
  const all = (await registry().queued(null, 9)).queue;
  expect(all[1]).toMatchObject({ claimedBy: 'token:kisa' });
  const { organisation } = all.at(-1)!;
  const own = all.filter((each) => each.organisation === organisation);
  expect((await registry().queued(null, 9, organisation)).queue).toEqual(own);
  // Sorted by number and not by text, even across pages.
  await published('beta', 2, [], [entry('10', 300), entry('11', 300)]);
  const last = await ids((await ids(null, 3)).next, 9);
  expect(last.found).toEqual(['beta/10', 'beta/11']);
  // Data for reviewers does not change the head.
  expect((await coordinator().status()).seq).toBe(0);
});

test('the index of numbers names each organisation that registered one, in force or in the queue', async () => {
  const span = { from: FIRST, to: FIRST };
  await published('acme', 1, [{ client: MAIN, from: FIRST - 5, to: FIRST + 5, op: 'add' }]);
  const waiting = { id: '1', submittedAt: 1, state: 'submitted', claimedBy: null, basis: 'own', ...span };
  await published('beta', 1, [change('beta/main', FIRST + 1)], [waiting]);
  const found = async (from: number, to = from, limit = 9) =>
    ((await registry().organisationsOf({ from, to }, limit)) ?? []).toSorted();
  expect(await found(FIRST)).toEqual(['acme', 'beta']);
  expect(await found(FIRST + 2)).toEqual(['acme']);
  expect(await found(FIRST + 1, FIRST + 99)).toEqual(['acme', 'beta']);
  expect(await found(FIRST + 6)).toEqual([]);
  expect(await found(FIRST, FIRST, 1)).toHaveLength(1);
  // It names organisations that may have a registration, so removed numbers stay in it.
  await published('acme', 2, [change(MAIN, FIRST + 7, 'remove')]);
  expect(await found(FIRST + 7)).toEqual([]);
});

describe('a registry that has lost its tables', () => {
  const batch = changes(MAIN, FIRST, REGISTRATION_UNSEALED_MAX + 1);

  test('reads the changes back from the head, and continues above its version', async () => {
    const before = await published('acme', 1, batch);
    await published('acme', 2, [change(MAIN, FIRST, 'remove')]);
    const expected = await readChanges();
    await loseRegistry();
    await evictDurableObject(registryStub());
    const version = await published('beta', 1, [change('beta/main', FIRST)]);
    expect(version).toBeGreaterThan(before + REGISTRY_RESTORED_GAP);
    expect(await readChanges()).toEqual(expected.set(`beta/main ${FIRST}-${FIRST}`, 'add'));
    expect((await headRegistrations()).droppedVersion).toBe(0);
    expect(events()).toContain('registryRestored');
  });

  test('and a segment of the head too, lets no release count as complete', async () => {
    await published('acme', 1, batch);
    const [named] = (await headRegistrations()).segments;
    await env.LISTS.delete(named!.key);
    await loseRegistry();
    await evictDurableObject(registryStub());
    const version = await published('beta', 1, [change('beta/main', FIRST)]);
    const head = await headRegistrations();
    expect([head.version, head.droppedVersion]).toEqual([version, version - 1]);
    expect([...(await readChanges()).keys()]).toEqual([`beta/main ${FIRST}-${FIRST}`]);
  });
});

test('a registry that was set back takes the later changes from the head', async () => {
  await published('acme', 1, [change(MAIN, FIRST), change(MAIN, FIRST + 1)]);
  await published('acme', 2, [change(MAIN, FIRST, 'remove')]);
  await runInDurableObject(registryStub(), (_, { storage }) => {
    storage.sql.exec(`UPDATE meta SET value = 2 WHERE key = 'version'`);
    storage.sql.exec(`UPDATE changes SET version = 1, op = 0 WHERE version = 3`);
  });
  await evictDurableObject(registryStub());
  await published('acme', 3, [change(MAIN, FIRST + 2)]);
  expect([...(await readChanges()).values()]).toEqual(['add', 'remove', 'add']);
});
