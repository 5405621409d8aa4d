/**
 * What a change of registrations changes for one client: its numbers in force before and after, compared number by
 * number. Registrations may overlap; a number is the client's own if any of them says so.
 */
import { cover, type Span, without } from '../numbers/spans.ts';

/** Numbers that a client may send from. */
export interface PairSpan extends Span {
  /** Whether the holder is the organisation itself. */
  readonly own: boolean;
}

export interface PairChange extends Span {
  readonly op: 'add' | 'addOwn' | 'remove';
}

/** The changes that make `after` out of `before`, each in order of number, none of them overlapping another. */
export function pairChanges(before: readonly PairSpan[], after: readonly PairSpan[]): PairChange[] {
  const [old, next] = [effective(before), effective(after)];
  const removed = without(
    cover(inOrder([...old.own, ...old.other])),
    cover(inOrder([...next.own, ...next.other])),
  );
  return [
    ...removed.map((span) => ({ ...span, op: 'remove' as const })),
    ...without(next.other, old.other).map((span) => ({ ...span, op: 'add' as const })),
    ...without(next.own, old.own).map((span) => ({ ...span, op: 'addOwn' as const })),
  ];
}

/** Disjoint spans: those of its own, and all others. */
function effective(pairs: readonly PairSpan[]): { readonly own: Span[]; readonly other: Span[] } {
  const spans = (isOwn: boolean): Span[] =>
    cover(inOrder(pairs.filter(({ own }) => own === isOwn).map(({ from, to }) => ({ from, to }))));
  const own = spans(true);
  return { own, other: without(spans(false), own) };
}

function inOrder(spans: readonly Span[]): Span[] {
  return spans.toSorted((a, b) => a.from - b.from);
}
