/** Random sets for the large tests. fast-check would be slow to draw such inputs. */
import type { RandomBelow } from '../numbers/random.ts';

/** `count` distinct integers in [0, limit), sorted. */
export function randomSet(below: RandomBelow, count: number, limit: number): number[] {
  return Array.from(randomSuffixes(below, count, limit));
}

/** Like `randomSet`, but as a typed array, for millions of integers. A bitmap sorts them while they are drawn. */
export function randomSuffixes(below: RandomBelow, count: number, limit: number): Uint32Array {
  const bits = new Uint32Array(Math.ceil(limit / 32));
  for (let left = count; left > 0; ) {
    const drawn = below(limit);
    const bit = 1 << (drawn & 31);
    if ((bits[drawn >>> 5]! & bit) !== 0) continue;
    bits[drawn >>> 5]! |= bit;
    left--;
  }
  const sorted = new Uint32Array(count);
  let at = 0;
  for (let word = 0; word < bits.length; word++) {
    for (let left = bits[word]!; left !== 0; left &= left - 1)
      sorted[at++] = word * 32 + (31 - Math.clz32(left & -left));
  }
  return sorted;
}
