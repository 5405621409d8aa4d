/** Reads a JSON file that an admin wrote. Errors name its path. */
import { readFileSync } from 'node:fs';
import { CommandFailure, describeFileError } from '../failure.ts';

export function readJsonFile(path: string): unknown {
  try {
    // Some editors write a byte order mark first.
    return JSON.parse(readFileSync(path, 'utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}
