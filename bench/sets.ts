/** Random lists for the benchmarks, and their releases in memory. */
import { type BuiltRelease, buildRelease } from '../shared/build/release.ts';
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import { blobsOf } from '../shared/release/manifest.ts';
import { Release } from '../shared/release/release.ts';
import { deriveListKeys, type ListKeys } from '../shared/set/keys.ts';
import type { Permutation } from '../shared/set/permutation.ts';

/** Prefix of 010. */
export const HEAD = 8210;

/** xorshift32. @returns whole numbers below 2^32 */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * A bitmap of distinct random suffixes.
 * @param heads number of consecutive prefixes; a bit index is then a place across all of them
 */
export function randomTails(count: number, seed: number, heads = 1): Uint8Array<ArrayBuffer> {
  const random = randomFrom(seed);
  const bits = new Uint8Array((heads * SUFFIX_COUNT) / 8);
  for (let made = 0; made < count; ) {
    const tail = Math.floor((random() / 2 ** 32) * heads * SUFFIX_COUNT);
    if ((bits[tail >>> 3]! & (1 << (tail & 7))) !== 0) continue;
    bits[tail >>> 3]! |= 1 << (tail & 7);
    made++;
  }
  return bits;
}

export function hasTail(bits: Uint8Array, tail: number): boolean {
  return (bits[tail >>> 3]! & (1 << (tail & 7))) !== 0;
}

/** Every listed place, in order. */
export function placesOf(bits: Uint8Array): Uint32Array<ArrayBuffer> {
  const places = new Uint32Array(countOf(bits));
  let next = 0;
  for (let at = 0; at < bits.length; at++) {
    for (let left = bits[at]!; left !== 0; left &= left - 1)
      places[next++] = at * 8 + (31 - Math.clz32(left & -left));
  }
  return places;
}

export function countOf(bits: Uint8Array): number {
  let count = 0;
  for (let left of bits) for (; left !== 0; left &= left - 1) count++;
  return count;
}

/** The same set with permuted suffixes. */
export function permutedBits(bits: Uint8Array, permutation: Permutation): Uint8Array<ArrayBuffer> {
  const images = new Uint8Array(bits.length);
  for (const place of placesOf(bits)) {
    const ahead = Math.floor(place / SUFFIX_COUNT) * SUFFIX_COUNT;
    const image = ahead + permutation.permute(place - ahead);
    images[image >>> 3]! |= 1 << (image & 7);
  }
  return images;
}

/** The places of these permuted places, in the same order. */
export function invertedPlaces(
  images: Uint32Array<ArrayBuffer>,
  permutation: Permutation,
): Uint32Array<ArrayBuffer> {
  return images.map((image) => {
    const ahead = Math.floor(image / SUFFIX_COUNT) * SUFFIX_COUNT;
    return ahead + permutation.invert(image - ahead);
  });
}

/** LIST_KEY of the benchmarks. */
export const LIST_SECRET = new Uint8Array(32).fill(1);

export function benchKeys(): Promise<ListKeys> {
  return deriveListKeys(LIST_SECRET);
}

interface InMemory {
  readonly built: BuiltRelease;
  readonly release: Release;
}

/** A release with one list: these suffixes of HEAD, and of the prefixes after it if there are more. */
export function releaseOf(bits: Uint8Array, keys: ListKeys): Promise<InMemory> {
  return releaseOfImages(permutedBits(bits, keys.permutation), keys);
}

/**
 * The same from permuted suffixes. Random permuted suffixes correspond to random suffixes, so no permutation
 * is needed.
 */
export async function releaseOfImages(images: Uint8Array, keys: ListKeys): Promise<InMemory> {
  // The same result as `ListEntries`, without sorting, because the permuted suffixes are in order.
  const plain = new Map<number, Uint32Array>();
  for (let ahead = 0; ahead * SUFFIX_COUNT < images.length * 8; ahead++) {
    const ofHead = images.subarray((ahead * SUFFIX_COUNT) / 8, ((ahead + 1) * SUFFIX_COUNT) / 8);
    plain.set(HEAD + ahead, placesOf(ofHead));
  }
  const content = { plain, dated: [], ranges: [], sources: [] };
  const info = {
    name: 'bench',
    reason: 'NUMBER_SUSPENDED',
    effect: 'block',
    subjects: ['from', 'to'] as ('from' | 'to')[],
    authority: 'bench',
    asOf: '2026-01-01T00:00:00Z',
  } as const;
  const options = { base: null, createdAt: new Date(0), foldedSeq: 0 };
  const result = await buildRelease([{ info, content }], keys, options);
  if (!result.ok) throw new Error(result.message);
  const release = new Release(result.value.manifest, keys);
  for (const blob of blobsOf(result.value.manifest)) {
    const installed = await release.install(blob, result.value.values.get(blob.key)!);
    if (!installed.ok) throw new Error(installed.message);
  }
  return { built: result.value, release };
}
