/** The data that the coordinator gives to the stores of registrations, and the records that it keeps for them. */
import { evictDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test } from 'vitest';
import type { Client } from '../../../shared/clients.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { asAdmin, client, coordinator, stub, unwrap } from '../support/coordinator.ts';
import { ANY } from '../support/room.ts';

const put = async (id: string, settings: Partial<Client> | null) =>
  unwrap(
    await coordinator().putClient(
      asAdmin(),
      id,
      settings && { ...client(id), organisation: 'acme', ...settings },
      ANY,
    ),
  );
const clients = async (organisation = 'acme') =>
  (await coordinator().registrationFacts(organisation))?.clients;

beforeEach(async () => {
  for (const id of ['acme', 'other']) {
    unwrap(await coordinator().putOrganisation(asAdmin(), id, bareOrganisation(id), ANY));
  }
});

test('the clients of an organisation are those of now, with their kind', async () => {
  expect(await clients('nobody')).toBeUndefined();
  expect(await clients()).toEqual([]);
  await put('one', {});
  await put('two', { mock: true });
  await put('three', { organisation: 'other' });
  expect(await clients()).toEqual([
    { id: 'one', mock: false },
    { id: 'two', mock: true },
  ]);
  await put('one', { organisation: 'other' });
  await put('two', null);
  expect(await clients()).toEqual([]);
  expect(await clients('other')).toEqual([
    { id: 'one', mock: false },
    { id: 'three', mock: false },
  ]);
  await evictDurableObject(stub());
  expect(await clients('other')).toHaveLength(2);
});

test('a suspended organisation keeps its clients', async () => {
  await put('one', {});
  const suspended = { ...bareOrganisation('acme'), state: 'suspended' as const };
  unwrap(await coordinator().putOrganisation(asAdmin(), 'acme', suspended, ANY));
  expect(await clients()).toEqual([{ id: 'one', mock: false }]);
});

test('protected numbers are those of the guards', async () => {
  const guards = { ...DEFAULT_GUARDS, protectedNumbers: [82_1588_0000] };
  unwrap(await coordinator().putGuards(asAdmin(), guards));
  expect((await coordinator().registrationFacts('acme'))!.protectedNumbers).toEqual([82_1588_0000]);
});

test('an anchor is a record of the audit log, and changes nothing that readers see', async () => {
  const { seq } = await coordinator().status();
  const anchor = { n: 7, hash: 'ab'.repeat(32), from: 3, root: 'root' };
  const n = await coordinator().anchorRegistrations('acme', anchor);
  expect((await coordinator().status()).seq).toBe(seq);
  expect((await coordinator().audit(0, 100)).at(-1)).toMatchObject({
    ...{ action: 'registrations.anchor', subject: 'acme', actor: 'numgate' },
    ...{ n, after: anchor },
  });
});
