/**
 * Whether a number can exist under the numbering plans of Korea and the world.
 */
import { isPossible } from './calling-codes.ts';
import { krClassOf } from './plan.ts';

/**
 * Whether N can belong to a subscriber: in Korea, a class of the plan; abroad, leading digits and a length
 * that the country uses. False proves that no subscriber has it; true does not prove that one does.
 */
export function isValidNumber(n: number): boolean {
  const krClass = krClassOf(n);
  return krClass === null ? isPossible(n) : krClass !== 'unknown';
}
