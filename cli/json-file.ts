/**
 * Reads a JSON file that an admin wrote; what is wrong with it is told with its path.
 */
import { readFileSync } from 'node:fs';
import { CommandFailure, whyNot } from './failure.ts';

export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CommandFailure(`${path}: ${whyNot(error)}`);
  }
}
