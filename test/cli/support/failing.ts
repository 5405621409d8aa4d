/** Catches the failure of a command. */
import { expect } from 'vitest';
import { CommandFailure } from '../../../cli/failure.ts';

/** Returns the failure that the work throws. Any other result fails the test. */
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
