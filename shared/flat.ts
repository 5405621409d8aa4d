/**
 * Strings that are told in JSON. V8 keeps a sum of 13 characters or more as a pair of its parts, and a slice as a view
 * of the whole; one of either makes `JSON.stringify` begin again on its slow path, for the whole value
 * (docs/performance.md).
 */

/** The parts as one string, in one piece. */
export function flat(...parts: readonly (string | number)[]): string {
  return parts.join('');
}
