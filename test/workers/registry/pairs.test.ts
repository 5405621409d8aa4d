/** What a build reads from all stores, page by page, and the queue that a lost registry reads back from them. */
import {
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
  waitOnExecutionContext,
} from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import type { PairInfo, PairsPage } from '../../../shared/admin/registration-pairs.ts';
import { sha256Hex } from '../../../shared/bytes.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import type { RegistrationContent } from '../../../shared/senders/registration.ts';
import worker from '../../../workers/main.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { accepted, asReviewer, asSender, content, facts, store, stub } from '../support/registrations.ts';
import { loseRegistry, published, readChanges, registry, registryStub } from '../support/registry.ts';
import { ANY } from '../support/room.ts';

async function send(body: object, token = 'root') {
  const ctx = createExecutionContext();
  const bindings = { ...env, ROOT_TOKEN_SHA256: await sha256Hex('right') };
  const request = new Request('https://numgate.test/v1/admin/registrations/pairs', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}.right`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const response = await worker.fetch(request as never, bindings as never, ctx);
  await waitOnExecutionContext(ctx);
  return { status: response.status, answer: (await response.json()) as PairsPage & Record<string, unknown> };
}

async function addOrganisation(id: string): Promise<void> {
  unwrap(await coordinator().putOrganisation(asAdmin(), id, bareOrganisation(id), ANY));
}

async function submit(organisation: string, more: Partial<RegistrationContent>): Promise<number> {
  const own = facts({ organisation });
  return Number(accepted(await store(organisation).create(asSender(), own, content(more), true)).id);
}

async function approve(organisation: string, more: Partial<RegistrationContent>): Promise<void> {
  const own = facts({ organisation });
  const id = await submit(organisation, more);
  for (const action of ['claim', 'approve'] as const) {
    const act = { action, reasons: [], isRoot: true };
    accepted(await store(organisation).act(asReviewer(), own, id, act, { match: null }));
  }
  const state = async () => (await store(organisation).get(id))!.publication;
  await vi.waitFor(async () => expect(await state()).toBe('published'), HANG_MS);
}

test('pages of any size have every pair once, in order, with the version before the first', async () => {
  for (const id of ['acme', 'beta', 'empty', 'zeta']) await addOrganisation(id);
  const others = ['acme-main', 'acme-other'];
  await approve('acme', { number: '1588-1234', clients: others });
  await approve('acme', { number: '1588-1300..1588-1399' });
  await approve('zeta', { number: '1588-1234' });
  await submit('beta', {});
  const expected: PairInfo[] = [
    ['acme/acme-main', 8_215_881_234, 8_215_881_234] as const,
    ['acme/acme-main', 8_215_881_300, 8_215_881_399] as const,
    ['acme/acme-other', 8_215_881_234, 8_215_881_234] as const,
    ['zeta/acme-main', 8_215_881_234, 8_215_881_234] as const,
  ].map(([client, from, to]) => ({ client, from, to, own: true }));
  const { version } = await registry().status();
  for (const limit of [1, 2, 3, 4, 10_000]) {
    const pairs: PairInfo[] = [];
    for (let after: string | null = null, pages = 0; pages === 0 || after !== null; pages++) {
      const { answer }: { answer: PairsPage } = await send({ after, limit });
      expect(answer.version).toBe(version);
      expect(answer.pairs.length).toBeLessThanOrEqual(limit);
      pairs.push(...answer.pairs);
      after = answer.next;
    }
    expect(pairs).toEqual(expected);
  }
});

test('a wrong request is refused by field, and a token without the scope altogether', async () => {
  for (const [body, field] of [
    [{ after: 'acme main' }, 'after'],
    [{ after: '+8215881234' }, 'after'],
    [{ limit: 0 }, 'limit'],
    [{ limit: 10_001 }, 'limit'],
    [{ more: 1 }, 'more'],
  ] as const) {
    const { status, answer } = await send(body);
    expect([status, answer.field]).toEqual([400, field]);
  }
  const secretSha256 = [await sha256Hex('right')];
  const token = {
    id: 'reader',
    secretSha256,
    organisation: 'default',
    role: null,
    scopes: ['read' as const],
  };
  unwrap(await coordinator().putToken(asAdmin(), 'reader', token as never, ANY));
  expect(await send({}, 'reader')).toMatchObject({ status: 403, answer: { code: 'PERMISSION_DENIED' } });
});

test('a registry that has lost its tables reads the queue back from the stores', async () => {
  for (const id of ['acme', 'beta']) await addOrganisation(id);
  await submit('acme', { number: '1588-1234' });
  await submit('acme', { number: '1588-1235' });
  await submit('beta', { number: '1588-1236' });
  const queue = async () =>
    (await registry().queued(null, 10)).queue.map(({ organisation, id }) => `${organisation}/${id}`).sort();
  const expected = ['acme/1', 'acme/2', 'beta/1'];
  await vi.waitFor(async () => expect(await queue()).toEqual(expected), HANG_MS);
  // The head has a change, which shows that the tables are lost.
  await published('other', 1, [{ client: 'other/main', from: 1_000, to: 1_000, op: 'add' }]);
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await loseRegistry();
  await evictDurableObject(registryStub());
  expect(await queue()).toEqual([]);
  await registry().status();
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(registryStub());
    expect(await queue()).toEqual(expected);
  }, HANG_MS);
});

test('the status shows what is in force, also after the registry has lost its tables', async () => {
  for (const id of ['acme', 'beta']) await addOrganisation(id);
  await approve('acme', { number: '1588-1000..1588-1009', clients: ['acme-main', 'acme-other'] });
  await approve('acme', { number: '1588-2000..1588-2099' });
  await approve('beta', { number: '1588-3000' });
  const acme = { organisation: 'acme', pairs: 20, ranges: 1 };
  const beta = { organisation: 'beta', pairs: 1, ranges: 0 };
  const expected = { pairs: 21, ranges: 1, mostPairs: [acme, beta], mostRanges: [acme] };
  expect((await registry().status()).used).toEqual(expected);
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await loseRegistry();
  await evictDurableObject(registryStub());
  await registry().status();
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(registryStub());
    expect((await registry().status()).used).toEqual(expected);
  }, HANG_MS);
});

test('a store with an impossible change is named in the status until its batch is accepted', async () => {
  await addOrganisation('acme');
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await store('acme').openCount();
  await runInDurableObject(stub('acme'), (_, { storage }) => {
    const foreign = { client: 'beta/main', from: 1_000, to: 1_000, op: 'add' };
    storage.sql.exec('INSERT INTO outbox VALUES (1, ?, ?)', JSON.stringify([foreign]), '[]');
    storage.sql.exec("INSERT INTO meta VALUES ('organisation', 'acme')");
  });
  await submit('acme', { number: '1588-1234' });
  const refused = async () => (await registry().status()).refused;
  await vi.waitFor(
    async () => expect(await refused()).toEqual([{ organisation: 'acme', since: expect.any(Number) }]),
    HANG_MS,
  );
  await runInDurableObject(stub('acme'), (_, { storage }) => {
    storage.sql.exec("UPDATE outbox SET changes = '[]'");
  });
  await evictDurableObject(stub('acme'));
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(stub('acme'));
    expect(await refused()).toEqual([]);
  }, HANG_MS);
});

test('a store that was set back to an earlier state publishes what it changes afterwards', async () => {
  await addOrganisation('acme');
  await published('acme', 50, [{ client: 'acme/acme-main', from: 1_000, to: 1_000, op: 'add' }]);
  await approve('acme', { number: '1588-1234' });
  expect((await readChanges()).get('acme/acme-main 8215881234-8215881234')).toBe('addOwn');
  await approve('acme', { number: '1588-1235' });
  expect((await readChanges()).get('acme/acme-main 8215881235-8215881235')).toBe('addOwn');
});
