/**
 * The order in which `prove` looks up numbers: numbers whose entries are adjacent in the release are
 * consecutive. The order changes neither lookups nor results. In any other order, two thirds of a lookup is
 * waiting for memory.
 */
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { Permutation } from '../../shared/set/permutation.ts';

/**
 * Permuted suffixes that differ only in these low bits (a shift) are near enough: their entries share a few
 * cache lines.
 */
const NEAR_SHIFT = 10;

/** The same suffixes with the same multiplicity, by a counting sort. About 70 ns and 12 bytes per suffix. */
export function queryOrder(suffixes: Uint32Array, permutation: Permutation): Uint32Array {
  const places = new Uint32Array(suffixes.length);
  for (let index = 0; index < suffixes.length; index++)
    places[index] = permutation.permute(suffixes[index]!) >>> NEAR_SHIFT;
  /** Before the last loop: where the suffixes of a place begin. */
  const next = new Uint32Array((SUFFIX_COUNT >>> NEAR_SHIFT) + 2);
  for (let index = 0; index < places.length; index++) next[places[index]! + 1]!++;
  for (let place = 1; place < next.length; place++) next[place]! += next[place - 1]!;
  // This check guarantees that every suffix has a place and the last loop omits none.
  if (next.at(-1) !== suffixes.length) throw new RangeError('a permuted value is not a suffix');
  const ordered = new Uint32Array(suffixes.length);
  for (let index = 0; index < suffixes.length; index++) {
    const place = places[index]!;
    ordered[next[place]!] = suffixes[index]!;
    next[place]!++;
  }
  return ordered;
}
