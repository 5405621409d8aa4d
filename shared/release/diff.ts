/**
 * Compares two releases list by list: lists are matched by name, entries exactly. Every value is verified
 * against its manifest when opened. One shard of each release is in memory at a time. Shards in both releases
 * are not loaded; others cost some 20 ns per number, and 100 ns more per added Korean number.
 */
import { isTooWide, wholeBlocksIn } from '../numbers/blocks.ts';
import { NUMBER_LIMIT, prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import { cover, overlaps, type Span, sizeOf, without } from '../numbers/spans.ts';
import { type Failure, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { Effect } from '../verdict.ts';
import { ChangeTally, type Counts, compareTables, NO_COUNTS, type PrefixChange } from './churn.ts';
import type { ListInfo, Manifest } from './manifest.ts';
import { DatedCursor, KeyCursor, type KeySlice, Reading, type ReadingProblem } from './reading.ts';
import type { Load } from './release.ts';

/** What membership in a list means. */
export type Terms = Pick<ListInfo, 'reason' | 'effect' | 'subjects' | 'authority'>;

/** Entries of one kind: counts before and after, and the changes, exact and not net. */
export interface Churn extends Counts {
  readonly before: number;
  readonly after: number;
}

export interface NumberChurn extends Churn {
  /** The prefixes that changed most, at most CHANGED_PREFIXES_MAX. */
  readonly heads: readonly PrefixChange[];
}

export interface RangeChurn extends Churn {
  /** Numbers that ranges newly cover, whatever the dates; `numbersRemoved` for the reverse. */
  readonly numbersAdded: number;
  readonly numbersRemoved: number;
}

export interface ListChange {
  readonly name: string;
  readonly state: 'new' | 'kept' | 'dropped';
  /** The new terms; for a dropped list, the old ones. */
  readonly terms: Terms;
  /** The old terms, if they differ. */
  readonly termsBefore: Terms | null;
  /** Entries without dates: they can be added and removed, but never `changed`. */
  readonly numbers: NumberChurn;
  /** Entries with dates, by row; `changed` counts those with other dates. */
  readonly dated: NumberChurn;
  readonly ranges: RangeChurn;
  readonly sources: Churn;
}

/** A change, with the figures that guards need. */
export interface ListDiff {
  readonly change: ListChange;
  /** Blocks of 10,000 usable Korean numbers that were added whole, or nearly (BLOCK_FILLED_MIN). */
  readonly wholeBlocks: number;
  /** Added spans of numbers that are wider than any one network. */
  readonly wideSpans: number;
  /** Watched numbers that the next release lists, exactly or in a range, whatever the dates. */
  readonly watched: readonly number[];
}

export interface Comparison {
  /** Null if there is no release yet. */
  readonly base: Manifest | null;
  readonly next: Manifest;
  readonly keys: ListKeys;
  /** Loads the bytes of a value of either release. They are verified here. */
  readonly load: Load;
  /** Numbers to look for in the next release. */
  readonly watched: readonly number[];
}

/** Severity of an effect for those listed. */
const WEIGHT: Readonly<Record<Effect, number>> = { allow: 0, shadow: 0, label: 1, block: 2 };

/** Whether the later terms are worse for those listed. If so, every entry counts as new. */
export function isStricter(before: Terms, after: Terms): boolean {
  const isWider = after.subjects.some((subject) => !before.subjects.includes(subject));
  return WEIGHT[after.effect] > (isWider ? 0 : WEIGHT[before.effect]);
}

const NO_KEYS = new KeyCursor([]);
const NO_ENTRIES = new DatedCursor([]);

/** A list in one or both releases, with the results of the comparison. */
class Pair {
  readonly old: ListInfo | null;
  readonly now: ListInfo | null;
  /** Index of the list in each release, -1 if absent. */
  readonly before: number;
  readonly after: number;
  readonly isStricter: boolean;
  readonly numbers: ChangeTally;
  readonly dated: ChangeTally;
  ranges: Omit<RangeChurn, 'before' | 'after'> = { ...NO_COUNTS, numbersAdded: 0, numbersRemoved: 0 };
  sources: Counts = NO_COUNTS;
  /** Numbers that ranges newly cover. */
  covered: readonly Span[] = [];
  readonly watched = new Set<number>();

  constructor(before: Reading, after: Reading, name: string, { permutation }: ListKeys) {
    this.before = before.lists.findIndex((list) => list.name === name);
    this.after = after.lists.findIndex((list) => list.name === name);
    this.old = before.lists[this.before] ?? null;
    this.now = after.lists[this.after] ?? null;
    this.isStricter = this.old !== null && this.now !== null && isStricter(this.old, this.now);
    this.numbers = new ChangeTally(permutation, this.isStricter);
    this.dated = new ChangeTally(permutation, this.isStricter);
  }

  result(): ListDiff {
    const { numbers, dated, old, now } = this;
    const terms = termsOf(now ?? old!);
    const termsBefore = termsOf(old ?? now!);
    const churn = <Each extends Counts>(kind: 'numbers' | 'dated' | 'ranges' | 'sources', counts: Each) => ({
      before: old?.[kind] ?? 0,
      after: now?.[kind] ?? 0,
      ...counts,
    });
    const blocks = this.covered.map(({ from, to }) => wholeBlocksIn(from, to));
    return {
      change: {
        name: (now ?? old!).name,
        state: old === null ? 'new' : now === null ? 'dropped' : 'kept',
        terms,
        termsBefore: JSON.stringify(terms) === JSON.stringify(termsBefore) ? null : termsBefore,
        numbers: churn('numbers', numbers.result()),
        dated: churn('dated', dated.result()),
        ranges: churn('ranges', this.ranges),
        sources: churn('sources', this.sources),
      },
      wholeBlocks: blocks.reduce((sum, count) => sum + count, numbers.wholeBlocks + dated.wholeBlocks),
      wideSpans: this.covered.filter(({ from, to }) => isTooWide(from, to)).length,
      watched: [...this.watched].sort((a, b) => a - b),
    };
  }
}

function termsOf({ reason, effect, subjects, authority }: ListInfo): Terms {
  return { reason, effect, subjects: [...subjects].sort(), authority };
}

/** Both releases, and whether equal values of both mean the same. */
interface Sides {
  readonly before: Reading;
  readonly after: Reading;
  readonly pairs: readonly Pair[];
  readonly areAlike: boolean;
}

/** The lists of the next release in order, then the dropped lists. Rejects if `load` does. */
export async function diffReleases({
  base,
  next,
  keys,
  load,
  watched,
}: Comparison): Promise<Result<ListDiff[], Failure<ReadingProblem>>> {
  const before = new Reading(base, keys, load);
  const after = new Reading(next, keys, load);
  const names = new Set([...after.lists, ...before.lists].map(({ name }) => name));
  const pairs = [...names].map((name) => new Pair(before, after, name, keys));
  // Equal bytes mean the same only if the lists have the same indexes and no stricter terms.
  const areAlike = pairs.every((pair) => pair.before === pair.after && !pair.isStricter);
  const sides: Sides = { before, after, pairs, areAlike };
  for (const slice of slicesOf(sides)) {
    await compareShards(sides, slice, watched, keys);
    const failure = before.failure ?? after.failure;
    if (failure !== null) return failure;
  }
  if (!areAlike || base?.ranges?.key !== next.ranges?.key || watched.length > 0)
    await compareRanges(sides, base, next, watched);
  if (!areAlike || base?.sources?.key !== next.sources?.key) {
    const [old, now] = [
      (await before.open(base?.sources))?.sources,
      (await after.open(next.sources))?.sources,
    ];
    for (const pair of pairs) {
      const rows = [old?.rows(pair.before) ?? [], now?.rows(pair.after) ?? []] as const;
      pair.sources = compareTables(...rows, ({ fingerprint }) => String(fingerprint));
    }
  }
  return before.failure ?? after.failure ?? ok(pairs.map((pair) => pair.result()));
}

/** The key space, cut at every shard start of either release, so that each slice lies in one shard of each. */
function slicesOf({ before, after }: Sides): KeySlice[] {
  const cuts = [...new Set([...before.starts, ...after.starts])].sort((a, b) => a - b);
  return cuts.map((start, index) => ({ start, end: cuts[index + 1] ?? NUMBER_LIMIT }));
}

async function compareShards(
  { before, after, pairs, areAlike }: Sides,
  slice: KeySlice,
  watched: readonly number[],
  { permutation }: ListKeys,
): Promise<void> {
  const key = after.keyOf(slice);
  const isUnchanged = areAlike && key !== null && key === before.keyOf(slice);
  const inside = watched
    .map((n) => ({ n, prefix: prefixOf(n), image: permutation.permute(suffixOf(n)) }))
    .filter(({ prefix, image }) => {
      const place = prefix * SUFFIX_COUNT + image;
      return place >= slice.start && place < slice.end;
    });
  if (isUnchanged && inside.length === 0) return;
  const [old, now] = await Promise.all([isUnchanged ? null : before.shard(slice), after.shard(slice)]);
  for (const pair of pairs) {
    for (const { n, prefix, image } of inside) {
      if (now?.shard.partOf(prefix, image).has(pair.after, prefix, image) === true) pair.watched.add(n);
    }
    if (isUnchanged) continue;
    const { end } = slice;
    pair.numbers.compareKeys(old?.plain[pair.before] ?? NO_KEYS, now?.plain[pair.after] ?? NO_KEYS, end);
    pair.dated.compareDated(old?.dated[pair.before] ?? NO_ENTRIES, now?.dated[pair.after] ?? NO_ENTRIES, end);
  }
}

async function compareRanges(
  { before, after, pairs, areAlike }: Sides,
  base: Manifest | null,
  next: Manifest,
  watched: readonly number[],
): Promise<void> {
  const isUnchanged = areAlike && base?.ranges?.key === next.ranges?.key;
  const now = (await after.open(next.ranges))?.ranges;
  const old = isUnchanged ? now : (await before.open(base?.ranges))?.ranges;
  for (const pair of pairs) {
    const [rowsBefore, rows] = [[...(old?.rows(pair.before) ?? [])], [...(now?.rows(pair.after) ?? [])]];
    const [spansBefore, spans] = [cover(rowsBefore), cover(rows)];
    for (const n of watched)
      if (overlaps(spans, { from: n, to: n }).next().done === false) pair.watched.add(n);
    if (isUnchanged) continue;
    const added = without(spans, spansBefore);
    pair.ranges = {
      ...compareTables(rowsBefore, rows, ({ from, to }) => `${from} ${to}`),
      numbersAdded: sizeOf(added),
      numbersRemoved: sizeOf(without(spansBefore, spans)),
    };
    pair.covered = pair.isStricter ? spans : added;
  }
}
