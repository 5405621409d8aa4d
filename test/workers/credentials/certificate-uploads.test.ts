/** What a second upload of a certificate may change (nothing), and why a status list cannot be read. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { AddCertificate } from '../../../shared/admin/credentials.ts';
import { newSigner } from '../../shared/support/credential-world.ts';
import '../support/fresh.ts';
import { asToken, credentials, credentialWorld, HOST, nowS, upload } from '../support/credential-store.ts';
import { accepted, facts } from '../support/registrations.ts';

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
