/**
 * Flat strings for JSON. V8 stores a concatenation of 13 characters or more as a pair of its parts, and a
 * slice as a view of the whole. Either makes `JSON.stringify` start again on its slow path for the whole
 * value (docs/performance.md).
 */

/** Concatenates the parts into one flat string. */
export function flat(...parts: readonly (string | number)[]): string {
  return parts.join('');
}
