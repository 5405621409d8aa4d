/**
 * Reader of a shard: one slice of the space (head, permuted tail), with the sections of every list.
 * Opened in place over the bytes from KV: a few small objects a section, nothing parsed or copied,
 * nothing allocated in a query. Bytes that are not a shard are refused when it is opened.
 */

import { TAILS } from '../numbers/number.ts';
import { BitmapSet } from './bitmap-set.ts';
import { type DatedRow, DatedSet } from './dated-set.ts';
import {
  FOREVER,
  FORMAT_VERSION,
  PART_FIXED_WORDS,
  PART_WORDS_PER_LIST,
  SECTION_BITMAP,
  SECTION_DATED,
  SECTION_RICE,
  SECTION_SPARSE,
  SHARD_HEADER_WORDS,
  SHARD_MAGIC,
} from './layout.ts';
import { LayoutError, NOT_LISTED, type NumberSet } from './number-set.ts';
import { RiceSet } from './rice-set.ts';
import { SparseSet } from './sparse-set.ts';

/** A run of keys inside a shard: a slice of one head, or many thinly listed heads. */
export class Part {
  /** head * 10^8 + tail of the first key. */
  readonly start: number;
  /** The first key behind it. */
  readonly end: number;
  readonly #plain: readonly (NumberSet | null)[];
  readonly #dated: readonly (DatedSet | null)[];

  constructor(
    start: number,
    end: number,
    plain: readonly (NumberSet | null)[],
    dated: readonly (DatedSet | null)[],
  ) {
    this.start = start;
    this.end = end;
    this.#plain = plain;
    this.#dated = dated;
  }

  /**
   * Until when a number is on a list: NOT_LISTED, FOREVER, or seconds since 1970.
   * @param list index in the manifest @param now seconds since 1970
   */
  until(list: number, head: number, permutedTail: number, now: number): number {
    if (this.#plain[list]?.has(head, permutedTail) === true) return FOREVER;
    return this.#dated[list]?.until(head, permutedTail, now) ?? NOT_LISTED;
  }

  /** Plain and dated entries of a list in this part. */
  count(list: number): number {
    return (this.#plain[list]?.count ?? 0) + (this.#dated[list]?.count ?? 0);
  }

  /** Whether a list has an entry for a number, whatever its dates. */
  has(list: number, head: number, permutedTail: number): boolean {
    return (
      this.#plain[list]?.has(head, permutedTail) === true ||
      this.#dated[list]?.has(head, permutedTail) === true
    );
  }

  /** The plain entries of a list in order, as `NumberSet.keys` gives them. */
  keys(list: number): Iterable<Float64Array> {
    return this.#plain[list]?.keys(this.start) ?? [];
  }

  /** The dated entries of a list, by key. */
  dated(list: number): Iterable<DatedRow> {
    return this.#dated[list]?.rows() ?? [];
  }
}

export class Shard {
  readonly lists: number;
  /** In order; each begins where the one before ends. */
  readonly parts: readonly Part[];

  /** @param bytes the shard, starting on a multiple of 4 @throws LayoutError if they are not a whole, well-formed shard */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    if (bytes.length % 4 !== 0 || bytes.byteOffset % 4 !== 0 || bytes.length < SHARD_HEADER_WORDS * 4) {
      throw new LayoutError('shard: truncated');
    }
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    if (words[0] !== SHARD_MAGIC) throw new LayoutError('shard: not a shard');
    if (words[1] !== FORMAT_VERSION) throw new LayoutError(`shard: format ${words[1]} is not supported`);
    this.lists = words[2]!;
    this.parts = openParts(words);
  }

  /** The first key of the slice. */
  get start(): number {
    return this.parts[0]!.start;
  }

  /** The first key behind the slice. */
  get end(): number {
    return this.parts.at(-1)!.end;
  }

  /** The part that a key of this shard's slice falls into. */
  partOf(head: number, permutedTail: number): Part {
    const key = head * TAILS + permutedTail;
    let low = 1;
    let high = this.parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.parts[middle]!.start <= key) low = middle + 1;
      else high = middle;
    }
    return this.parts[low - 1]!;
  }

  /** Plain and dated entries of a list in this shard. */
  count(list: number): number {
    return this.parts.reduce((sum, part) => sum + part.count(list), 0);
  }

  /** The plain entries of a list in order, as `NumberSet.keys` gives them. */
  *keys(list: number): Generator<Float64Array> {
    for (const part of this.parts) yield* part.keys(list);
  }

  /** The dated entries of a list, by key. */
  *dated(list: number): Generator<DatedRow> {
    for (const part of this.parts) yield* part.dated(list);
  }
}

function openParts(words: Uint32Array): Part[] {
  const lists = words[2]!;
  const rowWords = PART_FIXED_WORDS + lists * PART_WORDS_PER_LIST;
  const sectionsAt = SHARD_HEADER_WORDS + words[3]! * rowWords;
  if (sectionsAt > words.length) throw new LayoutError('shard: part table past the end');
  if (words[3] === 0) throw new LayoutError('shard: no parts');
  const parts: Part[] = [];
  for (let index = 0; index < words[3]!; index++) {
    const row = SHARD_HEADER_WORDS + index * rowWords;
    // The row after the last one is not there: the end of the slice stands in the header instead.
    const next = index + 1 < words[3]! ? row + rowWords : SHARD_HEADER_WORDS - PART_FIXED_WORDS;
    const start = words[row]! * TAILS + words[row + 1]!;
    const end = words[next]! * TAILS + words[next + 1]!;
    if (end <= start) throw new LayoutError('shard: parts out of order');
    const plain: (NumberSet | null)[] = [];
    const dated: (DatedSet | null)[] = [];
    for (let list = 0; list < lists; list++) {
      const at = row + PART_FIXED_WORDS + list * PART_WORDS_PER_LIST;
      const sections = [words[at]!, words[at + 1]!];
      for (const section of sections) {
        if (section !== 0 && (section < sectionsAt || section + 2 > words.length)) {
          throw new LayoutError('shard: section past the end');
        }
      }
      plain.push(sections[0] === 0 ? null : openPlain(words, sections[0]!, start, end));
      dated.push(sections[1] === 0 ? null : openDated(words, sections[1]!));
    }
    parts.push(new Part(start, end, plain, dated));
  }
  return parts;
}

function openPlain(words: Uint32Array, at: number, start: number, end: number): NumberSet {
  const from = start % TAILS;
  const size = end - start;
  const kind = words[at]! & 0xff;
  if (kind === SECTION_SPARSE) return new SparseSet(words, at, words.length);
  // Only a part inside one head can be dense.
  if (from + size > TAILS) throw new LayoutError('shard: dense section over several heads');
  if (kind === SECTION_RICE) return new RiceSet(words, at, words.length, from, size);
  if (kind === SECTION_BITMAP) return new BitmapSet(words, at, words.length, from, size);
  throw new LayoutError(`shard: unknown section kind ${kind}`);
}

function openDated(words: Uint32Array, at: number): DatedSet {
  if ((words[at]! & 0xff) !== SECTION_DATED) throw new LayoutError('shard: not a dated section');
  return new DatedSet(words, at, words.length);
}
