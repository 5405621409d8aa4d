/** Makes Ed25519 keys (RFC 8032) from their 32 bytes. */
import { fromBase64Url } from './bytes.ts';

/** The bytes before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410). */
const PKCS8_START = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

export interface Ed25519Pair {
  /** The private key. */
  readonly key: CryptoKey;
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** @param seed 32 bytes */
export async function ed25519Pair(seed: Uint8Array): Promise<Ed25519Pair | null> {
  const bytes = Uint8Array.from([...PKCS8_START, ...seed]);
  const key = await crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', true, ['sign']);
  const { x = '' } = (await crypto.subtle.exportKey('jwk', key)) as JsonWebKey;
  const publicKey = fromBase64Url(x);
  return publicKey === null ? null : { key, publicKey };
}
