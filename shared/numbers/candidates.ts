/**
 * Collects the numbers that a text can mean. Nearly every text has one, so nothing but that one is allocated.
 */
import { isAssigned } from './calling-codes.ts';
import type { NumberParty, ParsedParty } from './party.ts';
import { isEmergencyNumber, krClassOf } from './plan.ts';
import { isValidNumber } from './validity.ts';

export class Candidates {
  readonly #parties: NumberParty[] = [];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  /** Adds a valid number once. */
  add(n: number, carrierPrefix: string | null): void {
    if (!isValidNumber(n) && !isEmergencyNumber(n)) return;
    for (let index = 0; index < this.#count; index++) if (this.#parties[index]!.n === n) return;
    this.#parties[this.#count++] = { kind: 'number', n, carrierPrefix };
  }

  /**
   * Returns the number, several as `ambiguous`, or null if there is none. If some are in ranges known to be
   * assigned, the others are dropped.
   */
  settle(): ParsedParty | null {
    if (this.#count < 2) return this.#count === 0 ? null : this.#parties[0]!;
    const all = this.#parties.slice(0, this.#count);
    const assigned = all.filter(({ n }) => krClassOf(n) !== null || isAssigned(n));
    const readings = assigned.length === 0 ? all : assigned;
    return readings.length === 1 ? readings[0]! : { kind: 'ambiguous', readings };
  }
}
