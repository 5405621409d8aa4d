/**
 * Builds a shard: writes the sections of its parts one after the other. Shard reads it.
 */
import { SUFFIX_COUNT } from '../numbers/number.ts';
import {
  DATED_HEADER_WORDS,
  DATED_ROW_WORDS,
  FORMAT_VERSION,
  PART_FIXED_WORDS,
  PART_WORDS_PER_LIST,
  SECTION_DATED,
  SHARD_HEADER_WORDS,
  SHARD_MAGIC,
} from '../set/layout.ts';

/** An entry with dates and a permuted suffix. */
export interface DatedEntry {
  readonly prefix: number;
  readonly suffix: number;
  /** Seconds since 1970; FOREVER if the entry does not expire. */
  readonly since: number;
  readonly until: number;
}

/** A part with the encoded sections of each list; null if the list has no entries in it. */
export interface EncodedPart {
  /** prefix * 10^8 + suffix of the first key. */
  readonly start: number;
  readonly plain: readonly (Uint32Array | null)[];
  readonly dated: readonly (Uint32Array | null)[];
}

/** @param entries sorted by prefix, suffix, since */
export function encodeDated(entries: readonly DatedEntry[]): Uint32Array {
  const words = new Uint32Array(DATED_HEADER_WORDS + entries.length * DATED_ROW_WORDS);
  words.set([SECTION_DATED, entries.length]);
  entries.forEach(({ prefix, suffix, since, until }, index) => {
    words.set([prefix, suffix, since, until], DATED_HEADER_WORDS + index * DATED_ROW_WORDS);
  });
  return words;
}

function partRowWords(lists: number): number {
  return PART_FIXED_WORDS + lists * PART_WORDS_PER_LIST;
}

/** Size of a part in words: its row and its sections. */
export function partWords(part: EncodedPart): number {
  let words = partRowWords(part.plain.length);
  for (const section of [...part.plain, ...part.dated]) words += section?.length ?? 0;
  return words;
}

/** @param end key after the last part @param lists lists in the release */
export function encodeShard(
  parts: readonly EncodedPart[],
  end: number,
  lists: number,
): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + partWords(part), SHARD_HEADER_WORDS);
  const words = new Uint32Array(size);
  words.set([
    SHARD_MAGIC,
    FORMAT_VERSION,
    lists,
    parts.length,
    Math.floor(end / SUFFIX_COUNT),
    end % SUFFIX_COUNT,
  ]);
  const rowWords = partRowWords(lists);
  let at = SHARD_HEADER_WORDS + parts.length * rowWords;
  const place = (section: Uint32Array | null): number => {
    if (section === null) return 0;
    words.set(section, at);
    at += section.length;
    return at - section.length;
  };
  parts.forEach((part, index) => {
    const row = SHARD_HEADER_WORDS + index * rowWords;
    words.set([Math.floor(part.start / SUFFIX_COUNT), part.start % SUFFIX_COUNT], row);
    for (let list = 0; list < lists; list++) {
      words[row + PART_FIXED_WORDS + list * PART_WORDS_PER_LIST] = place(part.plain[list] ?? null);
      words[row + PART_FIXED_WORDS + list * PART_WORDS_PER_LIST + 1] = place(part.dated[list] ?? null);
    }
  });
  return new Uint8Array(words.buffer);
}
