/**
 * How much of the numbering plans a range covers: whole blocks of Korea's plan, and ranges whose prefix is
 * shorter than that of any one network.
 *
 * In Korea, only valid numbers count. Unused parts of the plan may be listed whole, as
 * `data/kr-unallocated.csv` does. The tables are built on first use, in some 20 ms.
 */
import { callingCodeOf } from './calling-codes.ts';
import { digitCountOf, POW10 } from './number.ts';
import { KR_CODE, KR_NSN_DIGITS_MAX, type KrClass, krClassOf, krClassOfNational } from './plan.ts';
import { cover, overlaps, type Span } from './spans.ts';

/** Size of an allocated block. */
export const BLOCK_NUMBERS = 10_000;
/** From this count on, a block counts as whole: a few numbers already listed make no difference. */
export const BLOCK_FILLED_MIN = 9_000;
/** Digits that a range must fix after a calling code, or after a Korean area or service code. */
const FIXED_DIGITS = 2;
/** Digits after +82 that decide a class, besides the length; and the minimum number of digits there. */
const CLASS_DIGITS = 5;
const NSN_DIGITS_MIN = 4;
/** 010-0000 to 010-1999: unused, although the plan has no row for this. See data/README.md. */
const UNUSED_FROM = 82_10_0000_0000;
const UNUSED_TO = 82_10_1999_9999;
/** In numbers with at least eight digits after +82, each block has one class. */
const WHOLE_BLOCKS_FROM = 82_0000_0000;

/** Numbers of one length with one Korean area or service code. */
interface CodeSpan extends Span {
  readonly code: number;
  /** Size of the widest range that fixes enough digits. */
  readonly widest: number;
}

interface Tables {
  readonly codes: readonly CodeSpan[];
  /** Blocks that contain a valid number, joined where they touch. */
  readonly blocks: readonly Span[];
}

let tables: Tables | null = null;

function makeTables(): Tables {
  const codes: CodeSpan[] = [];
  for (let length = NSN_DIGITS_MIN; length <= KR_NSN_DIGITS_MAX; length++) {
    const digits = Math.min(length, CLASS_DIGITS);
    const width = POW10[length - digits]!;
    for (let first = 0; first < POW10[digits]!; first++) {
      const krClass = krClassOfNational(first * width, length);
      const from = KR_CODE * POW10[length]! + first * width;
      const to = from + width - 1;
      if (krClass === 'unknown' || (from >= UNUSED_FROM && to <= UNUSED_TO)) continue;
      const codeDigits = codeDigitsOf(krClass, Math.floor(first / POW10[digits - 1]!));
      const code = Math.floor(first / POW10[digits - codeDigits]!);
      const widest = POW10[Math.max(0, length - codeDigits - FIXED_DIGITS)]!;
      const last = codes.at(-1);
      if (last?.code === code && last.to + 1 === from) codes[codes.length - 1] = { ...last, to };
      else codes.push({ from, to, code, widest });
    }
  }
  const blocks = codes.map(({ from, to }) => ({
    from: from - (from % BLOCK_NUMBERS),
    to: to - (to % BLOCK_NUMBERS) + BLOCK_NUMBERS - 1,
  }));
  return { codes, blocks: cover(blocks) };
}

/** Digits of the area or service code: one for 02, two for 031, 010 and 1588, five for 00308. */
function codeDigitsOf(krClass: KrClass, firstDigit: number): number {
  if (krClass === 'tollFreeInbound') return CLASS_DIGITS;
  return firstDigit === 2 ? 1 : 2;
}

/** Counts the Korean blocks with valid numbers that have at least BLOCK_FILLED_MIN numbers from `from` to `to`. */
export function countWholeBlocks(from: number, to: number): number {
  tables ??= makeTables();
  // A block is still whole if at most this many numbers are cut off.
  const slack = BLOCK_NUMBERS - BLOCK_FILLED_MIN;
  let count = 0;
  for (const [, shared] of overlaps(tables.blocks, { from, to })) {
    const first = Math.ceil((shared.from - slack) / BLOCK_NUMBERS);
    const end = Math.floor((shared.to + 1 + slack) / BLOCK_NUMBERS);
    const isCutTwice = end - first === 1 && shared.to - shared.from + 1 < BLOCK_FILLED_MIN;
    count += isCutTwice ? 0 : Math.max(0, end - first);
  }
  return count;
}

/**
 * Whether the plan has no numbers in a Korean block. False for other countries, and for numbers too short to
 * have whole blocks. @param block a number div BLOCK_NUMBERS
 */
export function isUnallocatedBlock(block: number): boolean {
  const from = block * BLOCK_NUMBERS;
  if (from < WHOLE_BLOCKS_FROM) return false;
  const krClass = krClassOf(from);
  return krClass === 'unknown' || (krClass !== null && from >= UNUSED_FROM && from <= UNUSED_TO);
}

/**
 * Whether the range from `from` to `to` has more numbers than a prefix of two digits after a calling code, or
 * in Korea after an area or service code. Each country and length is checked separately.
 */
export function isTooWide(from: number, to: number): boolean {
  tables ??= makeTables();
  for (let n = from; n <= to; ) {
    const code = callingCodeOf(n);
    const digits = digitCountOf(n);
    // In an unassigned range, another country may begin at the next three digits.
    const prefixDigits = code === 0 ? Math.min(digits, 3) : digitCountOf(code);
    const scale = POW10[digits - prefixDigits]!;
    const last = Math.min(to, (Math.floor(n / scale) + 1) * scale - 1);
    if (code === KR_CODE) {
      for (const [{ widest }, shared] of overlaps(tables.codes, { from: n, to: last })) {
        if (shared.to - shared.from + 1 > widest) return true;
      }
    } else if (code !== 0) {
      const widest = POW10[Math.max(0, digits - prefixDigits - FIXED_DIGITS)]!;
      if (last - n + 1 > widest) return true;
    }
    n = last + 1;
  }
  return false;
}
