/**
 * Expired status lists, and lists that lack an entry. Everything that depends on them is refused or suspended, and never counts
 * as valid.
 */
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { newSigner } from '../../shared/support/credential-world.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  asToken,
  type CredentialWorld,
  credentials,
  credentialsStub,
  credentialWorld,
  nowS,
  readCredentials,
  statusList,
  upload,
  uploaded,
} from '../support/credential-store.ts';
import { accept, active, linked, move, propose, signed } from '../support/delegations.ts';
import { accepted, facts, store } from '../support/registrations.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

/** The response to all pulls of the list. */
function serve(status: number, text: string): void {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(text, { status }));
}

/** Makes the known list end now. */
const lapse = () =>
  runInDurableObject(credentialsStub(), (_, { storage }) =>
    storage.sql.exec('UPDATE status_lists SET exp = ?', nowS()),
  );

const add = async ({ issuer, holder }: CredentialWorld, index: number): Promise<string> => {
  const body = await upload(issuer, holder, index);
  const done = await credentials().addCertificate(asToken('acme'), facts(), body);
  return done.ok ? 'ok' : done.code;
};

test('no certificate is uploaded with a list that has lapsed, unless a new one can be pulled', async () => {
  const world = await credentialWorld();
  const old = await statusList(world.issuer, {}, { iat: nowS() - 50, exp: nowS() });
  await lapse();
  for (const [status, text] of [
    [503, ''],
    [200, old],
  ] as const) {
    serve(status, text);
    expect(await add(world, 1)).toBe('STATUS_LIST_UNAVAILABLE');
  }
  serve(200, await statusList(world.issuer, { 2: 'revoked' }));
  expect(await add(world, 2)).toBe('CERTIFICATE_REVOKED');
  expect(await add(world, 1)).toBe('ok');
});

test('nothing rests on a certificate whose list has lapsed, until the issuer publishes a new one', async () => {
  const { world, link } = await linked();
  const reseller = await newSigner();
  const stopped = await active('acme', world.holder, link, 'reseller', reseller);
  accepted(await move('acme', stopped, 'suspend'));
  const ready = await accept('reseller', accepted(await propose('acme', link)), reseller);
  const delegation = await signed(world.holder, ready);
  const codes = async () => {
    const done = [
      await propose('acme', link),
      await move('acme', ready, 'confirm', { delegation }),
      await move('acme', stopped, 'resume'),
    ];
    return done.map((each) => (each.ok ? 'ok' : each.code));
  };
  await lapse();
  expect(await codes()).toEqual(Array(3).fill('DELEGATION_MISMATCH'));
  accepted(await credentials().pushStatusList(asToken(), await statusList(world.issuer)));
  expect(await codes()).toEqual(['ok', 'ok', 'ok']);
});

test('a list that is too short for a certificate suspends it, and the next long one brings it back', async () => {
  const world = await credentialWorld();
  const { digest, registrations } = await uploaded(world, 20);
  const registered = async () => (await store().get(Number(registrations[0])))!.state;
  for (const [later, [size, status, state]] of (
    [
      [16, null, 'suspended'],
      [1_000, 'valid', 'valid'],
    ] as const
  ).entries()) {
    const list = await statusList(world.issuer, {}, { iat: nowS() + later }, size);
    accepted(await credentials().pushStatusList(asToken(), list));
    // The status that the edge reads. It is unknown outside the list.
    expect(await (await readCredentials()).statusOf(digest)).toBe(status);
    expect(await credentials().certificate('acme', digest)).toMatchObject({ state });
    const follows = state === 'valid' ? 'approved' : state;
    await vi.waitFor(async () => expect(await registered()).toBe(follows), HANG_MS);
  }
});
