/** Numbers on a list and requests about them, in the notation of senders, for the HTTP benchmarks. */
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import type { BenchOptions } from './options.ts';
import { randomFrom } from './sets.ts';

/** No subscriber has a number of 010 below this suffix. */
const FIRST_TAIL = 20_000_000;
/** The second prefix and all further ones are abroad, in +86, because Korea does not have enough. */
const ABROAD = 86_100;
/** A Set holds at most 2^24 values. */
const SET_BITS = 24;

export interface Asked {
  readonly number: string;
  readonly listed: boolean;
}

export class Questions {
  /** The listed numbers, each once. */
  readonly listed: string[] = [];
  readonly #heads: number;
  readonly #hits: number;
  readonly #random: () => number;
  /** Plain sets, by the upper bits of their members. */
  readonly #sets = new Map<number, Set<number>>();

  /** @param count how many numbers are listed */
  constructor(count: number, { seed, heads, hits }: BenchOptions) {
    this.#random = randomFrom(seed);
    this.#heads = heads;
    this.#hits = hits;
    while (this.listed.length < count) {
      const { index, number } = this.#draw();
      const set = this.#setOf(index);
      if (set.has(index)) continue;
      set.add(index);
      this.listed.push(number);
    }
  }

  /** Requests. The share `hits` of them is about listed numbers. */
  ask(count: number): Asked[] {
    return Array.from({ length: count }, () => {
      if (this.#random() < this.#hits * 2 ** 32)
        return { number: this.listed[this.#random() % this.listed.length]!, listed: true };
      for (;;) {
        const { index, number } = this.#draw();
        if (!this.#setOf(index).has(index)) return { number, listed: false };
      }
    });
  }

  #draw(): { index: number; number: string } {
    const head = this.#heads === 1 ? 0 : this.#random() % this.#heads;
    const tail = FIRST_TAIL + (this.#random() % (SUFFIX_COUNT - FIRST_TAIL));
    const number = head === 0 ? `010${tail}` : `+${ABROAD + head}${tail}`;
    return { index: head * SUFFIX_COUNT + tail, number };
  }

  #setOf(index: number): Set<number> {
    const upper = Math.floor(index / 2 ** SET_BITS);
    const set = this.#sets.get(upper) ?? new Set();
    this.#sets.set(upper, set);
    return set;
  }
}
