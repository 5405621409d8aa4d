/**
 * Encrypts short values, synchronously and without a nonce. AES-SIV (RFC 5297), without additional data, authenticates its
 * content. The bare cipher of one block does not, so the content of a block must have redundancy. Equal content gives equal
 * bytes. The first byte of the content of AES-SIV says what kind of value it is.
 */
import { AES } from '@stablelib/aes';
import { SIV } from '@stablelib/siv';

/** Bytes of the key of AES-SIV, half of which is for the MAC, and of the key of single blocks. */
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

/** Cached, because expanding a key takes as long as sealing with it. */
const ciphers = new WeakMap<Uint8Array, Ciphers>();

export function sealSiv(content: Uint8Array, key: Uint8Array): Uint8Array {
  return ciphersOf(key).siv.seal([], content);
}

/** The content, or null if the bytes were altered, or sealed with another key. */
export function openSiv(bytes: Uint8Array, key: Uint8Array): Uint8Array | null {
  return ciphersOf(key).siv.open([], bytes);
}

/** Encrypts in place. @param block BLOCK_BYTES */
export function encipherBlock(block: Uint8Array, key: Uint8Array): void {
  ciphersOf(key).aes.encryptBlock(block, block);
}

/** Decrypts in place. With another key, the result is random. @param block BLOCK_BYTES */
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
