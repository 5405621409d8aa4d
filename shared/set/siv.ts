/**
 * AES-SIV (RFC 5297) without additional data: authenticated encryption of short values, synchronous and without a nonce. Equal
 * content gives equal bytes. The first byte of the content says what kind of value it is.
 */
import { AES } from '@stablelib/aes';
import { SIV } from '@stablelib/siv';

/** Length of a key in bytes: half of it is for the MAC. */
export const SIV_KEY_BYTES = 32;

/** Expanding a key takes as long as sealing with it. */
const ciphers = new WeakMap<Uint8Array, SIV>();

export function sealSiv(content: Uint8Array, key: Uint8Array): Uint8Array {
  return cipherOf(key).seal([], content);
}

/** The content, or null if the bytes were altered, or sealed with another key. */
export function openSiv(bytes: Uint8Array, key: Uint8Array): Uint8Array | null {
  return cipherOf(key).open([], bytes);
}

function cipherOf(key: Uint8Array): SIV {
  const known = ciphers.get(key);
  if (known !== undefined) return known;
  const cipher = new SIV(AES, key);
  ciphers.set(key, cipher);
  return cipher;
}
