/** What a reviewer gets with a registration: the other registrations of its numbers, of any organisation. */
import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Registration } from '../../../shared/senders/registration.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { freshControl, putToken, send } from '../support/admin.ts';
import { content } from '../support/registrations.ts';
import { loseRegistry, registry, registryStub } from '../support/registry.ts';

freshControl();

const NUMBER = '+8215881234';

beforeEach(async () => {
  for (const id of ['acme', 'beta']) {
    const organisation = { id, displayName: id, roles: ['relay'] };
    expect((await send('root', `PUT organisations/${id}`, { organisation })).status).toBe(200);
    const client = { id: `${id}-main`, secretSha256: ['ab'.repeat(32)], rights: ['check'], organisation: id };
    expect((await send('root', `PUT clients/${id}-main`, { client })).status).toBe(200);
  }
  const kisa = { id: 'kisa', displayName: 'kisa', roles: ['regulator'] };
  expect((await send('root', 'PUT organisations/kisa', { organisation: kisa })).status).toBe(200);
  for (const [id, scope] of [
    ['kisa', 'review'],
    ['acme', 'registrations'],
  ] as const)
    expect((await putToken(id, { organisation: id, scopes: [scope] })).status).toBe(200);
});

/** Submits a registration as its organisation. */
async function submitted(organisation: string, number: string): Promise<string> {
  const registration = content({ number, clients: [`${organisation}-main`] });
  const path = `organisations/${organisation}/registrations`;
  const { status, answer } = await send('root', `POST ${path}`, { registration, submit: true });
  expect(status).toBe(200);
  return String(answer.id);
}

async function act(organisation: string, id: string, action: string): Promise<Registration> {
  const path = `organisations/${organisation}/registrations/${id}/${action}`;
  const { status, answer } = await send('kisa', `POST ${path}`, {});
  expect([status, answer.message]).toEqual([200, undefined]);
  return answer as unknown as Registration;
}

async function shown(token: string, organisation: string, id: string): Promise<Registration> {
  const { answer } = await send(token, `GET organisations/${organisation}/registrations/${id}`);
  return answer as unknown as Registration;
}

const indexed = (...organisations: string[]) =>
  vi.waitFor(async () => {
    const numbers = { from: 82_1588_1234, to: 82_1588_1234 };
    expect((await registry().organisationsOf(numbers, 9))?.toSorted()).toEqual(organisations);
  }, HANG_MS);

test('are those of every organisation, in force or submitted, with what they say', async () => {
  const first = await submitted('acme', NUMBER);
  await act('acme', first, 'claim');
  expect((await act('acme', first, 'approve')).others).toEqual([]);
  const second = await submitted('beta', '+8215881200..+8215881299');
  await indexed('acme', 'beta');
  const claimed = await act('beta', second, 'claim');
  const seen = { organisation: 'acme', id: first, number: NUMBER, basis: 'own', state: 'approved' };
  expect(claimed.others).toEqual([
    { ...seen, holder: { kind: 'organisation', name: 'Acme' }, inForce: true },
  ]);
  expect((await act('beta', second, 'approve')).others).toHaveLength(1);
  expect((await shown('kisa', 'acme', first)).others).toMatchObject([
    { organisation: 'beta', id: second, number: '+8215881200..+8215881299', inForce: true },
  ]);
  // A sender sees nothing of other organisations.
  expect(await shown('acme', 'acme', first)).not.toHaveProperty('others');
});

test('are no drafts, and none that are closed', async () => {
  const first = await submitted('acme', NUMBER);
  const second = await submitted('beta', NUMBER);
  await indexed('acme', 'beta');
  expect((await shown('kisa', 'acme', first)).others).toMatchObject([{ state: 'submitted', inForce: false }]);
  await send('root', `POST organisations/beta/registrations/${second}/close`, {});
  expect((await shown('kisa', 'acme', first)).others).toEqual([]);
});

test('are unknown while the registry reads its index back, and complete afterwards', async () => {
  const first = await submitted('acme', NUMBER);
  const second = await submitted('beta', NUMBER);
  await indexed('acme', 'beta');
  for (const action of ['claim', 'approve']) await act('beta', second, action);
  await vi.waitFor(
    async () => expect(await shown('kisa', 'beta', second)).toMatchObject({ publication: 'published' }),
    HANG_MS,
  );
  await loseRegistry();
  await evictDurableObject(registryStub());
  expect((await shown('kisa', 'acme', first)).others).toBeNull();
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(registryStub());
    const { others } = await shown('kisa', 'acme', first);
    expect(others).toMatchObject([{ organisation: 'beta', id: second, inForce: true }]);
  }, HANG_MS);
});
