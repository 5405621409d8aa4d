/**
 * Decrypts data of the feed. For consumers, not for Workers, which only encrypt.
 */
import { type CryptoKey, compactDecrypt, importJWK, type JWK } from 'jose';
import { fromBase64Url, toBase64Url } from '../bytes.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { FEED_KEY_BYTES } from './jwe.ts';

/** The key that a consumer decrypts with. */
export interface FeedKey {
  readonly alg: 'dir' | 'ECDH-ES';
  readonly kid: string | null;
  readonly key: CryptoKey | Uint8Array;
}

/** @param text a JWK: the secret that the service showed (`oct`), or the private key of the consumer */
export async function openFeedKey(text: string): Promise<Result<FeedKey, Failure<'FEED_KEY_INVALID'>>> {
  const form =
    'must be a JWK: the one that numgate clients feed-key printed, or a private key on P-256 or X25519';
  const invalid = fail('FEED_KEY_INVALID', `the feed key ${form}`);
  try {
    const jwk = JSON.parse(text) as JWK;
    const kid = typeof jwk.kid === 'string' ? jwk.kid : null;
    if (jwk.kty === 'oct') {
      const key = fromBase64Url(jwk.k ?? '');
      return key?.length === FEED_KEY_BYTES ? ok({ alg: 'dir', kid, key }) : invalid;
    }
    if (jwk.d === undefined || (jwk.crv !== 'P-256' && jwk.crv !== 'X25519')) return invalid;
    const key = await importJWK({ ...jwk, alg: 'ECDH-ES' }, 'ECDH-ES');
    return ok({ alg: 'ECDH-ES', kid, key: key as CryptoKey });
  } catch {
    return invalid;
  }
}

/** Decrypts an event's data, with the algorithms of the key only. @returns null if not for this key, or altered */
export async function openData(jwe: string, { alg, key }: FeedKey): Promise<string | null> {
  if (!jwe.split('.').every(isCanonical)) return null;
  try {
    const { plaintext } = await compactDecrypt(jwe, key, {
      keyManagementAlgorithms: [alg],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plaintext);
  } catch {
    return null;
  }
}

/** Whether the part is the canonical base64url of its bytes. Only the last group can have unused bits. */
function isCanonical(part: string): boolean {
  const group = part.slice(part.length - (part.length % 4));
  const bytes = fromBase64Url(group);
  return bytes !== null && toBase64Url(bytes) === group;
}
