/**
 * AES-SIV (RFC 5297): authenticated encryption of short values, synchronous and without a nonce. Equal content gives equal bytes.
 * What is sealed for one purpose does not open for another.
 */
import { AES } from '@stablelib/aes';
import { SIV } from '@stablelib/siv';

/** Length of a key in bytes: half of it is for the MAC. */
export const SIV_KEY_BYTES = 32;

/** Expanding a key takes as long as sealing with it. */
const ciphers = new WeakMap<Uint8Array, SIV>();

export function sealSiv(content: Uint8Array, key: Uint8Array, purpose: Uint8Array): Uint8Array {
  return cipherOf(key).seal([purpose], content);
}

/** The content, or null if the bytes were altered, or sealed with another key or for another purpose. */
export function openSiv(bytes: Uint8Array, key: Uint8Array, purpose: Uint8Array): Uint8Array | null {
  return cipherOf(key).open([purpose], bytes);
}

function cipherOf(key: Uint8Array): SIV {
  const known = ciphers.get(key);
  if (known !== undefined) return known;
  const cipher = new SIV(AES, key);
  ciphers.set(key, cipher);
  return cipher;
}
