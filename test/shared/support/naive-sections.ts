/**
 * The sections of a shard as docs/format.md describes them, encoded with plain arrays and bit strings. Where the format leaves
 * a choice to the encoder (Rice parameter, bucket width), the caller makes it.
 */
import { binary, bitWords, riceCode, words } from './bytes.ts';

export interface RiceChoice {
  readonly parameter: number;
  /** Number of suffixes in a bucket. */
  readonly width: number;
}

/** @param suffixes the listed suffixes, counted from the first of the part @param size suffixes in the part */
export function naiveRice(suffixes: readonly number[], size: number, choice: RiceChoice): number[] {
  return rice(suffixes, size, choice, 0);
}

/** Encodes the same set by the suffixes that it lacks. */
export function naiveComplement(suffixes: readonly number[], size: number, choice: RiceChoice): number[] {
  const listed = new Set(suffixes);
  const rest = Array.from({ length: size }, (_, suffix) => suffix).filter((suffix) => !listed.has(suffix));
  return rice(rest, size, choice, 1);
}

function rice(
  suffixes: readonly number[],
  size: number,
  { parameter, width }: RiceChoice,
  flags: number,
): number[] {
  const sorted = [...new Set(suffixes)].sort((a, b) => a - b);
  const buckets = Math.ceil(size / width);
  const byBucket = Map.groupBy(sorted, (suffix) => Math.floor(suffix / width));
  let bits = '';
  const starts: number[] = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    starts.push(bits.length);
    let before = bucket * width - 1;
    for (const suffix of byBucket.get(bucket) ?? []) {
      bits += riceCode(suffix - before - 1, parameter);
      before = suffix;
    }
  }
  starts.push(bits.length);
  const groups: number[] = [];
  for (let first = 0; first < buckets; first += 32) {
    groups.push(...words(starts[first]!));
    for (let bucket = first; bucket < first + 32; bucket++)
      groups.push(bucket < buckets ? byte(starts[bucket + 1]! - starts[bucket]!) : 0);
  }
  return [
    ...words(1 + flags * 256 + parameter * 65_536, sorted.length, width, buckets),
    ...groups,
    ...bitWords(bits),
    ...words(0),
  ];
}

/**
 * A pair: its key relative to the first key of the part, the image of the suffix modulo 16, the rank of the client, and whether
 * it is own.
 */
export type NaivePair = readonly [position: number, low: number, rank: number, own: boolean];

/** @param room number of clients in the group */
export function naivePairs(
  pairs: readonly NaivePair[],
  size: number,
  { parameter, width }: RiceChoice,
  room: number,
): number[] {
  const slots = 32 * room;
  const keys = pairs.map(
    ([position, low, rank, own]) => position * slots + 2 * (low * room + rank) + (own ? 1 : 0),
  );
  const section = rice(keys, size * slots, { parameter, width: width * slots }, 0);
  // The width counts positions.
  return section.toSpliced(8, 4, ...words(width));
}

/** The length of a bucket as one byte. The caller must choose buckets that are narrow enough. */
function byte(length: number): number {
  if (length > 255) throw new RangeError(`a bucket of ${length} bits`);
  return length;
}

export function naiveBitmap(suffixes: readonly number[], size: number): number[] {
  const listed = new Set(suffixes);
  const bits = Array.from({ length: size }, (_, suffix) => (listed.has(suffix) ? '1' : '0')).join('');
  return [...words(2, listed.size), ...bitWords(bits)];
}

/** A key: prefix and permuted suffix. */
export type NaiveKey = readonly [prefix: number, suffix: number];

export interface SparseChoice {
  readonly headParameter: number;
  /** Rice parameter of the suffix gaps, for each block of 32 keys. */
  readonly blockParameters: readonly number[];
}

/** @param keys sorted and distinct */
export function naiveSparse(
  keys: readonly NaiveKey[],
  { headParameter, blockParameters }: SparseChoice,
): number[] {
  const rows: number[] = [];
  let bits = '';
  keys.forEach(([prefix, suffix], index) => {
    const parameter = blockParameters[Math.floor(index / 32)] ?? 0;
    if (index % 32 === 0) {
      rows.push(...words(prefix, suffix, bits.length));
      bits += binary(parameter, 5);
      return;
    }
    const [prefixBefore, suffixBefore] = keys[index - 1]!;
    if (prefix === prefixBefore) bits += `1${riceCode(suffix - suffixBefore - 1, parameter)}`;
    else bits += `0${riceCode(prefix - prefixBefore - 1, headParameter)}${binary(suffix, 27)}`;
  });
  return [
    ...words(3 + headParameter * 65_536, keys.length, Math.ceil(keys.length / 32)),
    ...rows,
    ...bitWords(bits),
  ];
}

/** A row of a dated section. */
export type NaiveDated = readonly [prefix: number, suffix: number, since: number, until: number];

/** @param rows sorted by prefix, suffix, since, until */
export function naiveDated(rows: readonly NaiveDated[]): number[] {
  return [...words(4, rows.length), ...rows.flatMap((row) => words(...row))];
}
