/**
 * Recognises scans in the merged sketch of an organisation. Each rule is a property that numbers have when they
 * come from a program that counts, and do not have when they come from a list of customers, in whatever order
 * and however often either is checked. docs/threats.md says what no rule can find; `npm run bench -- access`
 * prints how often each attack is found, and how often ordinary traffic is taken for one.
 */
import { BLOCK_NUMBERS, isUnallocatedBlock } from '../numbers/blocks.ts';
import { MARKS } from './scan-key.ts';
import { ENTRY_WORDS, type ScanData } from './scan-sketch.ts';

/**
 * Marks of a full block. Two may be absent, because a scan may skip some numbers. In a block of which an operator
 * serves 60 %, a message to all its subscribers sets 62 of 64 marks once in 10^11.
 */
const FULL_MARKS = MARKS - 2;
/** Numbers in runs, a day. A company's own extensions, 1,000 in a row, may be checked several times a day. */
const STEPS_MIN = 10_000;

/**
 * Blocks with nearly the same count. Below 8 numbers a block, counts of a few numbers are alike by chance, and
 * EXPECTED_PAIRS_MIN decides.
 */
const EVEN_COUNT_MIN = 8;
const EVEN_BLOCKS_MIN = 12;
/** Half widths of the two windows around a count, in standard deviations of a random list. */
const EVEN_CORE = 0.5;
const EVEN_FRAME = 2;
/** Share of the blocks in the frame that are in the core: 0.40 for a random list, more for a scan. */
const EVEN_SHARE_RANDOM = 0.42;
const EVEN_SHARE_MIN = 0.65;
/** Standard deviations above what a random list has. */
const EVEN_SIGMAS = 4;
/** Marks that the numbers in the frame would set if all were different, before their absence means repeats. */
const EVEN_MARKS_MIN = 12;

/** Blocks of one prefix (10^8 numbers). */
const PREFIX_BLOCKS = 10_000;
/** Expected pairs of numbers in one block, for a random list, before their absence means a scan. */
const EXPECTED_PAIRS_MIN = 100;
/** Share of the expected pairs, and standard deviations, that must be absent. */
const ABSENT_PAIRS_SHARE = 0.1;
const ABSENT_PAIRS_SIGMAS = 5;

/** Different numbers in unallocated blocks, and their share of all numbers: typing errors are fewer. */
const UNALLOCATED_MIN = 200;
const UNALLOCATED_SHARE_MIN = 0.1;

/** Different canary numbers. One may be a typing error. */
const CANARIES_MIN = 3;
/** Times the declared volume. */
const VOLUME_FACTOR = 2;

/** What was recognised. The order is that of `detect`, surest first. */
export const SCAN_KINDS = ['canaries', 'fullBlocks', 'steps', 'evenBlocks', 'unallocated', 'volume'] as const;
export type ScanKind = (typeof SCAN_KINDS)[number];

export interface Detection {
  readonly kind: ScanKind;
  /** How much of it: numbers, or blocks for `fullBlocks` and `evenBlocks`. An estimate if blocks were dropped. */
  readonly count: number;
}

/** What the clients of one organisation checked. */
export interface ScanWindow {
  readonly sketch: ScanData;
  /** Days that the sketch covers. */
  readonly days: number;
  /** Numbers a day that the organisation declared; null if it declared nothing. */
  readonly declaredNumbers: number | null;
}

/** A block, how many of its numbers were checked, and how many of its marks were seen. */
interface BlockCount {
  readonly block: number;
  readonly count: number;
  readonly marks: number;
}

export function detect({ sketch, days, declaredNumbers }: ScanWindow): Detection[] {
  const blocks = blocksOf(sketch);
  const scale = 2 ** sketch.level;
  const limit = (declaredNumbers ?? Number.POSITIVE_INFINITY) * VOLUME_FACTOR * days;
  const found: Record<ScanKind, number> = {
    canaries: sketch.canaries.length >= CANARIES_MIN ? sketch.canaries.length : 0,
    fullBlocks: countFullBlocks(blocks) * scale,
    steps: sketch.inRuns >= STEPS_MIN * days ? sketch.inRuns : 0,
    evenBlocks: Math.max(countLevelBlocks(blocks), countSpreadBlocks(blocks, scale)) * scale,
    unallocated: countUnallocated(blocks) * scale,
    volume: sketch.numbers > limit ? sketch.numbers : 0,
  };
  return SCAN_KINDS.filter((kind) => found[kind] > 0).map((kind) => ({ kind, count: found[kind] }));
}

/** In ascending order of their counts. */
function blocksOf({ entries }: ScanData): BlockCount[] {
  const blocks: BlockCount[] = [];
  for (let at = 0; at < entries.length; at += ENTRY_WORDS) {
    const [block, count, low, high] = entries.subarray(at, at + ENTRY_WORDS);
    blocks.push({ block: block! >>> 0, count: count! >>> 0, marks: bitsIn(low!) + bitsIn(high!) });
  }
  return blocks.sort((a, b) => a.count - b.count);
}

/** No customer list has all numbers of a block: some are always without a subscriber. */
function countFullBlocks(blocks: readonly BlockCount[]): number {
  return blocks.filter(({ marks }) => marks >= FULL_MARKS).length;
}

/**
 * Blocks that have nearly the same count: more nearly than chance allows. The windows move over all counts,
 * because ordinary traffic may lie below the scan.
 */
function countLevelBlocks(blocks: readonly BlockCount[]): number {
  const sorted = blocks.map(({ count }) => count);
  /** Marks in all blocks before this one. */
  const marksBefore = [0];
  for (const { marks } of blocks) marksBefore.push(marksBefore.at(-1)! + marks);
  let most = 0;
  for (let at = 0; at < sorted.length; at = indexAbove(sorted, sorted[at]!)) {
    const center = sorted[at]!;
    if (center < EVEN_COUNT_MIN) continue;
    // In a random part of a block, not of an endless one.
    const deviation = Math.sqrt(center * Math.max(0, 1 - center / BLOCK_NUMBERS));
    const core = Math.max(1, EVEN_CORE * deviation);
    const frame = Math.max(2, EVEN_FRAME * deviation);
    const inCore = indexAbove(sorted, center + core) - indexFrom(sorted, center - core);
    const [first, end] = [indexFrom(sorted, center - frame), indexAbove(sorted, center + frame)];
    const inFrame = end - first;
    if (inFrame < EVEN_BLOCKS_MIN || inFrame <= most) continue;
    const chance = EVEN_SIGMAS * Math.sqrt((EVEN_SHARE_RANDOM * (1 - EVEN_SHARE_RANDOM)) / inFrame);
    if (inCore / inFrame < Math.max(EVEN_SHARE_MIN, EVEN_SHARE_RANDOM + chance)) continue;
    // The same few numbers over and over have level counts too, but few marks.
    const expected = (inFrame * center * MARKS) / BLOCK_NUMBERS;
    const marks = marksBefore[end]! - marksBefore[first]!;
    if (expected >= EVEN_MARKS_MIN && marks >= expected / 2) most = inFrame;
  }
  return most;
}

/**
 * Blocks of prefixes in which fewer numbers share a block than in a random list: a scan with a wide step takes
 * one block after the other.
 */
function countSpreadBlocks(blocks: readonly BlockCount[], scale: number): number {
  const prefixes = new Map<number, { numbers: number; pairs: number; blocks: number }>();
  for (const { block, count } of blocks) {
    const prefix = Math.floor(block / PREFIX_BLOCKS);
    const sum = prefixes.get(prefix) ?? { numbers: 0, pairs: 0, blocks: 0 };
    prefixes.set(prefix, sum);
    sum.numbers += count;
    sum.pairs += (count * (count - 1)) / 2;
    sum.blocks++;
  }
  let count = 0;
  for (const { numbers, pairs, blocks: used } of prefixes.values()) {
    // With fewer blocks in use than the prefix has, a random list has more pairs than this.
    const perBlock = (numbers * scale) / PREFIX_BLOCKS;
    const expected = (numbers * perBlock) / 2;
    if (expected < EXPECTED_PAIRS_MIN) continue;
    const deviation = Math.sqrt(expected * (1 + 2 * perBlock));
    const absent = Math.max(ABSENT_PAIRS_SHARE * expected, ABSENT_PAIRS_SIGMAS * deviation);
    if (pairs < expected - absent) count += used;
  }
  return count;
}

/** Different numbers in unallocated blocks, at least; 0 if too few or too small a share. */
function countUnallocated(blocks: readonly BlockCount[]): number {
  const unused = blocks.filter(({ block }) => isUnallocatedBlock(block));
  const all = sumOf(blocks.map(({ count }) => count));
  const unallocated = sumOf(unused.map(({ count }) => count));
  const marks = sumOf(unused.map((block) => block.marks));
  const different = Math.min(unallocated, Math.max(unused.length, (marks * BLOCK_NUMBERS) / MARKS / 2));
  return different >= UNALLOCATED_MIN && unallocated >= all * UNALLOCATED_SHARE_MIN
    ? Math.round(different)
    : 0;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Bits set in 32. */
function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Index of the first value that is at least this. */
function indexFrom(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first value above this whole or half number. */
function indexAbove(sorted: readonly number[], value: number): number {
  return indexFrom(sorted, Math.floor(value) + 1);
}
