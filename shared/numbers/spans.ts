/**
 * Spans of consecutive numbers: what a list of ranges covers, whatever their dates, and how that overlaps
 * other spans. Every list of spans is disjoint and in ascending order.
 */

/** Numbers from `from` to `to`, both inclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** @param ranges in ascending order of `from`, may overlap @returns spans that do not touch */
export function cover(ranges: Iterable<Span>): Span[] {
  const spans: Span[] = [];
  for (const { from, to } of ranges) {
    const last = spans.at(-1);
    if (last === undefined || from > last.to + 1) spans.push({ from, to });
    else if (to > last.to) spans[spans.length - 1] = { from: last.from, to };
  }
  return spans;
}

/** Each span that overlaps the numbers from `from` to `to`, with the overlap. */
export function* overlaps<Each extends Span>(
  spans: readonly Each[],
  { from, to }: Span,
): Generator<readonly [Each, Span]> {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.to < from) low = middle + 1;
    else high = middle;
  }
  for (; low < spans.length && spans[low]!.from <= to; low++) {
    const span = spans[low]!;
    yield [span, { from: Math.max(from, span.from), to: Math.min(to, span.to) }];
  }
}

/** The numbers in `spans` but not in `others`. */
export function without(spans: readonly Span[], others: readonly Span[]): Span[] {
  return spans.flatMap((span) => {
    const rest: Span[] = [];
    let { from } = span;
    for (const [, shared] of overlaps(others, span)) {
      if (shared.from > from) rest.push({ from, to: shared.from - 1 });
      from = shared.to + 1;
    }
    return from <= span.to ? [...rest, { from, to: span.to }] : rest;
  });
}

/** Count of covered numbers. */
export function countCovered(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + (to - from + 1), 0);
}
