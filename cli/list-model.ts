/**
 * A list as anyone would keep it in memory: bitmaps for one head, a plain set for the rest, arrays for what
 * has dates. What a built release is compared with. Plain data, so that threads can share it.
 */
import { type Dates, isDated } from '../shared/build/list-entries.ts';
import { headOf, TAILS, tailOf } from '../shared/numbers/number.ts';
import { FOREVER } from '../shared/set/layout.ts';
import { NOT_LISTED } from '../shared/set/number-set.ts';
import type { RangeRow } from '../shared/set/range-table.ts';
import { formFor, textsOf } from '../shared/sources/source.ts';
import type { Effect } from '../shared/verdict.ts';
import type { What } from './entry.ts';
import type { FoldedEntry } from './fold.ts';
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
  /** The head of which every number is going to be asked. */
  readonly denseHead: number;
  /** One bit a tail of that head, listed alone or by a range; each made when the first one comes. */
  dense: Bitmap | null;
  denseRanges: Bitmap | null;
  /** One bit a tail of that head that is in `dated`, so that the others need not be looked for. */
  denseDated: Bitmap | null;
  /** Undated numbers behind other heads. */
  readonly elsewhere: PlainSet;
  readonly dated: Map<number, Dates[]>;
  readonly ranges: RangeRow[];
  readonly datedRanges: RangeRow[];
  /** By the text that their fingerprint is made of. */
  readonly sources: Map<string, Dates[]>;
  /** Folded sources by their fingerprint: nothing else is known of them. */
  readonly fingerprints: Map<bigint, Dates[]>;
}

export function emptyModel(effect: Effect, denseHead: number): ListModel {
  return {
    effect,
    denseHead,
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

export function addToModel(model: ListModel, what: What, dates: Dates): void {
  if (what.kind === 'source') {
    add(model.sources, formFor(textsOf(what.source), model.effect), dates);
  } else if (what.kind === 'ranges') {
    for (const range of what.ranges) addRange(model, { ...range, ...dates });
  } else if (isDated(dates)) {
    add(model.dated, what.n, dates);
    if (headOf(what.n) !== model.denseHead) return;
    model.denseDated ??= bitmap();
    setBit(model.denseDated, tailOf(what.n));
  } else {
    addNumber(model, what.n);
  }
}

/** A number without dates. */
export function addNumber(model: ListModel, n: number): void {
  if (headOf(n) !== model.denseHead) {
    addTo(model.elsewhere, n);
    return;
  }
  model.dense ??= bitmap();
  setBit(model.dense, tailOf(n));
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
  const first = Math.max(range.from, model.denseHead * TAILS);
  const last = Math.min(range.to, model.denseHead * TAILS + TAILS - 1);
  if (first > last) return;
  model.denseRanges ??= bitmap();
  for (let tail = tailOf(first); tail <= tailOf(last); tail++) setBit(model.denseRanges, tail);
}

/** Until when the model lists a number by itself, as Part.until answers. */
export function exactUntil(model: ListModel, n: number, now: number): number {
  if (headOf(n) === model.denseHead) {
    const tail = n - model.denseHead * TAILS;
    if (hasBit(model.dense, tail)) return FOREVER;
    if (!hasBit(model.denseDated, tail)) return NOT_LISTED;
  } else if (isIn(model.elsewhere, n)) {
    return FOREVER;
  }
  return latest(model.dated.get(n) ?? [], now);
}

/** Until when a range of the model holds a number, as RangeTable.until answers. */
export function rangeUntil(model: ListModel, n: number, now: number): number {
  const inDense = headOf(n) === model.denseHead;
  if (inDense && hasBit(model.denseRanges, n - model.denseHead * TAILS)) return FOREVER;
  let until = NOT_LISTED;
  for (const range of inDense ? model.datedRanges : model.ranges) {
    if (range.from <= n && n <= range.to) until = Math.max(until, latest([range], now));
  }
  return until;
}

/** Entries of numbers, as the release counts them: none with dates where one is without. */
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
