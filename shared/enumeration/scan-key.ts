/**
 * Values on which all isolates must agree, so that they look at the same numbers: which blocks a full sketch keeps,
 * and which numbers of a block are marked. They are derived from LIST_KEY. Without the key, nobody can avoid the marked
 * numbers, and a mark does not identify a number.
 */
import { BLOCK_NUMBERS } from '../numbers/blocks.ts';

/** Marked numbers in each block. A mark is 1 to MARKS: the position of its bit in the sketch, plus one. */
export const MARKS = 64;

export interface ScanKey {
  readonly seed: number;
  /** The mark of each place in a block, or 0. Places are shifted by an amount that depends on the block. */
  readonly marks: Uint8Array;
}

/** @param seed 32 secret bits */
export function scanKeyOf(seed: number): ScanKey {
  const marks = new Uint8Array(BLOCK_NUMBERS);
  for (let mark = 1, state = seed; mark <= MARKS; ) {
    state = mix(state + 0x9e3779b9);
    const place = (state >>> 0) % BLOCK_NUMBERS;
    if (marks[place] === 0) marks[place] = mark++;
  }
  return { seed, marks };
}

/** Hashes a block to 32 bits, with the seed as key. @param block the low 32 bits of a block are enough */
export function hashOfBlock(block: number, seed: number): number {
  return mix((block | 0) ^ seed);
}

/** A bijection of 32 bits. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
