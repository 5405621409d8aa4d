/** Certificates, proofs and delegations as control verifies them. Forged, expired and foreign ones each have their own code. */
import { describe, expect, it } from 'vitest';
import { verifyCertificate, verifyProof } from '../../../shared/credentials/certificate.ts';
import { CERTIFICATE_TYPE, DELEGATION_TYPE, PROOF_TYPE } from '../../../shared/credentials/claims.ts';
import { verifyDelegation } from '../../../shared/credentials/delegation.ts';
import { digestOf, keyOfJwk, thumbprintOf } from '../../../shared/credentials/keys.ts';
import { STATUS_ENTRIES_MAX } from '../../../shared/limits/credentials.ts';
import {
  certificate,
  certificateClaims,
  delegation,
  delegationClaims,
  hmac,
  issuerRights,
  NOW_S,
  NUMBER,
  newSigner,
  rowOf,
  type Signer,
  STATUS_URI,
  secretsOf,
  sign,
  unsigned,
} from '../support/credential-world.ts';

const issuer = await newSigner();
const holder = await newSigner();
const stranger = await newSigner();
const edwards = await newSigner('EdDSA');
const rights = [issuerRights(issuer)];
const verify = (text: string, issuers = rights) => verifyCertificate(text, issuers, NOW_S);
const good = await certificate(issuer, holder);
const goodClaims = certificateClaims(holder);

const beyondEveryList = { status: { status_list: { idx: STATUS_ENTRIES_MAX, uri: STATUS_URI } } };

/** Signs otherwise valid claims with these header members. */
const withHeader = (header: object | string, signer: Signer = issuer) =>
  sign(signer, CERTIFICATE_TYPE, certificateClaims(holder), header);
const withNums = (...nums: string[]) => certificate(issuer, holder, { nums });
const repeated = (name: string, value: unknown): string =>
  JSON.stringify(certificateClaims(holder)).replace(/\}$/, `,"${name}":${JSON.stringify(value)}}`);

describe('keys', () => {
  it('have the thumbprint of RFC 8037, appendix A.3', async () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    const key = keyOfJwk({ kty: 'OKP', crv: 'Ed25519', x })!;
    expect(await thumbprintOf(key)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });
});

describe('a certificate', () => {
  it.each(['ES256', 'EdDSA'] as const)('of an issuer with a key for %s is verified', async (alg) => {
    const signer = alg === 'ES256' ? issuer : edwards;
    const text = await certificate(signer, holder, { nums: ['+8215881234', '+8215880000..+8215880999'] });
    const verified = await verify(text, [issuerRights(signer)]);
    expect(verified).toMatchObject({
      value: {
        digest: await digestOf(text),
        spans: [
          { from: 8_215_880_000, to: 8_215_880_999 },
          { from: NUMBER, to: NUMBER },
        ],
      },
    });
  });

  it('may have claims that are not known here', async () => {
    expect(await verify(await certificate(issuer, holder, { address: 'Seoul' }))).toMatchObject({ ok: true });
  });

  it.each<[string, () => string | Promise<string>, string]>([
    ['is signed by somebody else', () => certificate(stranger, holder), 'CERTIFICATE_INVALID'],
    ['has another claim than was signed', () => forged({ nums: ['+8215880000'] }), 'CERTIFICATE_INVALID'],
    ['has no signature', () => good.replace(/\.[^.]*$/, '.'), 'CERTIFICATE_INVALID'],
    ['has "alg": "none"', () => unsigned(CERTIFICATE_TYPE, goodClaims, { kid: 'k1' }), 'CERTIFICATE_INVALID'],
    [
      'has "alg": "none" and a signature',
      () => withHeader({ kid: 'k1', alg: 'none' }),
      'CERTIFICATE_INVALID',
    ],
    [
      'has the algorithm of another key',
      () => withHeader({ kid: 'k1', alg: 'EdDSA' }),
      'CERTIFICATE_INVALID',
    ],
    ...secretsOf(issuer.key).map(([what, secret]): [string, () => Promise<string>, string] => [
      `is an HMAC with the public key as ${what}`,
      () => hmac(secret, CERTIFICATE_TYPE, goodClaims, { kid: 'k1' }),
      'CERTIFICATE_INVALID',
    ]),
    ['names an unknown key', () => withHeader({ kid: 'k2' }), 'CERTIFICATE_INVALID'],
    ['names no key', () => withHeader({ kid: undefined }), 'CERTIFICATE_INVALID'],
    ['has another "typ"', () => withHeader({ kid: 'k1', typ: 'JWT' }), 'CERTIFICATE_INVALID'],
    [
      'has the "typ" with its prefix',
      () => withHeader({ kid: 'k1', typ: `application/${CERTIFICATE_TYPE}` }),
      'CERTIFICATE_INVALID',
    ],
    [
      'has another "vct"',
      () => certificate(issuer, holder, { vct: 'https://example.com/vct' }),
      'CERTIFICATE_INVALID',
    ],
    [
      'is from an unknown issuer',
      () => certificate(issuer, holder, { iss: 'https://other.example' }),
      'CERTIFICATE_INVALID',
    ],
    [
      'has the same claim twice',
      () => sign(issuer, CERTIFICATE_TYPE, repeated('nums', ['+8215881235']), { kid: 'k1' }),
      'CERTIFICATE_INVALID',
    ],
    [
      'has the same claim twice in two spellings',
      () => sign(issuer, CERTIFICATE_TYPE, repeated('n\\u0075ms', ['+8215881235']), { kid: 'k1' }),
      'CERTIFICATE_INVALID',
    ],
    [
      'has over 4,096 characters',
      () => certificate(issuer, holder, { padding: 'x'.repeat(4_000) }),
      'CERTIFICATE_INVALID',
    ],
    ['is not valid yet', () => certificate(issuer, holder, { nbf: NOW_S + 61 }), 'CERTIFICATE_NOT_YET_VALID'],
    [
      'was issued in the future',
      () => certificate(issuer, holder, { iat: NOW_S + 61 }),
      'CERTIFICATE_NOT_YET_VALID',
    ],
    ['has expired', () => certificate(issuer, holder, { exp: NOW_S }), 'CERTIFICATE_EXPIRED'],
    [
      'ends before it begins',
      () => certificate(issuer, holder, { nbf: NOW_S, exp: NOW_S }),
      'CERTIFICATE_INVALID',
    ],
    ['has a holder of two lines', () => certificate(issuer, holder, { sub: 'A\nB' }), 'CERTIFICATE_INVALID'],
    ['names numbers of others', () => withNums('+8215771234'), 'CERTIFICATE_MISMATCH'],
    [
      'names numbers beyond those of its issuer',
      () => withNums('+8215880000', '+8215890000'),
      'CERTIFICATE_MISMATCH',
    ],
    ['names a number with its trunk prefix', () => withNums('+8201588000'), 'CERTIFICATE_INVALID'],
    ['names a range over 10,000', () => withNums('+8215880000..+8215890000'), 'CERTIFICATE_INVALID'],
    ['names a range backwards', () => withNums('+8215880002..+8215880001'), 'CERTIFICATE_INVALID'],
    ['names a number without a plus', () => withNums('8215881234'), 'CERTIFICATE_INVALID'],
    ['names no number', () => withNums(), 'CERTIFICATE_INVALID'],
    [
      'names 33 numbers',
      () => withNums(...Array.from({ length: 33 }, (_, n) => `+82158800${n + 10}`)),
      'CERTIFICATE_INVALID',
    ],
    [
      'has its status on a foreign host',
      () =>
        certificate(issuer, holder, { status: { status_list: { idx: 0, uri: 'https://other.example/1' } } }),
      'CERTIFICATE_INVALID',
    ],
    ['has no status', () => certificate(issuer, holder, { status: undefined }), 'CERTIFICATE_INVALID'],
    [
      'has a status index beyond every list',
      () => certificate(issuer, holder, beyondEveryList),
      'CERTIFICATE_INVALID',
    ],
    ['is no JWS', () => 'x.y', 'CERTIFICATE_INVALID'],
    ['is no JSON', () => sign(issuer, CERTIFICATE_TYPE, '{', { kid: 'k1' }), 'CERTIFICATE_INVALID'],
    [
      'is JSON that is no object',
      () => sign(issuer, CERTIFICATE_TYPE, '[]', { kid: 'k1' }),
      'CERTIFICATE_INVALID',
    ],
  ])('is refused if it %s', async (_what, make, code) => {
    expect(await verify(await make())).toMatchObject({ ok: false, code });
  });

  it.each(['crit', 'jku', 'x5u', 'jwk', 'x5c', 'b64'])('is refused with "%s" in its header', async (name) => {
    const value =
      { crit: ['exp'], jwk: stranger.jwk, x5c: ['AA'], b64: true }[name] ?? 'https://evil.example';
    const text = await withHeader({ kid: 'k1', [name]: value });
    expect(await verify(text)).toMatchObject({
      ok: false,
      code: 'CERTIFICATE_INVALID',
      message: expect.stringContaining(`"${name}"`),
    });
  });

  it('is refused with any bit of its signature changed', async () => {
    const at = good.lastIndexOf('.') + 1;
    for (let index = at; index < good.length - 1; index += 7) {
      const other = good[index] === 'A' ? 'B' : 'A';
      const text = good.slice(0, index) + other + good.slice(index + 1);
      expect(await verify(text)).toMatchObject({ code: 'CERTIFICATE_INVALID' });
    }
  });
});

describe('a proof of possession', () => {
  const claims = async (some: object = {}) => ({
    aud: 'acme',
    iat: NOW_S,
    crt: await digestOf(good),
    ...some,
  });
  const verified = async () => {
    const result = await verify(good);
    if (!result.ok) throw new Error(result.message);
    return result.value;
  };
  const check = async (text: string, signer = holder) =>
    verifyProof(text, signer.key, await verified(), 'acme', NOW_S);

  it('is accepted from the key of the holder for ten minutes', async () => {
    expect(await check(await sign(holder, PROOF_TYPE, await claims()))).toMatchObject({ ok: true });
    const oldest = await claims({ iat: NOW_S - 660 });
    expect(await check(await sign(holder, PROOF_TYPE, oldest))).toMatchObject({ ok: true });
  });

  it.each<[string, object, Signer]>([
    ['another organisation', { aud: 'beta' }, holder],
    ['another certificate', { crt: 'A'.repeat(43) }, holder],
    ['an old one', { iat: NOW_S - 661 }, holder],
    ['one from the future', { iat: NOW_S + 61 }, holder],
    ['another key', {}, stranger],
  ])('is refused for %s', async (_what, some, signer) => {
    const text = await sign(signer, PROOF_TYPE, await claims(some));
    expect(await check(text)).toMatchObject({ ok: false, code: 'PROOF_INVALID' });
    expect(await check(text, stranger)).toMatchObject({ ok: false, code: 'PROOF_INVALID' });
  });
});

describe('a delegation', async () => {
  const agent = await newSigner('EdDSA');
  const principal = await rowOf(holder);
  const resold = await rowOf(agent, {
    principal: principal.digest,
    organisation: 'reseller',
    scope: ['sms'],
  });
  const check = (text: string, link = principal) => verifyDelegation(text, link, NOW_S);

  it('is verified by the key of the principal', async () => {
    const text = await delegation(holder, agent, principal.digest);
    expect(await check(text)).toMatchObject({ value: { digest: await digestOf(text) } });
  });

  it.each<[string, () => Promise<string>, string]>([
    ['is signed by the agent', () => delegation(agent, agent, principal.digest), 'DELEGATION_INVALID'],
    ['rests on another link', () => delegation(holder, agent, 'A'.repeat(43)), 'DELEGATION_INVALID'],
    [
      'is from another organisation',
      () => delegation(holder, agent, principal.digest, { iss: 'beta' }),
      'DELEGATION_INVALID',
    ],
    [
      'is for the principal itself',
      () => delegation(holder, agent, principal.digest, { sub: 'acme' }),
      'DELEGATION_INVALID',
    ],
    [
      'names numbers of others',
      () => delegation(holder, agent, principal.digest, { nums: ['+8215881235'] }),
      'DELEGATION_MISMATCH',
    ],
    [
      'has expired',
      () => delegation(holder, agent, principal.digest, { exp: NOW_S - 61 }),
      'DELEGATION_EXPIRED',
    ],
    [
      'was signed in the future',
      () => delegation(holder, agent, principal.digest, { iat: NOW_S + 61 }),
      'DELEGATION_INVALID',
    ],
    ['has no scope', () => delegation(holder, agent, principal.digest, { scope: [] }), 'DELEGATION_INVALID'],
    [
      'is a certificate',
      () => sign(holder, CERTIFICATE_TYPE, delegationClaims(agent, principal.digest)),
      'DELEGATION_INVALID',
    ],
  ])('is refused if it %s', async (_what, make, code) => {
    expect(await check(await make())).toMatchObject({ ok: false, code });
  });

  it('permits no more than the delegation that it rests on', async () => {
    const claims = { iss: 'reseller', sub: 'relay', scope: ['sms', 'voice'] };
    const wide = await sign(agent, DELEGATION_TYPE, delegationClaims(stranger, resold.digest, claims));
    expect(await check(wide, resold)).toMatchObject({ code: 'DELEGATION_MISMATCH' });
  });
});

/** The good certificate with other claims and the old signature. */
async function forged(some: object): Promise<string> {
  const [header, , signature] = good.split('.');
  const [, claims] = (await certificate(issuer, holder, some)).split('.');
  return `${header}.${claims}.${signature}`;
}
