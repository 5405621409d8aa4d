/**
 * The pairs that a change of registrations adds, keeps and removes for one client. Registrations may overlap; a number is
 * the client's own if any of them says so.
 */
import { REGISTERED_RANGE_EXPANDED_MAX } from '../limits/registrations.ts';
import { BLOCK_NUMBERS } from '../numbers/blocks.ts';
import { cover, overlaps, type Span, without } from '../numbers/spans.ts';

/** Numbers that a client may send from. */
export interface PairSpan extends Span {
  /** Whether the holder is the organisation itself. */
  readonly own: boolean;
}

/** The room that registered numbers take in a release, before equal pairs of two registrations are joined. */
export interface PairsUsage {
  /** Numbers of short ranges, counted for each of their clients. */
  readonly pairs: number;
  /** Longer ranges, counted for each of their clients. */
  readonly ranges: number;
}

/** @param clients count of clients that may use the numbers */
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
 * The current state of each number, as changes that do not overlap and stay within a block.
 *
 * The result includes numbers whose state does not change. A build reads the registrations page by page while they
 * change. A number that moves between a registration that was read already and another may be missing in the pages. It
 * is right only because the later changes have it.
 * @param spans the numbers of the registrations that changed, before and after, at most a block each
 * @param pairs all pairs that overlap the spans, of any registration
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

/** The numbers of the span in own pairs, or in pairs that are not own. */
function shared(pairs: readonly PairSpan[], span: Span, isOwn: boolean): Span[] {
  const covered = cover(inOrder(pairs.filter(({ own }) => own === isOwn)));
  return [...overlaps(covered, span)].map(([, common]) => common);
}

/** Cuts spans at the ends of blocks, because a change of the registry stays within a block. */
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
