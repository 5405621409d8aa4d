/**
 * Organisations in the coordinator: members, authorities, the effect of a suspension on the client directory,
 * and what a restore keeps.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import { openDirectory } from '../../../shared/clients.ts';
import { ORGANISATIONS_MAX } from '../../../shared/limits/control.ts';
import { bareOrganisation, type Organisation } from '../../../shared/organisations.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import {
  asAdmin,
  client,
  codeOf,
  coordinator,
  copied,
  readHead,
  stub,
  unwrap,
} from '../support/coordinator.ts';
import { ANY, change, refusalOf, TOKEN } from '../support/room.ts';

function put(id: string, settings: Partial<Organisation> = {}) {
  return coordinator().putOrganisation(
    asAdmin(),
    id,
    { ...bareOrganisation(id), roles: ['operator'], ...settings },
    ANY,
  );
}

const remove = (id: string) => coordinator().putOrganisation(asAdmin(), id, null, ANY);
const putClient = (id: string, organisation: string) =>
  coordinator().putClient(asAdmin(), id, { ...client(id), organisation }, ANY);

async function directory() {
  const { head } = (await readHead())!;
  const bytes = await coordinator().value(head.clients!.key);
  return (await openDirectory(new Uint8Array(bytes!), testKeys))!;
}

/** IDs of the clients that the edge gets. */
async function served(): Promise<string[]> {
  return [...(await directory()).clients.keys()];
}

test('the default organisation is there from the start and cannot be removed', async () => {
  expect(await coordinator().organisations()).toEqual([
    { ...bareOrganisation('default'), roles: expect.arrayContaining(['operator', 'relay']) },
  ]);
  expect(codeOf(await remove('default'))).toBe('ORGANISATION_IN_USE');
});

test('an organisation with members is not removed, and without them it is', async () => {
  unwrap(await put('relays'));
  unwrap(await putClient('shop', 'relays'));
  unwrap(await coordinator().putToken(asAdmin(), 'kisa', { ...TOKEN, organisation: 'relays' }, ANY));
  expect(refusalOf(await remove('relays'))).toMatchObject({
    ...{ code: 'ORGANISATION_IN_USE', message: expect.stringContaining('1 clients, 1 tokens') },
  });
  unwrap(await putClient('shop', 'default'));
  unwrap(await coordinator().putToken(asAdmin(), 'kisa', null, ANY));
  unwrap(await remove('relays'));
  expect(codeOf(await remove('relays'))).toBe('ORGANISATION_UNKNOWN');
});

test('a client or token of an unknown organisation is rejected by its field', async () => {
  const lost = { organisation: 'nobody' };
  for (const [field, refused] of [
    ['client.organisation', await putClient('shop', 'nobody')],
    ['token.organisation', await coordinator().putToken(asAdmin(), 'kisa', { ...TOKEN, ...lost }, ANY)],
  ] as const) {
    const message = expect.stringContaining('npx numgate organisations add nobody');
    expect(refusalOf(refused)).toMatchObject({ code: 'FIELD_VALUE', field, message });
  }
});

test('no two organisations have one authority', async () => {
  unwrap(await put('ktoa', { authority: 'ktoa' }));
  unwrap(await put('none'));
  unwrap(await put('none-2'));
  expect(refusalOf(await put('relays', { authority: 'ktoa' }))).toMatchObject({
    ...{ code: 'AUTHORITY_TAKEN', message: expect.stringContaining('"ktoa" belongs to') },
  });
  unwrap(await put('ktoa', { authority: 'ktoa-2' }));
  unwrap(await put('relays', { authority: 'ktoa' }));
});

test('the authority of a token, if given, is that of its organisation', async () => {
  unwrap(await put('relays', { authority: 'relays' }));
  const token = { ...TOKEN, organisation: 'relays' };
  const attempt = (authority?: string | null) =>
    coordinator().putToken(asAdmin(), 'kisa', token, ANY, authority);
  expect(refusalOf(await attempt('kisa'))).toMatchObject({ code: 'FIELD_VALUE', field: 'token.authority' });
  expect(refusalOf(await attempt(null))).toMatchObject({ code: 'FIELD_VALUE', field: 'token.authority' });
  unwrap(await attempt('relays'));
  unwrap(await attempt());
  expect(await coordinator().tokens()).toMatchObject([{ organisation: 'relays', authority: 'relays' }]);
});

test('the clients of a suspended organisation leave the directory, and return with it', async () => {
  unwrap(await put('relays'));
  unwrap(await putClient('shop', 'relays'));
  unwrap(await putClient('other', 'default'));
  expect(await served()).toEqual(['other', 'shop']);
  unwrap(await put('relays', { state: 'suspended' }));
  expect(await served()).toEqual(['other']);
  // The directory names the suspended organisation, so that no chain of credentials with it permits anything.
  expect((await directory()).content.organisations).toEqual([
    { id: 'relays', senderCode: null, qualification: null, suspended: true },
  ]);
  // A client that is added meanwhile is left out, too.
  unwrap(await putClient('late', 'relays'));
  expect(await served()).toEqual(['other']);
  expect((await coordinator().clients()).map(({ id }) => id)).toEqual(['late', 'other', 'shop']);
  unwrap(await put('relays'));
  expect(await served()).toEqual(['late', 'other', 'shop']);
  expect((await directory()).content.organisations).toEqual([]);
});

test('an organisation suspended while a client of it is put leaves no way in', async () => {
  unwrap(await put('relays'));
  await Promise.all([putClient('shop', 'relays'), put('relays', { state: 'suspended' })]);
  expect(await served()).toEqual([]);
  await Promise.all([putClient('shop-2', 'relays'), remove('relays')]);
  expect((await coordinator().organisation('relays'))?.state).toBe('suspended');
});

test('a change of an organisation is in the audit log with both states', async () => {
  unwrap(await put('relays'));
  unwrap(await put('relays', { contact: 'desk@relays.example' }));
  unwrap(await remove('relays'));
  const records = await coordinator().audit(0, 10);
  expect(records.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    ...['organisations.put relays', 'organisations.put relays', 'organisations.remove relays'],
  ]);
  expect(records[1]).toMatchObject({ before: { contact: '' }, after: { contact: 'desk@relays.example' } });
});

test('an actor whose organisation has no authority creates no entries', async () => {
  const request = asAdmin();
  const actor = { ...request.actor, organisation: 'default', authority: null };
  const without = { ...request, actor };
  const refused = refusalOf(await coordinator().changeEntries(without, change('block')));
  expect(refused).toMatchObject({
    ...{
      code: 'AUTHORITY_MISSING',
      message: expect.stringContaining('organisations set default --authority'),
    },
  });
});

test(`there are at most ${ORGANISATIONS_MAX} organisations`, async () => {
  await coordinator().status();
  await runInDurableObject(stub(), (_, { storage }) => {
    for (let index = 0; index < ORGANISATIONS_MAX - 1; index++) {
      const organisation = bareOrganisation(`org-${index}`);
      const values = [organisation.id, JSON.stringify(organisation)];
      storage.sql.exec('INSERT INTO organisations VALUES (?, ?)', ...values);
    }
  });
  expect(codeOf(await put('one-more'))).toBe('ORGANISATIONS_TOO_MANY');
  unwrap(await put('org-0', { contact: 'still changed' }));
});

test('a restore keeps canary numbers and restrictions', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const numbers = [821_020_000_001, 821_020_000_002];
  const restricted = { onEnumeration: 'stop', restriction: 'stopped' } as const;
  unwrap(await coordinator().putClient(asAdmin(), 'shop', { ...client('shop'), ...restricted }, ANY));
  unwrap(await coordinator().putCanaries(asAdmin(), numbers));
  expect((await readHead())!.head.canaries).toEqual(numbers);
  await copied();
  await runInDurableObject(stub(), (_, { storage }) => storage.deleteAll());
  await evictDurableObject(stub());
  expect(await coordinator().canaries()).toEqual(numbers);
  expect(await coordinator().client('shop')).toMatchObject(restricted);
  unwrap(await coordinator().putCanaries(asAdmin(), []));
  // An edge that is older than canary numbers can read the head again.
  expect((await readHead())!.head).not.toHaveProperty('canaries');
});

test('a restore keeps which organisation a client belongs to, and only ID and state of that organisation', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  unwrap(await put('relays', { authority: 'relays', contact: 'desk@relays.example' }));
  unwrap(await put('bad'));
  unwrap(await putClient('shop', 'relays'));
  unwrap(await putClient('fraud', 'bad'));
  unwrap(await put('bad', { state: 'suspended' }));
  await copied();
  await runInDurableObject(stub(), (_, { storage }) => storage.deleteAll());
  await evictDurableObject(stub());
  expect(await coordinator().clients()).toMatchObject([{ id: 'shop', organisation: 'relays' }]);
  expect((await coordinator().organisations()).map(({ id, state }) => `${id} ${state}`)).toEqual([
    ...['bad suspended', 'default active', 'relays active'],
  ]);
  expect(await coordinator().organisation('relays')).toEqual(bareOrganisation('relays'));
});
