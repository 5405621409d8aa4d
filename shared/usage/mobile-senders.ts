/**
 * Texts by Korean mobile number, as an isolate counts them for one client until the next flush. This runs for every
 * number that is checked: it allocates nothing per number, and most texts of a campaign have the same sender.
 */
import { MOBILE_SENDERS_MAX } from '../limits/notice-sources.ts';
import { MOBILE_FIRST, MOBILE_LAST } from '../numbers/mobile-numbers.ts';
import type { ScreenRequest } from '../request.ts';
import type { Decision } from '../screening/decision.ts';

/** Slots of the table: a power of two, and at most half of them are used. */
const SLOTS = 2 * MOBILE_SENDERS_MAX;
/** An odd number near 2^32 divided by the golden ratio, so that neighbours are spread. */
const SPREAD = 0x9e3779b1;
const SHIFT = 32 - Math.log2(SLOTS);
/** Stands for no number. Not an integer, so that the engine stores a double from the start. */
const NO_NUMBER = 0.5;

/** Numbers with their texts. */
export type MobileSenderTexts = readonly (readonly [number: number, texts: number])[];

export class MobileSenders {
  /** Created for the first mobile sender, because most clients have none. 0 for an empty slot. */
  #numbers: Float64Array | null = null;
  #texts = new Float64Array(0);
  #size = 0;
  #lastNumber = NO_NUMBER;
  #lastSlot = 0;
  /** Texts of numbers that found no room. */
  #uncounted = 0;

  /** Counts a text that may go out: it has a recipient, was sent in Korea, and was not blocked. */
  count({ from, to, channel, ingress }: ScreenRequest, decision: Decision): void {
    if (from === null || from.kind !== 'number' || from.n < MOBILE_FIRST || from.n > MOBILE_LAST) return;
    if (to === null || ingress !== null || channel !== 'sms' || !mayGoOut(decision)) return;
    if (from.n === this.#lastNumber) this.#texts[this.#lastSlot]!++;
    else this.#countOther(from.n);
  }

  #countOther(n: number): void {
    const numbers = this.#numbers ?? this.#begin();
    let slot = (Math.imul(n % 0x1_0000_0000, SPREAD) >>> SHIFT) & (SLOTS - 1);
    while (numbers[slot] !== n) {
      if (numbers[slot] === 0) {
        if (this.#size === MOBILE_SENDERS_MAX) {
          this.#uncounted++;
          return;
        }
        numbers[slot] = n;
        this.#size++;
        break;
      }
      slot = (slot + 1) & (SLOTS - 1);
    }
    this.#texts[slot]!++;
    this.#lastNumber = n;
    this.#lastSlot = slot;
  }

  #begin(): Float64Array {
    this.#numbers = new Float64Array(SLOTS);
    this.#texts = new Float64Array(SLOTS);
    return this.#numbers;
  }

  get uncounted(): number {
    return this.#uncounted;
  }

  /** Takes the counts since the last call, in ascending order of the numbers; null if there are none. */
  take(): MobileSenderTexts | null {
    const numbers = this.#numbers;
    this.#uncounted = 0;
    if (numbers === null || this.#size === 0) return null;
    const taken: [number, number][] = [];
    numbers.forEach((n, slot) => {
      if (n !== 0) taken.push([n, this.#texts[slot]!]);
    });
    numbers.fill(0);
    this.#texts.fill(0);
    this.#size = 0;
    this.#lastNumber = NO_NUMBER;
    return taken.sort(([a], [b]) => a - b);
  }
}

/** Whether the verdict lets the client send the text. */
function mayGoOut({ verdict, action }: Decision): boolean {
  return verdict === 'allow' || verdict === 'label' || (verdict === 'indeterminate' && action === 'open');
}
