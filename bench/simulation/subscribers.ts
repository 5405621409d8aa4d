/**
 * Subscribers of 010 and of a region's fixed network for simulations. A seed decides which numbers are in use.
 * Between 40 and 95 % of a block's numbers are in use.
 */
import { BLOCK_NUMBERS } from '../../shared/numbers/blocks.ts';

/** 010-2000-0000, the first number in use, and how many numbers follow up to the end of 010. */
export const MOBILE_FROM = 82_10_2000_0000;
export const MOBILE_COUNT = 80_000_000;
/** 031-700-0000 to 031-799-9999: 100 exchanges. */
const REGION_FROM = 82_31_700_0000;
const REGION_COUNT = 1_000_000;

/** Minimum and maximum share of a block's numbers that are in use. */
const USED_MIN = 0.4;
const USED_MAX = 0.95;

export type Random = () => number;

export class Subscribers {
  readonly #random: Random;
  readonly #seed: number;

  /** @param random returns values from 0 to below 1 */
  constructor(random: Random) {
    this.#random = random;
    this.#seed = Math.floor(random() * 2 ** 32);
  }

  isUsed(n: number): boolean {
    const used = USED_MIN + (USED_MAX - USED_MIN) * this.#shareOf(Math.floor(n / BLOCK_NUMBERS));
    return this.#shareOf(n + 0.5) < used;
  }

  mobile(): number {
    return this.#draw(MOBILE_FROM, MOBILE_COUNT);
  }

  /** A subscriber of the region's fixed network. */
  fixed(): number {
    return this.#draw(REGION_FROM, REGION_COUNT);
  }

  list(count: number, draw: () => number = () => this.mobile()): number[] {
    return Array.from({ length: count }, draw);
  }

  /** All subscribers that one operator serves in its own blocks: one in `blocks` blocks, and 60 % of the numbers of each. */
  *operatorBase(blocks: number): Generator<number> {
    for (let n = MOBILE_FROM; n < MOBILE_FROM + MOBILE_COUNT; n += BLOCK_NUMBERS * blocks) {
      for (let place = 0; place < BLOCK_NUMBERS; place++) if (this.#shareOf(n + place) < 0.6) yield n + place;
    }
  }

  #draw(from: number, count: number): number {
    for (;;) {
      const n = from + Math.floor(this.#random() * count);
      if (this.isUsed(n)) return n;
    }
  }

  /** Maps a value to a fixed share from 0 to 1. */
  #shareOf(value: number): number {
    let h = Math.imul(Math.floor(value * 2) ^ this.#seed, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  }
}
