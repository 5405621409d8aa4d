/**
 * Compares two releases list by list: lists are matched by name, entries exactly. Every value is verified
 * against its manifest when opened. One shard of each release is in memory at a time. Shards in both releases
 * are not loaded; others cost some 20 ns per number, and 100 ns more per added Korean number.
 */
import { isTooWide, wholeBlocksIn } from '../numbers/blocks.ts';
import { NUMBER_LIMIT, prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import type { ListKeys } from '../set/keys.ts';
import type { RangeTable } from '../set/range-table.ts';
import type { SourceTable } from '../set/source-table.ts';
import type { Effect } from '../verdict.ts';
import {
  BlockCounter,
  type Counts,
  compareDated,
  compareKeys,
  compareTables,
  NO_COUNTS,
  type PrefixChange,
  PrefixTally,
  type TableEntry,
  type Tallies,
} from './churn.ts';
import type { ListInfo, Manifest } from './manifest.ts';
import type { Load } from './opened-value.ts';
import { datedOf, type KeySlice, keysOf, Reading, type ShardReading } from './reading.ts';
import { cover, type Span, sizeOf, without } from './spans.ts';

/** What membership in a list means. */
export type Terms = Pick<ListInfo, 'reason' | 'effect' | 'subjects' | 'authority'>;

/** Entries of one kind: counts before and after, and the changes, exact and not net. */
export interface Churn extends Counts {
  readonly before: number;
  readonly after: number;
}

/** `heads`: the prefixes that changed most, at most CHANGED_PREFIXES_MAX. */
export interface HeadChurn extends Churn {
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
  readonly numbers: HeadChurn;
  /** Entries with dates, by row; `changed` counts those with other dates. */
  readonly dated: HeadChurn;
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
  readonly load: Load;
  /** Numbers to look for in the next release. */
  readonly watched?: readonly number[];
}

/** Severity of an effect for those listed. */
const WEIGHT: Readonly<Record<Effect, number>> = { allow: 0, shadow: 0, label: 1, block: 2 };

/** Whether the later terms are worse for those listed. If so, every entry counts as new. */
export function rises(before: Terms, after: Terms): boolean {
  const isWider = after.subjects.some((subject) => !before.subjects.includes(subject));
  return WEIGHT[after.effect] > (isWider ? 0 : WEIGHT[before.effect]);
}

/** A list in one or both releases, with the results of the comparison. */
class Pair {
  readonly old: ListInfo | null;
  readonly now: ListInfo | null;
  /** Index of the list in each release, -1 if absent. */
  readonly before: number;
  readonly after: number;
  readonly rises: boolean;
  readonly numbers: Tallies;
  readonly dated: Tallies;
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
    this.rises = this.old !== null && this.now !== null && rises(this.old, this.now);
    const tallies = { rises: this.rises, heads: new PrefixTally(), blocks: new BlockCounter(permutation) };
    this.numbers = tallies;
    this.dated = { ...tallies, heads: new PrefixTally(), blocks: new BlockCounter(permutation) };
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
        numbers: churn('numbers', numbers.heads.result()),
        dated: churn('dated', dated.heads.result()),
        ranges: churn('ranges', this.ranges),
        sources: churn('sources', this.sources),
      },
      wholeBlocks: blocks.reduce((sum, count) => sum + count, numbers.blocks.whole + dated.blocks.whole),
      wideSpans: this.covered.filter(({ from, to }) => isTooWide(from, to)).length,
      watched: [...this.watched].sort((a, b) => a - b),
    };
  }
}

function termsOf({ reason, effect, subjects, authority }: ListInfo): Terms {
  return { reason, effect, subjects: [...subjects].sort(), authority };
}

/**
 * The lists of the next release in order, then the dropped lists.
 * @throws ReleaseUnreadable if a value differs from its manifest, and any error of `load`
 */
export async function diffReleases({
  base,
  next,
  keys,
  load,
  watched = [],
}: Comparison): Promise<ListDiff[]> {
  const before = new Reading(base, keys, load);
  const after = new Reading(next, keys, load);
  const names = new Set([...after.lists, ...before.lists].map(({ name }) => name));
  const pairs = [...names].map((name) => new Pair(before, after, name, keys));
  // Equal bytes mean the same only if the lists have the same indexes and no stricter terms.
  const alike = pairs.every((pair) => pair.before === pair.after && !pair.rises);
  const sides: Sides = { before, after, pairs, alike };
  await compareShards(sides, watched, keys);
  await compareRanges(sides, watched);
  if (!alike || before.sourcesKey !== after.sourcesKey) {
    const [old, now] = [await before.sources(), await after.sources()];
    for (const pair of pairs)
      pair.sources = compareTables(sourcesOf(old, pair.before), sourcesOf(now, pair.after));
  }
  return pairs.map((pair) => pair.result());
}

interface Sides {
  readonly before: Reading;
  readonly after: Reading;
  readonly pairs: readonly Pair[];
  /** Whether equal values of both releases mean the same. */
  readonly alike: boolean;
}

/**
 * The key space, cut at every shard start of either release, so that each slice lies in one shard of each.
 */
function slicesOf({ before, after }: Sides): KeySlice[] {
  const cuts = [...new Set([...before.starts, ...after.starts])].sort((a, b) => a - b);
  return cuts.map((start, index) => ({ start, end: cuts[index + 1] ?? NUMBER_LIMIT }));
}

async function compareShards(
  sides: Sides,
  watched: readonly number[],
  { permutation }: ListKeys,
): Promise<void> {
  const { before, after, pairs, alike } = sides;
  const sought = watched.map((n) => ({ n, head: prefixOf(n), image: permutation.permute(suffixOf(n)) }));
  for (const slice of slicesOf(sides)) {
    const key = after.keyOf(slice);
    const unchanged = alike && key !== null && key === before.keyOf(slice);
    const inside = sought.filter(({ head: prefix, image }) => {
      const place = prefix * SUFFIX_COUNT + image;
      return place >= slice.start && place < slice.end;
    });
    if (unchanged && inside.length === 0) continue;
    const [old, now] = await Promise.all([unchanged ? null : before.shard(slice), after.shard(slice)]);
    for (const pair of pairs) {
      for (const { n, head: prefix, image } of inside) {
        if (now?.shard.partOf(prefix, image).has(pair.after, prefix, image) === true) pair.watched.add(n);
      }
      if (!unchanged) compareSlice(old, now, slice.end, pair);
    }
  }
}

function compareSlice(old: ShardReading | null, now: ShardReading | null, end: number, pair: Pair): void {
  compareKeys(keysOf(old, pair.before), keysOf(now, pair.after), end, pair.numbers);
  compareDated(datedOf(old, pair.before), datedOf(now, pair.after), end, pair.dated);
}

async function compareRanges(
  { before, after, pairs, alike }: Sides,
  watched: readonly number[],
): Promise<void> {
  const unchanged = alike && before.rangesKey === after.rangesKey;
  if (unchanged && watched.length === 0) return;
  const now = await after.ranges();
  const old = unchanged ? now : await before.ranges();
  for (const pair of pairs) {
    const spans = cover(now?.rows(pair.after) ?? []);
    for (const n of watched) if (isCovered(n, spans)) pair.watched.add(n);
    if (unchanged) continue;
    const spansBefore = cover(old?.rows(pair.before) ?? []);
    const added = without(spans, spansBefore);
    pair.ranges = {
      ...compareTables(rangesOf(old, pair.before), rangesOf(now, pair.after)),
      numbersAdded: sizeOf(added),
      numbersRemoved: sizeOf(without(spansBefore, spans)),
    };
    pair.covered = pair.rises ? spans : added;
  }
}

function isCovered(n: number, spans: readonly Span[]): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.to < n) low = middle + 1;
    else high = middle;
  }
  return low < spans.length && spans[low]!.from <= n;
}

function* rangesOf(table: RangeTable | null, list: number): Generator<TableEntry> {
  for (const { from, to, since, until } of table?.rows(list) ?? [])
    yield [`${from} ${to}`, `${since} ${until}`];
}

function* sourcesOf(table: SourceTable | null, list: number): Generator<TableEntry> {
  for (const { fingerprint, since, until } of table?.rows(list) ?? [])
    yield [String(fingerprint), `${since} ${until}`];
}
