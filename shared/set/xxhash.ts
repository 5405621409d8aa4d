/**
 * The two uses of XXH64 (xxhash-wasm): the checksum of every KV value, fast enough for every load, and the
 * keyed fingerprint of a source.
 */
import xxhash from 'xxhash-wasm';

const { h64, h64Raw } = await xxhash();

/** XXH64 with seed 0, as 16 hex digits. It detects accidents; the signature detects tampering. */
export function checksum(bytes: Uint8Array): string {
  return h64Raw(bytes).toString(16).padStart(16, '0');
}

/** XXH64 of the UTF-8 text. @param seed 64 bits derived from LIST_KEY */
export function fingerprint(text: string, seed: bigint): bigint {
  return h64(text, seed);
}
