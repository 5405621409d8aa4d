/**
 * Compares two releases list by list: lists are matched by name, entries exactly. Every value is verified
 * against its manifest when opened. One shard of each release is in memory at a time. Shards that both
 * releases share are not loaded; others cost some 20 ns per number, and 100 ns more per added Korean number.
 */
import { countWholeBlocks, isTooWide } from '../numbers/blocks.ts';
import { NUMBER_LIMIT, prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import { countCovered, cover, overlaps, type Span, without } from '../numbers/spans.ts';
import { type Failure, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { Effect } from '../verdict.ts';
import {
  type ChangeCounts,
  ChangeTally,
  compareTables,
  NO_COUNTS,
  type PrefixChange,
} from './change-tally.ts';
import type { ListInfo, Manifest } from './manifest.ts';
import { RekeyedReader } from './rekeyed-reader.ts';
import type { Load } from './release.ts';
import { DatedCursor, KeyCursor, type KeySlice, type ReadProblem, ReleaseReader } from './release-reader.ts';

/** What membership in a list means. */
export type Terms = Pick<ListInfo, 'reason' | 'effect' | 'subjects' | 'authority'>;

/** Entries of one kind: counts before and after, and the changes, exact and not net. */
export interface KindChange extends ChangeCounts {
  readonly before: number;
  readonly after: number;
}

export interface NumberChange extends KindChange {
  /** The prefixes that changed most, at most CHANGED_PREFIXES_MAX. */
  readonly heads: readonly PrefixChange[];
}

export interface RangeChange extends KindChange {
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
  readonly numbers: NumberChange;
  /** Entries with dates, by row; `changed` counts those with other dates. */
  readonly dated: NumberChange;
  readonly ranges: RangeChange;
  readonly sources: KindChange;
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
  /** Keys of the next release. */
  readonly keys: ListKeys;
  /** Keys of the base release, if they differ. */
  readonly baseKeys?: ListKeys;
  /** Loads the bytes of a value of either release. They are verified here. */
  readonly load: Load;
  /** Numbers to look for in the next release. */
  readonly watched: readonly number[];
}

/** Severity of an effect for the members of a list. */
const WEIGHT: Readonly<Record<Effect, number>> = { allow: 0, shadow: 0, label: 1, block: 2 };

/** Whether the later terms are worse for the members of a list. If so, every entry counts as new. */
export function isStricter(before: Terms, after: Terms): boolean {
  const isWider = after.subjects.some((subject) => !before.subjects.includes(subject));
  return WEIGHT[after.effect] > (isWider ? 0 : WEIGHT[before.effect]);
}

const NO_KEYS = new KeyCursor([]);
const NO_ENTRIES = new DatedCursor([]);

/** A list in one or both releases, and what the comparison finds. */
type Pair = ReturnType<typeof pairOf>;

function pairOf(name: string, before: Reader, after: ReleaseReader, { permutation }: ListKeys) {
  const [oldIndex, newIndex] = [before, after].map(({ lists }) =>
    lists.findIndex((list) => list.name === name),
  ) as [number, number];
  const [old, now] = [before.lists[oldIndex] ?? null, after.lists[newIndex] ?? null];
  const becomesStricter = old !== null && now !== null && isStricter(old, now);
  const ranges: Omit<RangeChange, 'before' | 'after'> = { ...NO_COUNTS, numbersAdded: 0, numbersRemoved: 0 };
  return {
    ...{ old, now, becomesStricter, ranges },
    /** Index of the list in each release, -1 if absent. */
    ...{ oldIndex, newIndex },
    numbers: new ChangeTally(permutation, becomesStricter),
    dated: new ChangeTally(permutation, becomesStricter),
    sources: NO_COUNTS,
    /** Numbers that ranges newly cover. */
    covered: [] as readonly Span[],
    watched: new Set<number>(),
  };
}

function diffOf({ old, now, numbers, dated, ranges, sources, covered, watched }: Pair): ListDiff {
  const { name } = now ?? old!;
  const terms = termsOf(now ?? old!);
  const termsBefore = termsOf(old ?? now!);
  const churn = <Each extends ChangeCounts>(
    kind: 'numbers' | 'dated' | 'ranges' | 'sources',
    counts: Each,
  ) => ({
    before: old?.[kind] ?? 0,
    after: now?.[kind] ?? 0,
    ...counts,
  });
  const blocks = covered.map(({ from, to }) => countWholeBlocks(from, to));
  return {
    change: {
      name,
      state: old === null ? 'new' : now === null ? 'dropped' : 'kept',
      terms,
      termsBefore: JSON.stringify(terms) === JSON.stringify(termsBefore) ? null : termsBefore,
      numbers: churn('numbers', numbers.result()),
      dated: churn('dated', dated.result()),
      ranges: churn('ranges', ranges),
      sources: churn('sources', sources),
    },
    wholeBlocks: blocks.reduce((sum, count) => sum + count, numbers.wholeBlocks + dated.wholeBlocks),
    wideSpans: covered.filter(({ from, to }) => isTooWide(from, to)).length,
    watched: [...watched].sort((a, b) => a - b),
  };
}

function termsOf({ reason, effect, subjects, authority }: ListInfo): Terms {
  return { reason, effect, subjects: [...subjects].sort(), authority };
}

/** The lists of the next release in order, then the dropped lists. Rejects if `load` does. */
export async function diffReleases(
  comparison: Comparison,
): Promise<Result<ListDiff[], Failure<ReadProblem>>> {
  const { base, next, keys, baseKeys = keys, load, watched } = comparison;
  const isRekeyed = base !== null && baseKeys.keyId !== keys.keyId;
  const before = isRekeyed
    ? await RekeyedReader.open(base, baseKeys, keys, load)
    : new ReleaseReader(base, keys, load);
  const after = new ReleaseReader(next, keys, load);
  const names = new Set([...after.lists, ...before.lists].map(({ name }) => name));
  const pairs = [...names].map((name) => pairOf(name, before, after, keys));
  // Equal bytes mean the same only if the lists have the same indexes and no stricter terms.
  const areAlike = pairs.every((pair) => pair.oldIndex === pair.newIndex && !pair.becomesStricter);
  const sides: Sides = { ...comparison, before, after, pairs, areAlike };
  for (const slice of slicesOf(sides)) {
    await compareShards(sides, slice);
    const failure = before.failure ?? after.failure;
    if (failure !== null) return failure;
  }
  if (!areAlike || base?.ranges?.key !== next.ranges?.key || watched.length > 0) await compareRanges(sides);
  if (!areAlike || base?.sources?.key !== next.sources?.key) {
    const [old, now] = [await before.open(base?.sources), await after.open(next.sources)];
    for (const pair of pairs) {
      if (isRekeyed) {
        pair.sources = compareCounts(pair.old?.sources ?? 0, pair.now?.sources ?? 0);
        continue;
      }
      const rowsBefore = old?.sources?.rows(pair.oldIndex) ?? [];
      const rows = now?.sources?.rows(pair.newIndex) ?? [];
      pair.sources = compareTables(rowsBefore, rows, ({ fingerprint }) => String(fingerprint));
    }
  }
  return before.failure ?? after.failure ?? ok(pairs.map(diffOf));
}

/** Fingerprints under different keys cannot be compared, and a fingerprint does not reveal its source. */
function compareCounts(before: number, after: number): ChangeCounts {
  return { added: Math.max(0, after - before), removed: Math.max(0, before - after), changed: 0 };
}

type Reader = ReleaseReader | RekeyedReader;

interface Sides extends Comparison {
  readonly before: Reader;
  readonly after: ReleaseReader;
  readonly pairs: readonly Pair[];
  /** Whether equal values of both releases mean the same. */
  readonly areAlike: boolean;
}

/** The key space, cut at every shard start of either release, so that each slice lies in one shard of each. */
function slicesOf({ before, after }: Sides): KeySlice[] {
  const cuts = [...new Set([...before.starts, ...after.starts])].sort((a, b) => a - b);
  return cuts.map((start, index) => ({ start, end: cuts[index + 1] ?? NUMBER_LIMIT }));
}

async function compareShards(
  { before, after, pairs, areAlike, watched, keys }: Sides,
  slice: KeySlice,
): Promise<void> {
  const { start, end } = slice;
  const key = after.keyOf(slice);
  const isUnchanged = areAlike && key !== null && key === before.keyOf(slice);
  const inside = watched
    .map((n) => ({ n, prefix: prefixOf(n), image: keys.permutation.permute(suffixOf(n)) }))
    .filter(({ prefix, image }) => {
      const place = prefix * SUFFIX_COUNT + image;
      return place >= start && place < end;
    });
  if (isUnchanged && inside.length === 0) return;
  const [old, now] = await Promise.all([isUnchanged ? null : before.shard(slice), after.shard(slice)]);
  for (const { oldIndex, newIndex, numbers, dated, watched: listed } of pairs) {
    for (const { n, prefix, image } of inside) {
      if (now?.shard.partOf(prefix, image).has(newIndex, prefix, image) === true) listed.add(n);
    }
    if (isUnchanged) continue;
    numbers.compareKeys(old?.plain[oldIndex] ?? NO_KEYS, now?.plain[newIndex] ?? NO_KEYS, end);
    dated.compareDated(old?.dated[oldIndex] ?? NO_ENTRIES, now?.dated[newIndex] ?? NO_ENTRIES, end);
  }
}

async function compareRanges(sides: Sides): Promise<void> {
  const { base, next, before, after, pairs, areAlike, watched } = sides;
  const isUnchanged = areAlike && base?.ranges?.key === next.ranges?.key;
  const now = (await after.open(next.ranges))?.ranges;
  const old = isUnchanged ? null : (await before.open(base?.ranges))?.ranges;
  for (const pair of pairs) {
    const rows = [...(now?.rows(pair.newIndex) ?? [])];
    const spans = cover(rows);
    for (const n of watched)
      if (overlaps(spans, { from: n, to: n }).next().done === false) pair.watched.add(n);
    if (isUnchanged) continue;
    const rowsBefore = [...(old?.rows(pair.oldIndex) ?? [])];
    const spansBefore = cover(rowsBefore);
    const added = without(spans, spansBefore);
    pair.ranges = {
      ...compareTables(rowsBefore, rows, ({ from, to }) => `${from} ${to}`),
      numbersAdded: countCovered(added),
      numbersRemoved: countCovered(without(spansBefore, spans)),
    };
    pair.covered = pair.becomesStricter ? spans : added;
  }
}
