/**
 * Recognises scans in the merged sketch of an organisation. Each rule is a property of numbers from a program that
 * counts, which numbers from a list of customers do not have, in whatever order and however often either is checked.
 * docs/threats.md says what no rule can find. `npm run bench -- access` prints how often each attack is found, and
 * how often ordinary traffic is mistaken for an attack.
 */
import { BLOCK_NUMBERS, isUnallocatedBlock } from '../numbers/blocks.ts';
import { MARKS } from './scan-key.ts';
import { ENTRY_WORDS, type ScanData } from './scan-sketch.ts';

/**
 * Marks of a full block. Two may be absent, because a scan may skip some numbers. If an operator serves 60 % of a
 * block, a message to all its subscribers there sets 62 of 64 marks once in 10^11.
 */
const FULL_MARKS = MARKS - 2;
/** Numbers in runs, per day. A company's own extensions, 1,000 in a row, may be checked several times a day. */
const STEPS_MIN = 10_000;

/**
 * Minima for blocks with nearly the same count. Below 8 numbers a block, counts are alike by chance, and
 * EXPECTED_PAIRS_MIN decides instead.
 */
const EVEN_COUNT_MIN = 8;
const EVEN_BLOCKS_MIN = 12;
/** Half widths of the two windows around a count: the core and the frame. In standard deviations of a random list. */
const EVEN_CORE = 0.5;
const EVEN_FRAME = 2;
/** Share of the blocks in the frame that are in the core: 0.40 for a random list, more for a scan. */
const EVEN_SHARE_RANDOM = 0.42;
const EVEN_SHARE_MIN = 0.65;
/** Standard deviations by which the share must exceed EVEN_SHARE_RANDOM. */
const EVEN_SIGMAS = 4;
/** Marks that the numbers in the frame must set if all are different. With fewer, repeats cannot be recognised. */
const EVEN_MARKS_MIN = 12;

/** Blocks of one prefix (10^8 numbers). */
const PREFIX_BLOCKS = 10_000;
/** Pairs of numbers in one block that a random list must be expected to have, so that their absence means a scan. */
const EXPECTED_PAIRS_MIN = 100;
/** How many pairs must be absent: both as a share of the expected pairs, and in standard deviations. */
const ABSENT_PAIRS_SHARE = 0.1;
const ABSENT_PAIRS_SIGMAS = 5;

/** Distinct numbers in unallocated blocks, and their share of all numbers. Typing errors are fewer. */
const UNALLOCATED_MIN = 200;
const UNALLOCATED_SHARE_MIN = 0.1;

/** Distinct canary numbers. A single one may be a typing error. */
const CANARIES_MIN = 3;
/** Multiple of the declared volume that may be checked. */
const VOLUME_FACTOR = 2;

/** Kinds of scans, in the order in which `detect` returns them: surest first. */
export const SCAN_KINDS = ['canaries', 'fullBlocks', 'steps', 'evenBlocks', 'unallocated', 'volume'] as const;
export type ScanKind = (typeof SCAN_KINDS)[number];

export interface Detection {
  readonly kind: ScanKind;
  /** Count of numbers, or of blocks for `fullBlocks` and `evenBlocks`. An estimate if blocks were dropped. */
  readonly count: number;
}

/** The checks of all clients of one organisation in a period. */
export interface ScanWindow {
  readonly sketch: ScanData;
  /** Days that the sketch covers. */
  readonly days: number;
  /** The declared volume, in numbers a day; null if the organisation declared none. */
  readonly declaredNumbers: number | null;
}

/** A block, the count of checks of its numbers, and how many of its marks were seen. */
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

/** Returns the blocks in ascending order of count. */
function blocksOf({ entries }: ScanData): BlockCount[] {
  const blocks: BlockCount[] = [];
  for (let at = 0; at < entries.length; at += ENTRY_WORDS) {
    const [block, count, low, high] = entries.subarray(at, at + ENTRY_WORDS);
    blocks.push({ block: block! >>> 0, count: count! >>> 0, marks: bitsIn(low!) + bitsIn(high!) });
  }
  return blocks.sort((a, b) => a.count - b.count);
}

/** Counts full blocks. No customer list has all numbers of a block, because some numbers always have no subscriber. */
function countFullBlocks(blocks: readonly BlockCount[]): number {
  return blocks.filter(({ marks }) => marks >= FULL_MARKS).length;
}

/**
 * Counts blocks whose counts are more alike than chance allows. The windows move over all counts, because the counts
 * of ordinary traffic may be lower than those of the scan.
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
    // A block is finite: the variance is that of a random part of its numbers.
    const deviation = Math.sqrt(center * Math.max(0, 1 - center / BLOCK_NUMBERS));
    const core = Math.max(1, EVEN_CORE * deviation);
    const frame = Math.max(2, EVEN_FRAME * deviation);
    const inCore = indexAbove(sorted, center + core) - indexFrom(sorted, center - core);
    const [first, end] = [indexFrom(sorted, center - frame), indexAbove(sorted, center + frame)];
    const inFrame = end - first;
    if (inFrame < EVEN_BLOCKS_MIN || inFrame <= most) continue;
    const chance = EVEN_SIGMAS * Math.sqrt((EVEN_SHARE_RANDOM * (1 - EVEN_SHARE_RANDOM)) / inFrame);
    if (inCore / inFrame < Math.max(EVEN_SHARE_MIN, EVEN_SHARE_RANDOM + chance)) continue;
    // The same few numbers, checked over and over, have level counts too, but set few marks.
    const expected = (inFrame * center * MARKS) / BLOCK_NUMBERS;
    const marks = marksBefore[end]! - marksBefore[first]!;
    if (expected >= EVEN_MARKS_MIN && marks >= expected / 2) most = inFrame;
  }
  return most;
}

/**
 * Counts the blocks of prefixes in which fewer numbers share a block than in a random list. A scan with a wide step
 * moves from one block to the next.
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
    // A random list over fewer blocks than the whole prefix has even more pairs than this.
    const perBlock = (numbers * scale) / PREFIX_BLOCKS;
    const expected = (numbers * perBlock) / 2;
    if (expected < EXPECTED_PAIRS_MIN) continue;
    const deviation = Math.sqrt(expected * (1 + 2 * perBlock));
    const absent = Math.max(ABSENT_PAIRS_SHARE * expected, ABSENT_PAIRS_SIGMAS * deviation);
    if (pairs < expected - absent) count += used;
  }
  return count;
}

/** Returns a lower bound for the distinct numbers in unallocated blocks; 0 if they are too few or too small a share. */
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

/** Counts the set bits of a 32-bit word. */
function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Returns the index of the first value that is at least `value`. */
function indexFrom(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Returns the index of the first value above `value`. */
function indexAbove(sorted: readonly number[], value: number): number {
  return indexFrom(sorted, Math.floor(value) + 1);
}
