/**
 * What all isolates must agree on to look at the same numbers, derived from LIST_KEY: which blocks are kept
 * when a sketch is full, and which numbers of a block are marked. Without the key, nobody can avoid them, and a
 * mark does not identify a number.
 */
import { BLOCK_NUMBERS } from '../numbers/blocks.ts';

/** Marked numbers in each block. A mark is 1 to MARKS, its bit in the sketch plus one. */
export const MARKS = 64;

export interface ScanKey {
  readonly seed: number;
  /** By place in a block, after a shift that depends on the block: its mark, or 0. */
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

/** 32 bits that depend on the block and the seed. @param block the low 32 bits of a block are enough */
export function hashOfBlock(block: number, seed: number): number {
  return mix((block | 0) ^ seed);
}

/** A bijection of 32 bits. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
