/**
 * numgate verifies credentials of third-party software, and that software verifies ours: python3-jwcrypto and jose of Debian
 * and Ubuntu, and @sd-jwt/jwt-status-list. If one of the former is not installed, the test prints a message.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatusList as PeerList } from '@sd-jwt/jwt-status-list';
import type { JWK } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../../bench/lib/random-lists.ts';
import { skipMissing } from '../../../bench/lib/skip-missing.ts';
import { Issuer } from '../../../examples/issuer/issuer.ts';
import { type HolderJwk, openHolderKey, signProof, signSenderToken } from '../../../examples/node/client.ts';
import { fromBase64Url } from '../../../shared/bytes.ts';
import { verifyCertificate, verifyProof } from '../../../shared/credentials/certificate.ts';
import { verifyDelegation } from '../../../shared/credentials/delegation.ts';
import {
  type CredentialKey,
  digestOf,
  keyOfJwk,
  type PublicJwk,
  thumbprintOf,
} from '../../../shared/credentials/keys.ts';
import { isTokenSignedBy, parseSenderToken } from '../../../shared/credentials/sender-token.ts';
import {
  inflate,
  packStatuses,
  STATUSES,
  type StatusBits,
  statusListClaim,
  verifyStatusList,
} from '../../../shared/credentials/status-list.ts';
import { JOSE_PEERS } from '../support/jose-peers.ts';

const NOW_S = Math.floor(Date.now() / 1000);
const ISS = 'https://issuer.example';
const LIST = 'https://issuer.example/status-lists/1';
const SPANS = [{ from: 8_215_881_200, to: 8_215_881_299 }];
const NUMS = ['+8215881200..+8215881299'];

for (const { name, isInstalled } of JOSE_PEERS)
  if (!isInstalled) skipMissing(name, `credentials are not verified by others: ${name} is not installed`);

function publicKeyOf(jwk: JWK): CredentialKey {
  const { kty, crv, x, y } = jwk as Required<JWK>;
  return keyOfJwk({ kty, crv, x, ...(kty === 'EC' ? { y } : {}) } as PublicJwk)!;
}

const certificateClaims = async (holder: CredentialKey) => ({
  ...{ vct: 'https://numgate.kr/vct/sender-certificate/1', iss: ISS, sub: 'Acme', jti: 'c-1', line: 'fixed' },
  ...{ iat: NOW_S, nbf: NOW_S, exp: NOW_S + 3_600, nums: NUMS, cnf: { jkt: await thumbprintOf(holder) } },
  status: { status_list: { idx: 7, uri: LIST } },
});

/** Changes a character of the signature at a place where every bit matters. */
function forged(token: string): string {
  const at = token.lastIndexOf('.') + 10;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

const folder = mkdtempSync(join(tmpdir(), 'numgate-issuer-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(
  JOSE_PEERS.filter(({ isInstalled }) => isInstalled).flatMap((peer) =>
    peer.algorithms.map((alg) => ({ name: peer.name, alg, peer })),
  ),
)('$name with $alg', ({ alg, peer }) => {
  it('issues certificates, and signs proofs, delegations and message tokens that are accepted here', async () => {
    const [issuer, holder, agent] = [peer.generate(alg), peer.generate(alg), peer.generate(alg)];
    const [holderKey, agentKey] = [publicKeyOf(holder), publicKeyOf(agent)];
    const typed = (typ: string, kid: string) => ({ alg, typ, kid });
    const rights = {
      ...{ iss: ISS, keys: new Map([['k1', publicKeyOf(issuer)]]), spans: SPANS },
      statusHosts: ['issuer.example'],
    };
    const certificate = peer.sign(
      ...([issuer, typed('sender-certificate+jwt', 'k1'), await certificateClaims(holderKey)] as const),
    );
    const verified = await verifyCertificate(certificate, [rights], NOW_S);
    if (!verified.ok) throw new Error(verified.message);
    expect(await verifyCertificate(forged(certificate), [rights], NOW_S)).toMatchObject({
      code: 'CERTIFICATE_INVALID',
    });

    const holderKid = await thumbprintOf(holderKey);
    const { digest, spans } = verified.value;
    const proof = peer.sign(holder, typed('sender-proof+jwt', holderKid), {
      ...{ aud: 'acme', iat: NOW_S, crt: digest },
    });
    expect(await verifyProof(proof, holderKey, verified.value, 'acme', NOW_S)).toMatchObject({ ok: true });

    const principal = {
      digest,
      organisation: 'acme',
      key: holderKey,
      spans,
      kind: 'certificate',
      scope: [],
    } as const;
    const delegation = peer.sign(holder, typed('sender-delegation+jwt', holderKid), {
      ...{ iss: 'acme', sub: 'relay', iat: NOW_S, nbf: NOW_S, exp: NOW_S + 600, jti: 'd-1' },
      ...{ nums: ['+8215881234'], scope: ['sms'], prn: digest, cnf: { jkt: await thumbprintOf(agentKey) } },
      status: { status_list: { idx: 0, uri: LIST } },
    });
    expect(await verifyDelegation(delegation, principal, NOW_S)).toMatchObject({ ok: true });
    expect(await verifyDelegation(forged(delegation), principal, NOW_S)).toMatchObject({ ok: false });

    const token = peer.sign(agent, typed('sender-token+jwt', await thumbprintOf(agentKey)), {
      ...{ aud: 'relay', iat: NOW_S, exp: NOW_S + 60, orig: { tn: '8215881234' } },
      chain: [digest, await digestOf(delegation)],
    });
    const isGood = async (text: string): Promise<boolean> => {
      const written = parseSenderToken(text);
      if (!written.ok) throw new Error(written.message);
      return isTokenSignedBy(written.value, agentKey);
    };
    expect([await isGood(token), await isGood(forged(token))]).toEqual([true, false]);
  });

  it('accepts the message tokens and proofs of the client package', async () => {
    const jwk = peer.generate(alg);
    const key = await openHolderKey(jwk as unknown as HolderJwk);
    const claims = { audience: 'acme', from: '+8215881234', chain: ['a.certi.ficate'] };
    const token = await signSenderToken(key, claims);
    const publicKey = key.publicKey as unknown as JWK;
    expect(peer.verify(publicKey, alg, token)).toMatchObject({ aud: 'acme', orig: { tn: '8215881234' } });
    expect(peer.verify(publicKey, alg, forged(token))).toBeNull();
    const proof = await signProof(key, { organisation: 'acme', certificate: 'a.certi.ficate' });
    expect(peer.verify(publicKey, alg, proof)).toMatchObject({ crt: await digestOf('a.certi.ficate') });
  });

  it.runIf(alg === 'ES256')('accepts the certificates and status lists of the example issuer', async () => {
    const issuer = await Issuer.create(join(folder, peer.name), { iss: ISS, statusUri: LIST });
    const holder = peer.generate(alg);
    const { d: _, ...key } = holder;
    const certificate = await issuer.issue({ holder: 'Acme', numbers: NUMS, line: 'fixed', key, days: 1 });
    const issuerKey = issuer.keys().keys[0]!;
    const claims = peer.verify(issuerKey, alg, certificate) as { readonly jti: string };
    expect(claims).toMatchObject({
      iss: ISS,
      nums: NUMS,
      cnf: { jkt: await thumbprintOf(publicKeyOf(key)) },
    });
    issuer.setStatus(claims.jti, 'suspended');
    const list = await issuer.statusList();
    const { status_list } = peer.verify(issuerKey, alg, list) as { status_list: { lst: string } };
    expect(PeerList.decompressStatusList(status_list.lst, 2).getStatus(0)).toBe(2);

    const keys = new Map([[issuerKey.kid!, publicKeyOf(issuerKey)]]);
    const here = await verifyStatusList(list, (kid) => keys.get(kid) ?? null, NOW_S);
    expect(here.ok && [here.value.uri, here.value.list.at(0), here.value.list.at(1)]).toEqual([
      ...[LIST, 'suspended', 'valid'],
    ]);
    issuer.close();
  });
});

describe('@sd-jwt/jwt-status-list', () => {
  const random = randomFrom(20_261_126);
  const statuses = (bits: StatusBits) => Array.from({ length: 4_000 }, () => random() % 2 ** bits);

  it.each([1, 2] as const)('packs lists of %i bits that read the same here', async (bits) => {
    const values = statuses(bits);
    const deflated = fromBase64Url(new PeerList(values, bits).compressStatusList())!;
    const list = (await inflate(deflated, bits))!;
    expect(values.map((_, index) => list.at(index))).toEqual(values.map((value) => STATUSES[value]));
    expect(list.at(values.length)).toBeNull();
  });

  it('reads our lists', async () => {
    const values = statuses(2);
    const packed = packStatuses(
      new Map(values.map((value, index) => [index, STATUSES[value]!])),
      values.length,
    );
    const { bits, lst } = await statusListClaim(packed);
    const list = PeerList.decompressStatusList(lst, bits);
    expect(values.map((_, index) => list.getStatus(index))).toEqual(values);
  });
});
