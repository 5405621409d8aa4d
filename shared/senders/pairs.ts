/**
 * What a change of registrations changes for one client: what is in force of the numbers it touches. Registrations may
 * overlap; a number is the client's own if any of them says so.
 */
import { REGISTERED_RANGE_EXPANDED_MAX } from '../limits/registrations.ts';
import { BLOCK_NUMBERS } from '../numbers/blocks.ts';
import { cover, overlaps, type Span, without } from '../numbers/spans.ts';

/** Numbers that a client may send from. */
export interface PairSpan extends Span {
  /** Whether the holder is the organisation itself. */
  readonly own: boolean;
}

/** What registered numbers take in a release, before pairs that two registrations have are joined. */
export interface PairsUsage {
  /** Numbers of short ranges, for each of their clients. */
  readonly pairs: number;
  /** Longer ranges, for each of their clients. */
  readonly ranges: number;
}

/** @param clients how many may use the numbers */
export function pairsUsage({ from, to }: Span, clients: number): PairsUsage {
  const numbers = to - from + 1;
  return numbers > REGISTERED_RANGE_EXPANDED_MAX
    ? { pairs: 0, ranges: clients }
    : { pairs: numbers * clients, ranges: 0 };
}

export interface PairChange extends Span {
  readonly op: 'add' | 'addOwn' | 'remove';
}

/**
 * What each of the numbers is now, in changes that do not overlap and stay within a block.
 *
 * It names the numbers that stay what they were too. A build reads the registrations page by page while they change. A
 * number that passes from a registration behind the reader to one before it, or back, may be missing in the pages, and
 * is right only because the later changes have it.
 * @param spans the numbers of the registrations that changed, before and after, at most a block each
 * @param pairs all that overlap them, whatever registration they belong to
 */
export function pairChanges(spans: readonly Span[], pairs: readonly PairSpan[]): PairChange[] {
  return inBlocks(cover(inOrder(spans))).flatMap((span) => {
    const own = shared(pairs, span, true);
    const other = without(shared(pairs, span, false), own);
    const removed = without([span], cover(inOrder([...own, ...other])));
    return [
      ...removed.map((each) => ({ ...each, op: 'remove' as const })),
      ...other.map((each) => ({ ...each, op: 'add' as const })),
      ...own.map((each) => ({ ...each, op: 'addOwn' as const })),
    ];
  });
}

/** The numbers of the span that pairs have which are own, or are not. */
function shared(pairs: readonly PairSpan[], span: Span, isOwn: boolean): Span[] {
  const covered = cover(inOrder(pairs.filter(({ own }) => own === isOwn)));
  return [...overlaps(covered, span)].map(([, common]) => common);
}

/** A change of the registry stays within a block: those of adjacent blocks are not joined. */
function inBlocks(spans: readonly Span[]): Span[] {
  return spans.flatMap(({ from, to }) => {
    const first = Math.floor(from / BLOCK_NUMBERS);
    const blocks = Math.floor(to / BLOCK_NUMBERS) - first + 1;
    return Array.from({ length: blocks }, (_, index) => ({
      from: Math.max(from, (first + index) * BLOCK_NUMBERS),
      to: Math.min(to, (first + index + 1) * BLOCK_NUMBERS - 1),
    }));
  });
}

function inOrder(spans: readonly Span[]): Span[] {
  return spans.toSorted((a, b) => a.from - b.from);
}
