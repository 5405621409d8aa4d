/** Partners in the coordinator: their unchangeable fields, which clients may report, and what the edge gets. */

import * as v from 'valibot';
import { beforeEach, expect, test } from 'vitest';
import { clientSchema, openDirectory } from '../../../shared/clients.ts';
import { bareOrganisation, type Organisation, organisationSchema } from '../../../shared/organisations.ts';
import { intakeOf, intakesOf } from '../../../workers/storage/reports-port.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { asAdmin, coordinator, readHead, unwrap } from '../support/coordinator.ts';
import { ANY } from '../support/room.ts';

const PARTNER = { kind: 'subscriber', weight: 1, slices: 4, reportsPerDay: 1_000, mock: false } as const;

const put = (id: string, settings: Partial<Organisation> | null) =>
  coordinator().putOrganisation(
    asAdmin(),
    id,
    settings && { ...bareOrganisation(id), partner: PARTNER, ...settings },
    ANY,
  );

async function putClient(id: string, organisation: string, rights: string[]): Promise<void> {
  const client = v.parse(clientSchema, { id, organisation, rights, secretSha256: ['ab'.repeat(32)] });
  unwrap(await coordinator().putClient(asAdmin(), id, client, ANY));
}

beforeEach(async () => {
  unwrap(await put('kisa', {}));
});

test.each<[string, Partial<Organisation>, string]>([
  ['its slices', { partner: { ...PARTNER, slices: 8 } }, 'organisation.partner.slices'],
  ['whether it is mock', { partner: { ...PARTNER, mock: true } }, 'organisation.partner.mock'],
  ['that it is a partner', { partner: null }, 'organisation.partner'],
])('of a partner, %s never changes', async (_, settings, field) => {
  expect(await put('kisa', settings)).toMatchObject({ ok: false, code: 'FIELD_VALUE', field });
});

test('weight and kind change, and a partner is suspended, never removed', async () => {
  unwrap(await put('kisa', { partner: { ...PARTNER, kind: 'regulator', weight: 2 }, state: 'suspended' }));
  expect(await put('kisa', null)).toMatchObject({ ok: false, code: 'ORGANISATION_IN_USE' });
});

test('only clients with the right of active partners may report', async () => {
  unwrap(await put('plain', { partner: null }));
  await putClient('reports', 'kisa', ['check', 'report']);
  await putClient('checks', 'kisa', ['check']);
  await putClient('elsewhere', 'plain', ['check']);
  const named = async () => {
    const { partners, clients } = await coordinator().partners();
    return [partners.map(({ id, isSuspended }) => `${id} ${isSuspended}`), clients.map(({ id }) => id)];
  };
  expect(await named()).toEqual([['kisa false'], ['reports']]);
  unwrap(await put('kisa', { state: 'suspended' }));
  expect(await named()).toEqual([['kisa true'], []]);
});

test('a client of an organisation that is no partner cannot have the right to report', async () => {
  unwrap(await put('plain', { partner: null }));
  await putClient('elsewhere', 'plain', ['check']);
  const refused = await putClient('elsewhere', 'plain', ['check', 'report']).catch((error: unknown) => error);
  expect(String(refused)).toMatch(/"client\.rights".*organisations set plain --partner-kind/);
  unwrap(await put('plain', {}));
  await putClient('elsewhere', 'plain', ['check', 'report']);
});

test('the directory of the edge has no right that an older edge does not know', async () => {
  await putClient('reports', 'kisa', ['check', 'report']);
  const { clients } = (await readHead())!.head;
  const directory = (await openDirectory((await coordinator().value(clients!.key))!, testKeys))!;
  expect(directory.clients.get('reports')!.rights).toEqual(['check']);
});

test.each([
  [{ kind: 'bank' }, 'kind'],
  [{ kind: 'police', weight: 3 }, 'weight'],
  [{ kind: 'police', slices: 3 }, 'slices'],
  [{ kind: 'police', slices: 2, reportsPerDay: 500_001 }, 'reportsPerDay'],
])('%j is no partner, because of its %s', (partner, field) => {
  const parsed = v.safeParse(organisationSchema, { id: 'kisa', displayName: 'KISA', partner });
  expect(parsed.issues?.[0].path?.map(({ key }) => key)).toEqual(['partner', field]);
});

test('every ID has one intake among those of its partner, and all of them are used', () => {
  const partner = { id: 'kisa', slices: 64 } as const;
  const used = Array.from({ length: 4_000 }, (_, index) => intakeOf(partner, `r-${index}`));
  expect(new Set(used)).toEqual(new Set(intakesOf(partner)));
  expect(intakeOf({ id: 'kisa', slices: 1 }, 'r-1')).toBe('kisa');
});
