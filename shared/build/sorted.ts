/**
 * Binary search in sorted arrays.
 */

/** Returns the index of the first value that is at least `value`, or the length if there is none. */
export function lowerBound(sorted: Uint32Array | Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
