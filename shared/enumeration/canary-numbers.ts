/**
 * Canary numbers: allocated, but never given to a subscriber, so nobody has a reason to check them. The installation
 * chooses them. A client that checks several of them is enumerating numbers.
 */
import * as v from 'valibot';
import { CANARY_NUMBERS_MAX } from '../limits/enumeration.ts';
import { NUMBER_LIMIT } from '../numbers/number.ts';

const number = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(NUMBER_LIMIT - 1));

/** Distinct numbers, as integers. */
export const canaryNumbersSchema = v.pipe(
  v.array(number),
  v.maxLength(CANARY_NUMBERS_MAX, `must have at most ${CANARY_NUMBERS_MAX} numbers`),
  v.check((numbers) => new Set(numbers).size === numbers.length, 'must name each number once'),
);

/** Places of the filter, a power of two. For nearly every number that is no canary, one read settles it. */
const FILTER_PLACES = 16_384;

export class CanaryNumbers {
  static readonly NONE = new CanaryNumbers([]);
  readonly #numbers: ReadonlySet<number>;
  readonly #filter = new Uint8Array(FILTER_PLACES);

  constructor(numbers: readonly number[]) {
    this.#numbers = new Set(numbers);
    for (const n of numbers) this.#filter[n & (FILTER_PLACES - 1)] = 1;
  }

  get isEmpty(): boolean {
    return this.#numbers.size === 0;
  }

  has(n: number): boolean {
    return this.#filter[n & (FILTER_PLACES - 1)] === 1 && this.#numbers.has(n);
  }
}
