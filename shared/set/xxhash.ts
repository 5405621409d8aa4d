/**
 * The two uses of XXH64 (xxhash-wasm): the checksum of every KV value, fast enough to be taken each
 * time one is loaded, and the keyed fingerprint of a source.
 */
import xxhash from 'xxhash-wasm';

const { h64, h64Raw } = await xxhash();

/** XXH64 with seed 0, as 16 hex digits. It finds accidents; the signature finds malice. */
export function checksum(bytes: Uint8Array): string {
  return h64Raw(bytes).toString(16).padStart(16, '0');
}

/** XXH64 of the UTF-8 text. @param seed 64 bits out of LIST_KEY */
export function fingerprint(text: string, seed: bigint): bigint {
  return h64(text, seed);
}
