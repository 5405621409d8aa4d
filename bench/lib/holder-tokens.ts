/** Certificates of the benchmarks whose key is known, and message tokens that are signed with it. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { TOKEN_TYPE } from '../../shared/credentials/claims.ts';
import type { CredentialRow } from '../../shared/credentials/credential-table.ts';
import { type KeyAlgorithm, keyOfJwk, type PublicJwk } from '../../shared/credentials/keys.ts';
import { TOKEN_LIFE_MAX_S } from '../../shared/limits/credentials.ts';

export interface HolderKey {
  readonly row: CredentialRow;
  /** @param id makes each token another one @param chain digests; by default the certificate alone */
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

/** A token of the same form with a signature that is none: the edge has to verify it to know that. */
export function garbageOf(token: string, index: number): string {
  const signed = token.slice(0, token.lastIndexOf('.') + 1);
  const bytes = Buffer.alloc(64);
  // r and s of ES256 must not be 0.
  bytes.fill(1);
  bytes.writeUInt32BE(index, 4);
  return signed + bytes.toString('base64url');
}
