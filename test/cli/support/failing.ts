/**
 * What a command says when it ends badly.
 */
import { expect } from 'vitest';
import { CommandFailure } from '../../../cli/failure.ts';

/** The failure that the work ends with; anything else fails the test. */
export async function failureOf(work: () => unknown): Promise<CommandFailure> {
  let thrown: unknown = null;
  try {
    await work();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CommandFailure);
  return thrown as CommandFailure;
}
