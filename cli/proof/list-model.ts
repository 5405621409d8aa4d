/**
 * A straightforward in-memory model of a list: bitmaps for one prefix, a plain set for the rest, arrays for
 * entries with dates. `prove` compares a built release with it. It is plain data, so threads can share it.
 */
import { type Dates, isDated } from '../../shared/build/list-entries.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../../shared/numbers/number.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import type { RangeRow } from '../../shared/set/range-table.ts';
import { formFor, textsOf } from '../../shared/sources/source.ts';
import type { Effect } from '../../shared/verdict.ts';
import type { Listed } from '../import/entry.ts';
import type { FoldedEntry } from '../import/fold.ts';
import {
  addTo,
  type Bitmap,
  bitmap,
  countBits,
  hasBit,
  isIn,
  type PlainSet,
  setBit,
  sizeOf,
} from './plain-set.ts';

export interface ListModel {
  readonly effect: Effect;
  /** The prefix whose numbers are all checked. */
  readonly densePrefix: number;
  /**
   * One bit per suffix of that prefix, for single numbers and for ranges. A bitmap is created on first use.
   */
  dense: Bitmap | null;
  denseRanges: Bitmap | null;
  /** One bit per suffix of that prefix that is in `dated`, to skip the lookup for all others. */
  denseDated: Bitmap | null;
  /** Undated numbers with other prefixes. */
  readonly elsewhere: PlainSet;
  readonly dated: Map<number, Dates[]>;
  readonly ranges: RangeRow[];
  readonly datedRanges: RangeRow[];
  /** By the text that their fingerprint is computed from. */
  readonly sources: Map<string, Dates[]>;
  /** Folded sources by their fingerprint. Nothing else is known about them. */
  readonly fingerprints: Map<bigint, Dates[]>;
}

export function emptyModel(effect: Effect, densePrefix: number): ListModel {
  return {
    effect,
    densePrefix,
    dense: null,
    denseRanges: null,
    denseDated: null,
    elsewhere: new Map(),
    dated: new Map(),
    ranges: [],
    datedRanges: [],
    sources: new Map(),
    fingerprints: new Map(),
  };
}

export function addToModel(model: ListModel, what: Listed, dates: Dates): void {
  if (what.kind === 'source') {
    add(model.sources, formFor(textsOf(what.source), model.effect), dates);
  } else if (what.kind === 'ranges') {
    for (const range of what.ranges) addRange(model, { ...range, ...dates });
  } else if (isDated(dates)) {
    add(model.dated, what.n, dates);
    if (prefixOf(what.n) !== model.densePrefix) return;
    model.denseDated ??= bitmap();
    setBit(model.denseDated, suffixOf(what.n));
  } else {
    addNumber(model, what.n);
  }
}

/** Adds a number without dates. */
export function addNumber(model: ListModel, n: number): void {
  if (prefixOf(n) !== model.densePrefix) {
    addTo(model.elsewhere, n);
    return;
  }
  model.dense ??= bitmap();
  setBit(model.dense, suffixOf(n));
}

export function addFolded(model: ListModel, { what, since, until }: FoldedEntry): void {
  if (what.kind === 'number') addToModel(model, what, { since, until });
  else add(model.fingerprints, BigInt(`0x${what.hex}`), { since, until });
}

function add<Key>(all: Map<Key, Dates[]>, key: Key, dates: Dates): void {
  const known = all.get(key);
  if (known === undefined) all.set(key, [dates]);
  else if (!known.some(({ since, until }) => since === dates.since && until === dates.until))
    known.push(dates);
}

function addRange(model: ListModel, range: RangeRow): void {
  model.ranges.push(range);
  if (isDated(range)) {
    model.datedRanges.push(range);
    return;
  }
  const first = Math.max(range.from, model.densePrefix * SUFFIX_COUNT);
  const last = Math.min(range.to, model.densePrefix * SUFFIX_COUNT + SUFFIX_COUNT - 1);
  if (first > last) return;
  model.denseRanges ??= bitmap();
  for (let suffix = suffixOf(first); suffix <= suffixOf(last); suffix++) setBit(model.denseRanges, suffix);
}

/** When the model's single entries for a number expire, comparable to Part.until. */
export function exactUntil(model: ListModel, n: number, now: number): number {
  if (prefixOf(n) === model.densePrefix) {
    const suffix = n - model.densePrefix * SUFFIX_COUNT;
    if (hasBit(model.dense, suffix)) return FOREVER;
    if (!hasBit(model.denseDated, suffix)) return NOT_LISTED;
  } else if (isIn(model.elsewhere, n)) {
    return FOREVER;
  }
  return latest(model.dated.get(n) ?? [], now);
}

/** When the model's ranges that hold a number expire, comparable to RangeTable.until. */
export function rangeUntil(model: ListModel, n: number, now: number): number {
  const inDense = prefixOf(n) === model.densePrefix;
  if (inDense && hasBit(model.denseRanges, n - model.densePrefix * SUFFIX_COUNT)) return FOREVER;
  let until = NOT_LISTED;
  for (const range of inDense ? model.datedRanges : model.ranges) {
    if (range.from <= n && n <= range.to) until = Math.max(until, latest([range], now));
  }
  return until;
}

/**
 * Counts number entries as the release does: dated entries of a number do not count if it also has an undated
 * one.
 */
export function countNumbers(model: ListModel): number {
  let count = sizeOf(model.elsewhere) + (model.dense === null ? 0 : countBits(model.dense));
  for (const [n, all] of model.dated) if (exactUntil(model, n, -1) === NOT_LISTED) count += all.length;
  return count;
}

export function latest(all: readonly Dates[], now: number): number {
  let until = NOT_LISTED;
  for (const dates of all) {
    if (dates.since <= now && now < dates.until) until = Math.max(until, dates.until);
  }
  return until;
}
