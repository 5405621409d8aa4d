/** A third-party JWT library verifies the signatures of the client package. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  digestOf,
  type HolderJwk,
  NumgateError,
  openHolderKey,
  signProof,
  signSenderToken,
} from '../../examples/node/client.ts';

const CERTIFICATE = 'eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmVk';

async function privateJwk(alg: string): Promise<HolderJwk> {
  return (await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey)) as HolderJwk;
}

describe.each(['ES256', 'EdDSA'])('a holder key for %s', (alg) => {
  it('signs a message token that names its own key', async () => {
    const jwk = await privateJwk(alg);
    const key = await openHolderKey(jwk);
    expect(key.thumbprint).toBe(await calculateJwkThumbprint(jwk as unknown as JWK));
    expect(key.publicKey).not.toHaveProperty('d');
    const other = await digestOf('another link');
    const token = await signSenderToken(key, {
      ...{
        audience: 'acme/main',
        from: '+8215881234',
        chain: [CERTIFICATE, other],
        senderCode: '0123456789',
      },
      ...{ lifeSeconds: 60, id: 'batch 7' },
    });
    const publicKey = await importJWK(key.publicKey as unknown as JWK, alg);
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
      ...{ algorithms: [alg], typ: 'sender-token+jwt', audience: 'acme/main' },
    });
    expect(protectedHeader).toEqual({ alg, typ: 'sender-token+jwt', kid: key.thumbprint });
    expect(payload).toEqual({
      ...{ aud: 'acme/main', iat: payload.iat, exp: payload.iat! + 60, jti: 'batch 7' },
      ...{ orig: { tn: '8215881234' }, osc: '0123456789', chain: [await digestOf(CERTIFICATE), other] },
    });
  });

  it('proves possession for one organisation and one certificate', async () => {
    const key = await openHolderKey(await privateJwk(alg));
    const proof = await signProof(key, { organisation: 'acme', certificate: CERTIFICATE });
    const publicKey = await importJWK(key.publicKey as unknown as JWK, alg);
    const { payload } = await jwtVerify(proof, publicKey, { algorithms: [alg], typ: 'sender-proof+jwt' });
    expect(payload).toEqual({ aud: 'acme', iat: payload.iat, crt: await digestOf(CERTIFICATE) });
  });
});

describe('a key that is none', () => {
  it.each([
    ['a public key', async () => ({ ...(await privateJwk('ES256')), d: undefined })],
    ['a key of another curve', async () => privateJwk('ES384')],
    ['no object', async () => null],
    ['a curve that objects have', async () => ({ ...(await privateJwk('ES256')), crv: 'toString' })],
    ['a damaged key', async () => ({ ...(await privateJwk('ES256')), d: 'AAAA' })],
  ])('%s is refused, without its content', async (_what, make) => {
    const jwk = (await make()) as HolderJwk;
    const error = await openHolderKey(jwk).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NumgateError);
    expect(error).toMatchObject({ code: 'SIGNING_INVALID', field: 'jwk' });
    for (const secret of [jwk?.d, jwk?.x])
      if (secret !== undefined) expect(String(error)).not.toContain(secret);
  });
});

it.each([
  ['audience', 'Acme'],
  ['audience', 'acme/main/more'],
  ['from', '1588-1234'],
  ['from', undefined],
  ['chain', []],
  ['chain', undefined],
  ['chain', Array(6).fill(CERTIFICATE)],
  ['chain', ['certificate.jwt']],
  ['lifeSeconds', 901],
  ['lifeSeconds', 0.5],
  ['senderCode', ''],
])('a token with a wrong %s is not signed: %j', async (field, value) => {
  const key = await openHolderKey(await privateJwk('ES256'));
  const claims = { audience: 'acme', from: '+8215881234', chain: [CERTIFICATE], [field]: value };
  const error = await signSenderToken(key, claims as never).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NumgateError);
  expect(error).toMatchObject({ code: 'SIGNING_INVALID', field });
});
