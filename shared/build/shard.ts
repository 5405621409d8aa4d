/**
 * Builds a shard: writes the sections of its parts one after the other. The class Shard reads it.
 */
import { prefixOf, suffixOf } from '../numbers/number.ts';
import {
  DATED_HEADER_WORDS,
  DATED_ROW_WORDS,
  FORMAT_VERSION,
  PAIRS_MAGIC,
  PART_FIXED_WORDS,
  PART_WORDS_PER_LIST,
  SECTION_DATED,
  SHARD_HEADER_WORDS,
  SHARD_MAGIC,
} from '../set/layout.ts';
import type { DatedEntry } from '../set/shard.ts';

/** A part with the encoded sections of each list. A section is null if the list has no entries in the part. */
export interface EncodedPart {
  /** prefix * 10^8 + suffix of the first key. */
  readonly start: number;
  readonly plain: readonly (Uint32Array | null)[];
  readonly dated: readonly (Uint32Array | null)[];
  /** Only in a pair shard: number of clients that the part has slots for; 0 without pairs. */
  readonly room?: number;
}

/** @param entries sorted by key */
export function encodeDated(entries: readonly DatedEntry[]): Uint32Array {
  const words = new Uint32Array(DATED_HEADER_WORDS + entries.length * DATED_ROW_WORDS);
  words.set([SECTION_DATED, entries.length]);
  for (const [index, { key, since, until }] of entries.entries())
    words.set([prefixOf(key), suffixOf(key), since, until], DATED_HEADER_WORDS + index * DATED_ROW_WORDS);
  return words;
}

function partRowWords(lists: number): number {
  return PART_FIXED_WORDS + lists * PART_WORDS_PER_LIST;
}

/** Returns the size of a part in words: its row and its sections. */
export function partWords(part: EncodedPart): number {
  let words = partRowWords(part.plain.length);
  for (const section of [...part.plain, ...part.dated]) words += section?.length ?? 0;
  return words;
}

/** @param end key after the last part @param lists number of lists @param hasPairs whether this is a pair shard */
export function encodeShard(
  parts: readonly EncodedPart[],
  end: number,
  lists: number,
  hasPairs = false,
): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + partWords(part), SHARD_HEADER_WORDS);
  const words = new Uint32Array(size);
  const magic = hasPairs ? PAIRS_MAGIC : SHARD_MAGIC;
  words.set([magic, FORMAT_VERSION, lists, parts.length, prefixOf(end), suffixOf(end)]);
  const rowWords = partRowWords(lists);
  let at = SHARD_HEADER_WORDS + parts.length * rowWords;
  const append = (section: Uint32Array | null): number => {
    if (section === null) return 0;
    words.set(section, at);
    at += section.length;
    return at - section.length;
  };
  for (const [index, { start, plain, dated, room }] of parts.entries()) {
    const sections = plain.flatMap((section, list) => [
      append(section),
      hasPairs ? (room ?? 0) : append(dated[list]!),
    ]);
    words.set([prefixOf(start), suffixOf(start), ...sections], SHARD_HEADER_WORDS + index * rowWords);
  }
  return new Uint8Array(words.buffer);
}
