/**
 * Derives all keys from one secret, LIST_KEY: HKDF-SHA-256 (RFC 5869) with a label per use, so that no two
 * uses share a key. Takes a few milliseconds, once per isolate.
 */
import { toHex, utf8 } from '../bytes.ts';
import { derivePermutation, type Permutation } from './permutation.ts';
import { PreparedImages } from './prepared-images.ts';
import { SIV_KEY_BYTES } from './siv.ts';

/** Length of LIST_KEY in bytes. */
export const LIST_KEY_BYTES = 32;

export interface ListKeys {
  /** Identifies the secret without revealing it: 16 hex digits. Releases with another ID are rejected. */
  readonly keyId: string;
  readonly permutation: Permutation;
  /** Scratch space to compute many images at once. */
  readonly preparedImages: PreparedImages;
  /** Seed of the XXH64 fingerprints of sources. */
  readonly sourceSeed: bigint;
  /** Selects the numbers that the detection of enumeration looks at: see shared/enumeration/scan-key.ts. */
  readonly scanSeed: number;
  /** AES-256-GCM key of `seal`. */
  readonly sealKey: CryptoKey;
  /** HMAC-SHA-256 key that derives the nonce of a sealed value from its content. */
  readonly nonceKey: CryptoKey;
  /** Key of the references and tokens of appeals (siv.ts): screening/appeal-reference.ts. */
  readonly appealKey: Uint8Array<ArrayBuffer>;
}

/** @param secret LIST_KEY, 32 random bytes @throws RangeError on any other length */
export async function deriveListKeys(secret: Uint8Array<ArrayBuffer>): Promise<ListKeys> {
  if (secret.length !== LIST_KEY_BYTES) {
    throw new RangeError(`LIST_KEY must be ${LIST_KEY_BYTES} bytes, and is ${secret.length}`);
  }
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  const derive = (label: string, bits: number): Promise<ArrayBuffer> =>
    crypto.subtle.deriveBits(
      { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(label) },
      base,
      bits,
    );
  const permutationBits = await derive('numgate/1 permutation', 256);
  const permutationKey = await crypto.subtle.importKey('raw', permutationBits, 'AES-CTR', false, ['encrypt']);
  const sealBits = await derive('numgate/1 seal', 256);
  const nonceBits = await derive('numgate/1 seal nonce', 256);
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const permutation = await derivePermutation(permutationKey);
  return {
    keyId: toHex(new Uint8Array(await derive('numgate/1 key id', 64))),
    permutation,
    preparedImages: new PreparedImages(permutation),
    sourceSeed: new DataView(await derive('numgate/1 sources', 64)).getBigUint64(0),
    scanSeed: new DataView(await derive('numgate/1 scans', 32)).getInt32(0),
    sealKey: await crypto.subtle.importKey('raw', sealBits, 'AES-GCM', false, ['encrypt', 'decrypt']),
    nonceKey: await crypto.subtle.importKey('raw', nonceBits, hmac, false, ['sign']),
    appealKey: new Uint8Array(await derive('numgate/1 appeals', SIV_KEY_BYTES * 8)),
  };
}
