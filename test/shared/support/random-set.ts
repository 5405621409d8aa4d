/**
 * Random sets for the large tests, whose inputs fast-check would be slow to draw.
 */
import type { RandomBelow } from '../numbers/random.ts';

/** `count` distinct integers in [0, limit), sorted. */
export function randomSet(below: RandomBelow, count: number, limit: number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(below(limit));
  return [...drawn].sort((a, b) => a - b);
}
