/** Listed numbers, and random numbers to check against the list, as people write them. */
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { BenchOptions } from './options.ts';
import { FIRST_SUFFIX, flipSuffix, formatPlace, hasSuffix, randomFrom } from './random-lists.ts';

export interface SampleNumber {
  readonly number: string;
  readonly listed: boolean;
}

export class SampleNumbers {
  /** The listed numbers, each once. */
  readonly listed: string[] = [];
  readonly #options: BenchOptions;
  readonly #random: () => number;
  readonly #bits: Uint8Array;

  /** @param count how many numbers are listed */
  constructor(count: number, options: BenchOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
    this.#bits = new Uint8Array((options.prefixes * SUFFIX_COUNT) / 8);
    while (this.listed.length < count) {
      const place = this.#randomUnlisted();
      flipSuffix(this.#bits, place);
      this.listed.push(formatPlace(place));
    }
  }

  /** Draws random numbers. The share `hits` of them is listed. */
  draw(count: number): SampleNumber[] {
    return Array.from({ length: count }, () =>
      this.#random() < this.#options.hits * 2 ** 32
        ? { number: this.listed[this.#random() % this.listed.length]!, listed: true }
        : { number: formatPlace(this.#randomUnlisted()), listed: false },
    );
  }

  #randomUnlisted(): number {
    for (;;) {
      const index = this.#options.prefixes === 1 ? 0 : this.#random() % this.#options.prefixes;
      const suffix = FIRST_SUFFIX + (this.#random() % (SUFFIX_COUNT - FIRST_SUFFIX));
      const place = index * SUFFIX_COUNT + suffix;
      if (!hasSuffix(this.#bits, place)) return place;
    }
  }
}
