/**
 * The failure of a command.
 */
import { expect } from 'vitest';
import { CommandFailure } from '../../../cli/failure.ts';

/** The failure that the work throws. Anything else fails the test. */
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
