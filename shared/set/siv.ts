/**
 * Encryption of short values, synchronous and without a nonce: AES-SIV (RFC 5297) without additional data, which is
 * authenticated, and the bare cipher of one block, whose content must have redundancy of its own. Equal content gives equal
 * bytes. The first byte of what is sealed says what kind of value it is.
 */
import { AES } from '@stablelib/aes';
import { SIV } from '@stablelib/siv';

/** Key of AES-SIV, half of which is for the MAC, and key of single blocks, in bytes. */
const SIV_BYTES = 32;
const CIPHER_BYTES = 16;
/** Length of a key in bytes. */
export const SIV_KEY_BYTES = SIV_BYTES + CIPHER_BYTES;
/** Length of a block in bytes. */
export const BLOCK_BYTES = 16;

interface Ciphers {
  readonly siv: SIV;
  readonly aes: AES;
}

/** Expanding a key takes as long as sealing with it. */
const ciphers = new WeakMap<Uint8Array, Ciphers>();

export function sealSiv(content: Uint8Array, key: Uint8Array): Uint8Array {
  return ciphersOf(key).siv.seal([], content);
}

/** The content, or null if the bytes were altered, or sealed with another key. */
export function openSiv(bytes: Uint8Array, key: Uint8Array): Uint8Array | null {
  return ciphersOf(key).siv.open([], bytes);
}

/** In place. @param block BLOCK_BYTES */
export function encipherBlock(block: Uint8Array, key: Uint8Array): void {
  ciphersOf(key).aes.encryptBlock(block, block);
}

/** In place. With another key, the result is random. @param block BLOCK_BYTES */
export function decipherBlock(block: Uint8Array, key: Uint8Array): void {
  ciphersOf(key).aes.decryptBlock(block, block);
}

function ciphersOf(key: Uint8Array): Ciphers {
  const known = ciphers.get(key);
  if (known !== undefined) return known;
  const made = {
    siv: new SIV(AES, key.subarray(0, SIV_BYTES)),
    aes: new AES(key.subarray(SIV_BYTES, SIV_KEY_BYTES)),
  };
  ciphers.set(key, made);
  return made;
}
