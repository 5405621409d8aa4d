/**
 * Data of the feed as compact JWE (RFC 7516) with `A256GCM`. Each response is encrypted with one content key, which is the
 * consumer's secret (`dir`), or is agreed with one ephemeral key (`ECDH-ES`, RFC 7518, 4.6). Each event has a random IV of
 * 96 bits (RFC 7518, 5.3).
 *
 * Implemented here, because libraries agree on a key for each JWE, which would be 256 agreements a page. open-jwe.ts, the
 * reading side, uses jose.
 */
import { toBase64Url, utf8 } from '../bytes.ts';
import type { EncryptionJwk } from './access.ts';

/** Length of a content key, and of the secret of a consumer, in bytes. */
export const FEED_KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts the data of one response. @param more members to add to the protected header, which everybody can read */
export type Encrypt = (plaintext: string, more?: Readonly<Record<string, unknown>>) => Promise<string>;

/** @param secret FEED_KEY_BYTES bytes @param kid the ID by which the consumer knows the secret */
export function encryptorOf(secret: Uint8Array<ArrayBuffer>, kid: string): Promise<Encrypt> {
  return withContentKey(secret, { alg: 'dir', enc: 'A256GCM', kid });
}

/** Encrypts with a new ephemeral key. @returns null if `key` is not a point of its curve */
export async function encryptorTo(key: EncryptionJwk, kid: string): Promise<Encrypt | null> {
  const algorithm = key.kty === 'EC' ? { name: 'ECDH', namedCurve: 'P-256' } : { name: 'X25519' };
  const jwk =
    key.kty === 'EC'
      ? { kty: 'EC', crv: 'P-256', x: key.x, y: key.y }
      : { kty: 'OKP', crv: 'X25519', x: key.x };
  try {
    const publicKey = await crypto.subtle.importKey('jwk', jwk, algorithm, true, []);
    const ephemeral = (await crypto.subtle.generateKey(algorithm, true, ['deriveBits'])) as CryptoKeyPair;
    // The types of Workers call the member `$public`, those of Node `public`.
    const agreement = { name: algorithm.name, public: publicKey } as never;
    const shared = new Uint8Array(
      await crypto.subtle.deriveBits(agreement, ephemeral.privateKey, FEED_KEY_BYTES * 8),
    );
    // RFC 7748, 6.1: a public key with this result would give everybody the same secret.
    if (shared.every((byte) => byte === 0)) return null;
    const exported = (await crypto.subtle.exportKey('jwk', ephemeral.publicKey)) as JsonWebKey;
    const { crv, x, y } = exported;
    const epk = { kty: key.kty, crv, x, ...(y === undefined ? {} : { y }) };
    return await withContentKey(await contentKeyOf(shared), { alg: 'ECDH-ES', enc: 'A256GCM', epk, kid });
  } catch {
    return null;
  }
}

/** Concat KDF of one round (RFC 7518, 4.6.2), with empty party infos. */
async function contentKeyOf(shared: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = utf8('A256GCM');
  const input = new Uint8Array(4 + shared.length + 4 + algorithm.length + 4 + 4 + 4);
  const view = new DataView(input.buffer);
  view.setUint32(0, 1);
  input.set(shared, 4);
  view.setUint32(4 + shared.length, algorithm.length);
  input.set(algorithm, 8 + shared.length);
  view.setUint32(input.length - 4, FEED_KEY_BYTES * 8);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', input));
}

async function withContentKey(secret: Uint8Array<ArrayBuffer>, header: object): Promise<Encrypt> {
  const key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt']);
  const headOf = (whole: object): string => toBase64Url(utf8(JSON.stringify(whole)));
  const plainHead = headOf(header);
  return async (plaintext, more) => {
    const head = more === undefined ? plainHead : headOf({ ...header, ...more });
    const additionalData = utf8(head);
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = new Uint8Array(
      await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, utf8(plaintext)),
    );
    const [text, tag] = [sealed.subarray(0, -TAG_BYTES), sealed.subarray(-TAG_BYTES)];
    return [head, '', toBase64Url(iv), toBase64Url(text), toBase64Url(tag)].join('.');
  };
}
