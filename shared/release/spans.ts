/**
 * The numbers that the ranges of a list cover, whatever their dates, as disjoint ascending spans. Used to
 * distinguish a new range from one that was only split, or merged with its neighbour.
 */

/** Numbers from `from` to `to`, both inclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** @param ranges in ascending order of `from` @returns disjoint spans that do not touch */
export function cover(ranges: Iterable<Span>): Span[] {
  const spans: Span[] = [];
  for (const { from, to } of ranges) {
    const last = spans.at(-1);
    if (last === undefined || from > last.to + 1) spans.push({ from, to });
    else if (to > last.to) spans[spans.length - 1] = { from: last.from, to };
  }
  return spans;
}

/** The numbers in `spans` but not in `others`; both as returned by `cover`. */
export function without(spans: readonly Span[], others: readonly Span[]): Span[] {
  const rest: Span[] = [];
  let next = 0;
  for (const { from, to } of spans) {
    let start = from;
    while (next < others.length && others[next]!.to < from) next++;
    for (let at = next; at < others.length && others[at]!.from <= to; at++) {
      const other = others[at]!;
      if (other.from > start) rest.push({ from: start, to: other.from - 1 });
      start = other.to + 1;
    }
    if (start <= to) rest.push({ from: start, to });
  }
  return rest;
}

/** Count of covered numbers. */
export function sizeOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + (to - from + 1), 0);
}
