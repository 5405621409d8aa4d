/** Certificates of the benchmarks whose key is known, and message tokens and PASSporTs signed with that key. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { TOKEN_TYPE } from '../../shared/credentials/claims.ts';
import type { CredentialRow } from '../../shared/credentials/credential-table.ts';
import { digestOf, type KeyAlgorithm, keyOfJwk, type PublicJwk } from '../../shared/credentials/keys.ts';
import type { PassportRow } from '../../shared/credentials/passport-table.ts';
import { TOKEN_LIFE_MAX_S } from '../../shared/limits/credentials.ts';

export interface HolderKey {
  readonly row: CredentialRow;
  /** @param id makes each token different @param chain digests; by default only the certificate */
  token(id: string, chain?: readonly string[]): Promise<string>;
}

/** Gives a certificate a key. @param audience of its tokens */
export async function withHolderKey(
  row: CredentialRow,
  alg: KeyAlgorithm,
  audience: string,
): Promise<HolderKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const { kty, crv, x, y } = (await exportJWK(publicKey)) as Required<JWK>;
  const jwk = { kty, crv, x, ...(kty === 'EC' ? { y } : {}) };
  const kid = await calculateJwkThumbprint(jwk);
  const iat = Math.floor(Date.now() / 1000);
  return {
    row: { ...row, key: keyOfJwk(jwk as PublicJwk)! },
    token: (id, chain = [row.digest]) =>
      new SignJWT({
        aud: audience,
        iat,
        exp: iat + TOKEN_LIFE_MAX_S,
        orig: { tn: String(row.spans[0]!.from) },
        chain,
      })
        .setProtectedHeader({ alg, typ: TOKEN_TYPE, kid })
        .setJti(id)
        .sign(privateKey),
  };
}

/** A certificate of PASSporTs whose key is known. */
export interface PassportKey {
  readonly row: PassportRow;
  /** Signs a PASSporT of a call. The numbers are E.164 digits. */
  passport(from: string, to: string): Promise<string>;
}

const X5U = 'https://certs.example/bench.pem';

/** Gives a certificate of PASSporTs a key and a URL. */
export async function withPassportKey(row: PassportRow): Promise<PassportKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const { kty, crv, x, y } = (await exportJWK(publicKey)) as Required<JWK>;
  const key = keyOfJwk({ kty, crv, x, y } as PublicJwk)!;
  return {
    row: { ...row, x5u: await digestOf(X5U), key },
    passport: (from, to) =>
      new SignJWT({ attest: 'A', dest: { tn: [to] }, orig: { tn: from }, origid: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u: X5U })
        .setIssuedAt()
        .sign(privateKey),
  };
}

/** Replaces the signature with an invalid one. Only verification can detect it. */
export function garbageOf(token: string, index: number): string {
  const signed = token.slice(0, token.lastIndexOf('.') + 1);
  const bytes = Buffer.alloc(64);
  // r and s of ES256 must not be 0.
  bytes.fill(1);
  bytes.writeUInt32BE(index, 4);
  return signed + bytes.toString('base64url');
}
