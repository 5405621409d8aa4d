/**
 * Whether somebody can have a number at all, by the numbering plans of Korea and of the world.
 */
import { isPossible } from './calling-codes.ts';
import { krClassOf } from './plan.ts';

/**
 * Whether N can be somebody's number: in Korea a class of the plan, abroad leading digits and a length that the
 * country uses. False is proof that no subscriber has it; true is no proof that somebody does.
 */
export function isValidNumber(n: number): boolean {
  const krClass = krClassOf(n);
  return krClass === null ? isPossible(n) : krClass !== 'unknown';
}
