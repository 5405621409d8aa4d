/**
 * Packs the slices of a release into shards: encodes slice after slice, and starts a new shard when the last one is full.
 */
import { SHARD_BYTES_MAX } from '../limits/lists.ts';
import { SHARD_HEADER_WORDS } from '../set/layout.ts';
import { type EncodedPart, encodeShard, partWords } from './shard.ts';
import type { Slice } from './slices.ts';

/** How often the slices of dense prefixes are halved again, at most. A slice then has 1/1,024 of the intended entries. */
const FINER_MAX = 10;

export interface EncodedShard {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The input of `packSlices`. */
export interface Packing {
  /** Returns the slices, with those of dense prefixes halved `finer` times. */
  readonly cut: (finer: number) => readonly Slice[];
  /** Encodes a slice. Returns null if its entries cannot be encoded at this length. */
  readonly encode: (slice: Slice) => EncodedPart | null;
  /** Number of lists in each part. */
  readonly lists: number;
  /** A larger part gets its own shard, so that growth before the part does not move later boundaries. */
  readonly ownShardBytes?: number;
  /** Whether a shard that is at least half full should end between two parts, which begin at these keys. */
  readonly isSeam?: (before: number, start: number) => boolean;
  /** See `encodeShard`. */
  readonly hasPairs?: boolean;
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** @returns null if the entries of one number exceed a shard */
export function packSlices(packing: Packing): EncodedShard[] | null {
  for (let finer = 0; finer <= FINER_MAX; finer++) {
    const shards = pack(packing.cut(finer), packing);
    // Estimates assume uniform suffixes. If an estimate was too low, halve the slices of dense prefixes again.
    if (shards !== null) return shards;
  }
  return null;
}

/** @returns null if one slice alone exceeds a shard */
function pack(
  slices: readonly Slice[],
  { encode, lists, ownShardBytes = SHARD_BYTES_MAX, isSeam, hasPairs, onProgress }: Packing,
): EncodedShard[] | null {
  const shards: EncodedShard[] = [];
  let parts: EncodedPart[] = [];
  let words = SHARD_HEADER_WORDS;
  const close = (end: number): void => {
    if (parts.length > 0)
      shards.push({ start: parts[0]!.start, bytes: encodeShard(parts, end, lists, hasPairs) });
    parts = [];
    words = SHARD_HEADER_WORDS;
  };
  for (const [index, slice] of slices.entries()) {
    const part = encode(slice);
    if (part === null) return null;
    const more = partWords(part);
    if ((SHARD_HEADER_WORDS + more) * 4 > SHARD_BYTES_MAX) return null;
    const large = more * 4 > ownShardBytes;
    const isHalfFull = words * 4 >= SHARD_BYTES_MAX / 2;
    const endsHere = isHalfFull && isSeam?.(parts.at(-1)!.start, slice.start) === true;
    if (large || endsHere || (words + more) * 4 > SHARD_BYTES_MAX) close(slice.start);
    parts.push(part);
    words += more;
    if (large) close(slice.end);
    onProgress?.((index + 1) / slices.length);
  }
  close(slices.at(-1)?.end ?? 0);
  return shards;
}
