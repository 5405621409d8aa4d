/** A second upload of a certificate changes nothing. Also when it is refused, and why a status list cannot be read. */

import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import type { AddCertificate } from '../../../shared/admin/credentials.ts';
import type { Status } from '../../../shared/credentials/status-list.ts';
import { newSigner } from '../../shared/support/credential-world.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  asToken,
  credentials,
  credentialsStub,
  credentialWorld,
  HOST,
  issuerOf,
  nowS,
  statusList,
  upload,
} from '../support/credential-store.ts';
import { accepted, facts, store } from '../support/registrations.ts';
import { ANY } from '../support/room.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

test('a known certificate is refused for other clients, with another reference, or without its key', async () => {
  const world = await credentialWorld();
  const times = { iat: nowS() - 60, nbf: nowS() - 60, exp: nowS() + 86_400 };
  const body = await upload(world.issuer, world.holder, 1, times);
  const added = accepted(await credentials().addCertificate(asToken('acme'), facts(), body));
  const thief = await upload(world.issuer, await newSigner(), 1);
  const resigned = await upload(world.issuer, world.holder, 1, times);
  expect(resigned.digest).not.toBe(body.digest);
  const wrongs: readonly [AddCertificate, string][] = [
    [{ ...body, clients: [...body.clients, 'acme-2'] }, 'CERTIFICATE_REGISTERED'],
    [{ ...body, reference: 'another' }, 'CERTIFICATE_REGISTERED'],
    [{ ...resigned, reference: 'another' }, 'CERTIFICATE_REGISTERED'],
    [{ ...body, key: thief.key, proof: thief.proof }, 'PROOF_INVALID'],
    [{ ...body, proof: thief.proof }, 'PROOF_INVALID'],
  ];
  for (const [wrong, code] of wrongs) {
    const done = await credentials().addCertificate(asToken('acme'), facts(), wrong);
    expect(done).toMatchObject({ ok: false, code });
  }
  expect(accepted(await credentials().addCertificate(asToken('acme'), facts(), body))).toEqual(added);
});

test('a stored certificate that has ended since is refused like a new one', async () => {
  // The lists of an issuer that becomes active again are pulled.
  vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network'));
  const world = await credentialWorld();
  const body = await upload(world.issuer, world.holder, 1);
  accepted(await credentials().addCertificate(asToken('acme'), facts(), body));
  const again = async () => {
    const done = await credentials().addCertificate(asToken('acme'), facts(), body);
    return done.ok ? done.value.state : done.code;
  };
  const statuses: readonly (readonly [Status, string])[] = [
    ['suspended', 'CERTIFICATE_SUSPENDED'],
    ['revoked', 'CERTIFICATE_REVOKED'],
    ['rateReduced', 'rateReduced'],
    ['valid', 'valid'],
  ];
  for (const [later, [status, result]] of statuses.entries()) {
    const list = await statusList(world.issuer, { 1: status }, { iat: nowS() + later });
    accepted(await credentials().pushStatusList(asToken(), list));
    expect(await again()).toBe(result);
  }
  for (const [state, result] of [
    ['suspended', 'CERTIFICATE_SUSPENDED'],
    ['active', 'valid'],
  ] as const) {
    accepted(await credentials().putIssuer(asToken(), issuerOf(world.issuer, { state }), ANY));
    expect(await again()).toBe(result);
  }
  await runInDurableObject(credentialsStub(), (_, { storage }) =>
    storage.sql.exec('UPDATE certificates SET exp = ?', nowS()),
  );
  expect(await again()).toBe('CERTIFICATE_EXPIRED');
  await vi.waitFor(async () => expect((await store().get(1))!.state).toBe('approved'), HANG_MS);
});

test.each([
  ['a slow host', new DOMException('late', 'TimeoutError'), 'the host does not answer in time'],
  [
    'a host without an address',
    new Error('internal error'),
    'the host cannot be reached, or its TLS certificate is not trusted',
  ],
])('a status list on %s is refused with the cause', async (_, error, message) => {
  vi.spyOn(globalThis, 'fetch').mockRejectedValue(error);
  const world = await credentialWorld();
  const uri = `https://${HOST}/lists/2`;
  const body = await upload(world.issuer, world.holder, 3, { status: { status_list: { idx: 3, uri } } });
  expect(await credentials().addCertificate(asToken('acme'), facts(), body)).toMatchObject({
    ...{ code: 'STATUS_LIST_UNAVAILABLE', message: expect.stringContaining(message) },
  });
});
