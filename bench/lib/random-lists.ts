/** Random lists for the benchmarks, as bitmaps, and their releases in memory. */
import { type BuiltRelease, buildRelease } from '../../shared/build/release.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { Release } from '../../shared/release/release.ts';
import { deriveListKeys, type ListKeys } from '../../shared/set/keys.ts';

/** Prefix of 010. */
export const PREFIX = 8210;
/** No number of 010 has a suffix below this. */
export const FIRST_SUFFIX = 20_000_000;

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
 * Distinct random places, in random order. A place is the index of a number from 0, counted through all
 * prefixes in turn.
 */
export function* randomPlaces(count: number, seed: number, prefixes: number): Generator<number> {
  const random = randomFrom(seed);
  const bits = new Uint8Array((prefixes * SUFFIX_COUNT) / 8);
  for (let made = 0; made < count; ) {
    const place = Math.floor((random() / 2 ** 32) * prefixes * SUFFIX_COUNT);
    if (hasSuffix(bits, place)) continue;
    flipSuffix(bits, place);
    made++;
    yield place;
  }
}

/** A bitmap of distinct random suffixes, with one bit per place. @param prefixes consecutive, from PREFIX */
export function randomSuffixes(count: number, seed: number, prefixes = 1): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array((prefixes * SUFFIX_COUNT) / 8);
  for (const place of randomPlaces(count, seed, prefixes)) flipSuffix(bits, place);
  return bits;
}

/** Formats a number as people write it: the first prefix is 010, all further ones are abroad, in +86. */
export function formatPlace(place: number): string {
  const index = Math.floor(place / SUFFIX_COUNT);
  const prefix = index === 0 ? '010' : `+${86_099 + index}`;
  return `${prefix}${String(place % SUFFIX_COUNT).padStart(8, '0')}`;
}

/** A copy of the bitmap with random numbers removed and others added. */
export function churn(
  bits: Uint8Array<ArrayBuffer>,
  removed: number,
  added: number,
  seed: number,
): Uint8Array<ArrayBuffer> {
  const random = randomFrom(seed);
  const changed = bits.slice();
  for (let [toRemove, toAdd] = [removed, added]; toRemove > 0 || toAdd > 0; ) {
    const place = Math.floor((random() / 2 ** 32) * bits.length * 8);
    const isListed = hasSuffix(bits, place);
    // A number changes only once, because a second change would undo the first.
    if (hasSuffix(changed, place) !== isListed || (isListed ? toRemove : toAdd) === 0) continue;
    flipSuffix(changed, place);
    if (isListed) toRemove--;
    else toAdd--;
  }
  return changed;
}

export function hasSuffix(bits: Uint8Array, place: number): boolean {
  return (bits[place >>> 3]! & (1 << (place & 7))) !== 0;
}

export function flipSuffix(bits: Uint8Array, place: number): void {
  bits[place >>> 3]! ^= 1 << (place & 7);
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

/** Splits the bitmap into one bitmap per prefix. */
export function byPrefix(bits: Uint8Array): Uint8Array[] {
  return Array.from({ length: (bits.length * 8) / SUFFIX_COUNT }, (_, index) =>
    bits.subarray((index * SUFFIX_COUNT) / 8, ((index + 1) * SUFFIX_COUNT) / 8),
  );
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

/**
 * A release with one list. @param images permuted suffixes of PREFIX and, if there are more, of the prefixes
 * after it. Random permuted suffixes correspond to random suffixes.
 */
export async function releaseOf(images: Uint8Array, keys: ListKeys): Promise<InMemory> {
  // The same result as `ListEntries`, without sorting, because the permuted suffixes are in order.
  const plain = new Map(byPrefix(images).map((own, index) => [PREFIX + index, placesOf(own)]));
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
  return { built: result.value, release: await openRelease(result.value, keys) };
}

/** Opens a release from its values, as a cold isolate does. */
export async function openRelease({ manifest, values }: BuiltRelease, keys: ListKeys): Promise<Release> {
  const release = new Release(manifest, keys);
  for (const blob of blobsOf(manifest)) {
    const installed = await release.install(blob, values.get(blob.key)!);
    if (!installed.ok) throw new Error(installed.message);
  }
  return release;
}
