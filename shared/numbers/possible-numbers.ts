/**
 * Collects the numbers that a text can mean, without allocation: nearly every text has one.
 */
import { isAssigned } from './calling-codes.ts';
import type { NumberParty, ParsedParty } from './party.ts';
import { isEmergencyNumber, krClassOf } from './plan.ts';
import { isValidNumber } from './validity.ts';

/** A Korean number as dialled, a number after 00, and an international and a Korean number after a carrier prefix. */
const POSSIBLE_NUMBERS_MAX = 4;

export class PossibleNumbers {
  readonly #ns = new Float64Array(POSSIBLE_NUMBERS_MAX);
  readonly #carrierPrefixes: (string | null)[] = new Array(POSSIBLE_NUMBERS_MAX).fill(null);
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  /** Adds a valid number or an emergency number, once. */
  add(n: number, carrierPrefix: string | null): void {
    if (!isValidNumber(n) && !isEmergencyNumber(n)) return;
    for (let index = 0; index < this.#count; index++) if (this.#ns[index] === n) return;
    this.#ns[this.#count] = n;
    this.#carrierPrefixes[this.#count++] = carrierPrefix;
  }

  /**
   * Returns the number, several as `ambiguous`, or null if there is none. If some are in ranges known to be
   * assigned, the others are dropped.
   */
  settle(): ParsedParty | null {
    if (this.#count === 0) return null;
    if (this.#count === 1) return this.#at(0);
    const all = Array.from({ length: this.#count }, (_, index) => this.#at(index));
    const assigned = all.filter(({ n }) => krClassOf(n) !== null || isAssigned(n));
    const readings = assigned.length === 0 ? all : assigned;
    return readings.length === 1 ? readings[0]! : { kind: 'ambiguous', readings };
  }

  #at(index: number): NumberParty {
    return { kind: 'number', n: this.#ns[index]!, carrierPrefix: this.#carrierPrefixes[index]! };
  }
}
