/**
 * XXH64 in BigInt arithmetic, step by step as in the xxHash specification (github.com/Cyan4973/xxHash,
 * doc/xxhash_spec.md). Thousands of times slower than the real implementation.
 */

const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint => u64((value << by) | (value >> (64n - by)));
const round = (lane: bigint, input: bigint): bigint => u64(rotate(u64(lane + input * PRIME2), 31n) * PRIME1);
const merge = (hash: bigint, lane: bigint): bigint => u64((hash ^ round(0n, lane)) * PRIME1 + PRIME4);

/** Little-endian integer of `size` bytes at `at`. */
function integer(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (let byte = size - 1; byte >= 0; byte--) value = value * 256n + BigInt(bytes[at + byte]!);
  return value;
}

export function naiveXxh64(bytes: Uint8Array, seed: bigint): bigint {
  let at = 0;
  let hash = u64(seed + PRIME5);
  if (bytes.length >= 32) {
    const lanes = [u64(seed + PRIME1 + PRIME2), u64(seed + PRIME2), seed, u64(seed - PRIME1)];
    for (; at + 32 <= bytes.length; at += 32) {
      lanes.forEach((lane, index) => {
        lanes[index] = round(lane, integer(bytes, at + index * 8, 8));
      });
    }
    const turns = [1n, 7n, 12n, 18n];
    hash = u64(lanes.reduce((sum, lane, index) => sum + rotate(lane, turns[index]!), 0n));
    hash = lanes.reduce(merge, hash);
  }
  hash = u64(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    hash = u64(rotate(hash ^ round(0n, integer(bytes, at, 8)), 27n) * PRIME1 + PRIME4);
  }
  for (; at + 4 <= bytes.length; at += 4) {
    hash = u64(rotate(hash ^ u64(integer(bytes, at, 4) * PRIME1), 23n) * PRIME2 + PRIME3);
  }
  for (; at < bytes.length; at++) hash = u64(rotate(hash ^ u64(BigInt(bytes[at]!) * PRIME5), 11n) * PRIME1);
  hash = u64((hash ^ (hash >> 33n)) * PRIME2);
  hash = u64((hash ^ (hash >> 29n)) * PRIME3);
  return hash ^ (hash >> 32n);
}
