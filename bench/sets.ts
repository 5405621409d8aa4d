/**
 * Random lists of one head for the benches, and their releases in memory.
 */
import { ALWAYS, ListEntries } from '../shared/build/list-entries.ts';
import { type BuiltRelease, buildRelease } from '../shared/build/release.ts';
import { TAILS } from '../shared/numbers/number.ts';
import { blobsOf } from '../shared/release/manifest.ts';
import { Release } from '../shared/release/release.ts';
import { deriveListKeys, type ListKeys } from '../shared/set/keys.ts';

/** Head of 010. */
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

/** A bitmap of distinct random tails. */
export function randomTails(count: number, seed: number): Uint8Array {
  const random = randomFrom(seed);
  const bits = new Uint8Array(TAILS / 8);
  for (let made = 0; made < count; ) {
    const tail = random() % TAILS;
    if ((bits[tail >>> 3]! & (1 << (tail & 7))) !== 0) continue;
    bits[tail >>> 3]! |= 1 << (tail & 7);
    made++;
  }
  return bits;
}

export function hasTail(bits: Uint8Array, tail: number): boolean {
  return (bits[tail >>> 3]! & (1 << (tail & 7))) !== 0;
}

export function benchKeys(): Promise<ListKeys> {
  return deriveListKeys(new Uint8Array(32).fill(1));
}

/** A release with one list: these tails behind HEAD. */
export async function releaseOf(
  bits: Uint8Array,
  keys: ListKeys,
): Promise<{ built: BuiltRelease; release: Release }> {
  const entries = new ListEntries(keys.permutation);
  for (let tail = 0; tail < TAILS; tail++)
    if (hasTail(bits, tail)) entries.addNumber(HEAD * TAILS + tail, ALWAYS);
  const info = {
    name: 'bench',
    reason: 'NUMBER_SUSPENDED',
    effect: 'block',
    subjects: ['from', 'to'] as ('from' | 'to')[],
    authority: 'bench',
    asOf: '2026-01-01T00:00:00Z',
  } as const;
  const options = { base: null, createdAt: new Date(0), foldedSeq: 0 };
  const result = await buildRelease([{ info, content: entries.finish() }], keys, options);
  if (!result.ok) throw new Error(result.message);
  const release = new Release(result.value.manifest, keys);
  for (const blob of blobsOf(result.value.manifest)) {
    const installed = await release.install(blob, result.value.values.get(blob.key)!);
    if (!installed.ok) throw new Error(installed.message);
  }
  return { built: result.value, release };
}
