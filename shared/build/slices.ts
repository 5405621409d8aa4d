/**
 * Cuts the key space into parts, and packs parts into shards.
 * A head with many entries gets parts of its own, so many that each fits a shard (a power of two:
 * cuts stay where they are from day to day); the heads between are pooled. Every key belongs to
 * exactly one part.
 */
import { SHARD_BYTES_MAX } from '../limits.ts';
import { NUMBER_LIMIT, TAILS } from '../numbers/number.ts';
import { DATED_ROW_WORDS } from '../set/layout.ts';
import { bestRice } from './dense-section.ts';
import type { ListContent } from './list-entries.ts';

/** From this many entries on, a head is dense: the index of a section of its own costs less than 2 %. */
const DENSE_ENTRIES = 1_024;
/** Aim for a shard, in bytes: leaves room for chance, and for a day's growth before a cut moves. */
const SHARD_BYTES_AIM = SHARD_BYTES_MAX * 0.75;
/** Upper estimate for a pooled entry, in bytes. */
const POOLED_ENTRY_BYTES = 6;

export interface Slice {
  readonly start: number;
  readonly end: number;
  /** One head only: its sections are dense. */
  readonly dense: boolean;
}

/** What the lists hold behind one head. */
interface HeadSize {
  plain: number;
  dated: number;
  /** Estimated size of the plain entries in dense sections, in bytes. */
  denseBytes: number;
}

function denseBytes(count: number): number {
  if (count === 0) return 0;
  const bits =
    Math.min(count, TAILS - count) *
    bestRice(Math.max(1, Math.min(count, TAILS - count)), TAILS).bitsPerEntry;
  return Math.min(bits * 1.09, TAILS) / 8;
}

/** @param finer how often to halve the parts of dense heads, when a shard came out too large */
export function cutSlices(lists: readonly ListContent[], finer: number): Slice[] {
  const heads = new Map<number, HeadSize>();
  const sizeOf = (head: number): HeadSize => {
    const size = heads.get(head) ?? { plain: 0, dated: 0, denseBytes: 0 };
    heads.set(head, size);
    return size;
  };
  for (const { plain, dated } of lists) {
    for (const [head, tails] of plain) {
      const size = sizeOf(head);
      size.plain += tails.length;
      size.denseBytes += denseBytes(tails.length);
    }
    for (const { head } of dated) sizeOf(head).dated++;
  }
  if (heads.size === 0) return [];
  const slices: Slice[] = [];
  let start = 0;
  let pooledBytes = 0;
  const closePool = (end: number): void => {
    if (end > start) slices.push({ start, end, dense: false });
    start = end;
    pooledBytes = 0;
  };
  for (const head of [...heads.keys()].sort((a, b) => a - b)) {
    const { plain, dated, denseBytes } = heads.get(head)!;
    const datedBytes = dated * DATED_ROW_WORDS * 4;
    if (plain + dated < DENSE_ENTRIES) {
      const bytes = plain * POOLED_ENTRY_BYTES + datedBytes;
      if (pooledBytes + bytes > SHARD_BYTES_AIM) closePool(head * TAILS);
      pooledBytes += bytes;
      continue;
    }
    closePool(head * TAILS);
    const parts =
      2 ** (Math.max(0, Math.ceil(Math.log2((denseBytes + datedBytes) / SHARD_BYTES_AIM))) + finer);
    for (let part = 0; part < parts; part++) {
      const end = head * TAILS + Math.ceil(((part + 1) * TAILS) / parts);
      slices.push({ start, end, dense: true });
      start = end;
    }
  }
  closePool(NUMBER_LIMIT);
  return slices;
}
