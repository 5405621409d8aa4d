/**
 * Cuts the key space into slices that fit a shard.
 * A run of keys with many entries, such as a prefix, gets slices of its own. The number of these slices is a power of
 * two, so that cuts stay the same from day to day. The runs between them are pooled. Every key is in exactly one slice.
 */
import { SHARD_BYTES_MAX } from '../limits/lists.ts';
import { NUMBER_LIMIT, prefixOf, SUFFIX_COUNT } from '../numbers/number.ts';
import { DATED_ROW_WORDS } from '../set/layout.ts';
import { bestRice } from './dense-section.ts';
import type { ListContent } from './list-entries.ts';

/** A prefix with at least this many entries is dense: the index of its own section costs less than 2 %. */
const DENSE_ENTRIES = 1_024;
/** Target size of a shard, in bytes. Leaves room for variance, and for a day's growth before a cut moves. */
const SHARD_BYTES_AIM = SHARD_BYTES_MAX * 0.75;
/** Upper estimate for a pooled entry, in bytes. */
const POOLED_ENTRY_BYTES = 6;

export interface Slice {
  readonly start: number;
  readonly end: number;
  /** Whether the slice belongs to one dense run, so that its sections are dense. */
  readonly dense: boolean;
}

/** Estimates the size of `count` numbers of one prefix in dense sections, in bytes. */
function denseBytes(count: number): number {
  if (count === 0) return 0;
  const fewer = Math.min(count, SUFFIX_COUNT - count);
  const bits = fewer * bestRice(Math.max(1, fewer), SUFFIX_COUNT).bitsPerEntry;
  return Math.min(bits * 1.09, SUFFIX_COUNT) / 8;
}

/** A run of keys, and the estimated size of its entries in bytes. */
export interface KeyRun {
  readonly start: number;
  /** Count of keys. */
  readonly keys: number;
  /** Size in sections of its own; null if the run is pooled with its neighbours. */
  readonly dense: number | null;
  readonly pooled: number;
}

/** @param finer how often to halve the slices of dense prefixes, if a shard came out too large */
export function cutSlices(lists: readonly ListContent[], finer: number): Slice[] {
  /** By prefix: entries of all lists, and the size of the plain entries in dense sections. */
  const prefixes = new Map<number, { plain: number; dated: number; denseBytes: number }>();
  const sizeOf = (prefix: number) => {
    const size = prefixes.get(prefix) ?? { plain: 0, dated: 0, denseBytes: 0 };
    prefixes.set(prefix, size);
    return size;
  };
  for (const { plain, dated } of lists) {
    for (const [prefix, suffixes] of plain) {
      const size = sizeOf(prefix);
      size.plain += suffixes.length;
      size.denseBytes += denseBytes(suffixes.length);
    }
    for (const { key } of dated) sizeOf(prefixOf(key)).dated++;
  }
  const runs = [...prefixes].map(([prefix, { plain, dated, denseBytes }]): KeyRun => {
    const datedBytes = dated * DATED_ROW_WORDS * 4;
    return {
      ...{ start: prefix * SUFFIX_COUNT, keys: SUFFIX_COUNT },
      dense: plain + dated < DENSE_ENTRIES ? null : denseBytes + datedBytes,
      pooled: plain * POOLED_ENTRY_BYTES + datedBytes,
    };
  });
  return cutRuns(runs, finer);
}

/** Returns slices of all keys, from 0 to NUMBER_LIMIT. @param runs disjoint, in any order @param finer see `cutSlices` */
export function cutRuns(runs: readonly KeyRun[], finer: number): Slice[] {
  if (runs.length === 0) return [];
  const slices: Slice[] = [];
  let start = 0;
  let pooledBytes = 0;
  const closePool = (end: number): void => {
    if (end > start) slices.push({ start, end, dense: false });
    start = end;
    pooledBytes = 0;
  };
  for (const { start: first, keys, dense, pooled } of runs.toSorted((a, b) => a.start - b.start)) {
    if (dense === null) {
      if (pooledBytes + pooled > SHARD_BYTES_AIM) closePool(first);
      pooledBytes += pooled;
      continue;
    }
    closePool(first);
    const parts = 2 ** (Math.max(0, Math.ceil(Math.log2(dense / SHARD_BYTES_AIM))) + finer);
    for (let part = 0; part < parts; part++) {
      const end = first + Math.ceil(((part + 1) * keys) / parts);
      slices.push({ start, end, dense: true });
      start = end;
    }
  }
  closePool(NUMBER_LIMIT);
  return slices;
}
