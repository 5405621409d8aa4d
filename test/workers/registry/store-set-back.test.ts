/** The store of an organisation lost its tables, or they were set back. Its later changes are still published. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { bareOrganisation } from '../../../shared/organisations.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { accepted, act, approved, ORGANISATION, store, stub } from '../support/registrations.ts';
import { readChanges } from '../support/registry.ts';
import { ANY } from '../support/room.ts';

const [FIRST, SECOND] = ['8215881234-8215881234', '8215882000-8215882000'] as const;

let warned: { event: string }[];
beforeEach(async () => {
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(JSON.parse(line)));
  unwrap(await coordinator().putOrganisation(asAdmin(), ORGANISATION, bareOrganisation(ORGANISATION), ANY));
});

async function publishedAll(): Promise<void> {
  await vi.waitFor(async () => {
    const { registrations } = await store().page({}, 0, 100);
    expect(registrations.map(({ publication }) => publication)).not.toContain('pending');
  }, HANG_MS);
}

const changes = async () => [...(await readChanges())].map(([pair, op]) => `${pair.split(' ')[1]} ${op}`);

test('tables that were lost', async () => {
  await approved();
  await publishedAll();
  await runInDurableObject(stub(), (_, { storage }) => {
    for (const table of ['meta', 'registrations', 'registration_clients', 'pairs', 'audit', 'events'])
      storage.sql.exec(`DELETE FROM ${table}`);
  });
  await evictDurableObject(stub());
  await approved({ number: '1588-2000' });
  await publishedAll();
  expect(await changes()).toEqual([`${FIRST} addOwn`, `${SECOND} addOwn`]);
  expect(warned).toMatchObject([{ event: 'registrationsSetBack' }]);
});

test('tables that were set back by one batch, which another one replaces', async () => {
  await approved();
  await publishedAll();
  const before = await runInDurableObject(stub(), (_, { storage }) =>
    storage.sql.exec(`SELECT value FROM meta WHERE key = 'acknowledged'`).one(),
  );
  accepted(await act('1', 'suspend'));
  await publishedAll();
  expect(await changes()).toEqual([`${FIRST} remove`]);
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec(`UPDATE meta SET value = ? WHERE key = 'acknowledged'`, before.value!);
    storage.sql.exec(`UPDATE registrations SET state = 'approved', suspended_from = NULL`);
    storage.sql.exec(`INSERT INTO pairs VALUES ('acme-main', 8215881234, 8215881234, 1, 1)`);
  });
  await evictDurableObject(stub());
  await approved({ number: '1588-2000' });
  await publishedAll();
  expect(await changes()).toEqual([`${FIRST} remove`, `${SECOND} addOwn`]);
  expect(warned[0]).toMatchObject({ event: 'registrationsSetBack' });
});
