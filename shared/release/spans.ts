/**
 * The numbers that the ranges of a list cover, whatever their dates, as disjoint spans in order: how a
 * range that only was cut in two, or joined to its neighbour, is told from one that is new.
 */

/** Numbers from `from` to `to`, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** @param ranges by rising `from` @returns disjoint spans that do not touch */
export function cover(ranges: Iterable<Span>): Span[] {
  const spans: Span[] = [];
  for (const { from, to } of ranges) {
    const last = spans.at(-1);
    if (last === undefined || from > last.to + 1) spans.push({ from, to });
    else if (to > last.to) spans[spans.length - 1] = { from: last.from, to };
  }
  return spans;
}

/** What `spans` cover and `others` do not; both as `cover` makes them. */
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

/** Numbers covered. */
export function sizeOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + (to - from + 1), 0);
}
