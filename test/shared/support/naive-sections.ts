/**
 * The sections of a shard as docs/format.md describes them, encoded with plain arrays and bit strings.
 * Where the format leaves the encoder a choice (Rice parameter, bucket width) the caller makes it.
 */
import { binary, bitWords, riceCode, words } from './bytes.ts';

export interface RiceChoice {
  readonly parameter: number;
  /** Tails in a bucket. */
  readonly width: number;
}

/** @param tails the listed tails, counted from the first of the part @param size tails in the part */
export function naiveRice(tails: readonly number[], size: number, choice: RiceChoice): number[] {
  return rice(tails, size, choice, 0);
}

/** The same set, by what it leaves out. */
export function naiveComplement(tails: readonly number[], size: number, choice: RiceChoice): number[] {
  const listed = new Set(tails);
  const rest = Array.from({ length: size }, (_, tail) => tail).filter((tail) => !listed.has(tail));
  return rice(rest, size, choice, 1);
}

function rice(
  tails: readonly number[],
  size: number,
  { parameter, width }: RiceChoice,
  flags: number,
): number[] {
  const sorted = [...new Set(tails)].sort((a, b) => a - b);
  const buckets = Math.ceil(size / width);
  let bits = '';
  const starts: number[] = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    starts.push(bits.length);
    let before = bucket * width - 1;
    for (const tail of sorted.filter((each) => Math.floor(each / width) === bucket)) {
      bits += riceCode(tail - before - 1, parameter);
      before = tail;
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

/** The length of a bucket; the caller has to choose buckets that are narrow enough. */
function byte(length: number): number {
  if (length > 255) throw new RangeError(`a bucket of ${length} bits`);
  return length;
}

export function naiveBitmap(tails: readonly number[], size: number): number[] {
  const listed = new Set(tails);
  const bits = Array.from({ length: size }, (_, tail) => (listed.has(tail) ? '1' : '0')).join('');
  return [...words(2, listed.size), ...bitWords(bits)];
}

/** A key: head and permuted tail. */
export type NaiveKey = readonly [head: number, tail: number];

export interface SparseChoice {
  readonly headParameter: number;
  /** Rice parameter of the tail gaps, for each block of 32 keys. */
  readonly blockParameters: readonly number[];
}

/** @param keys sorted and distinct */
export function naiveSparse(
  keys: readonly NaiveKey[],
  { headParameter, blockParameters }: SparseChoice,
): number[] {
  const rows: number[] = [];
  let bits = '';
  keys.forEach(([head, tail], index) => {
    const parameter = blockParameters[Math.floor(index / 32)] ?? 0;
    if (index % 32 === 0) {
      rows.push(...words(head, tail, bits.length));
      bits += binary(parameter, 5);
      return;
    }
    const [headBefore, suffixBefore] = keys[index - 1]!;
    if (head === headBefore) bits += `1${riceCode(tail - suffixBefore - 1, parameter)}`;
    else bits += `0${riceCode(head - headBefore - 1, headParameter)}${binary(tail, 27)}`;
  });
  return [
    ...words(3 + headParameter * 65_536, keys.length, Math.ceil(keys.length / 32)),
    ...rows,
    ...bitWords(bits),
  ];
}

/** A row of a dated section. */
export type NaiveDated = readonly [head: number, tail: number, since: number, until: number];

/** @param rows sorted by head, tail, since, until */
export function naiveDated(rows: readonly NaiveDated[]): number[] {
  return [...words(4, rows.length), ...rows.flatMap((row) => words(...row))];
}
