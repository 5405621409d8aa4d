/** Reads a JSON file that an admin wrote. Errors name its path. */
import { readFileSync } from 'node:fs';
import { repeatedName } from '../../shared/repeated-name.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { visible } from '../terminal/visible.ts';

export function readJsonFile(path: string): unknown {
  try {
    // Some editors write a byte order mark first.
    const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
    const value: unknown = JSON.parse(text);
    const repeated = repeatedName(text);
    if (repeated === null) return value;
    throw new CommandFailure(`${path}: an object has "${repeated}" twice: keep one of them`);
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    if (error instanceof SyntaxError)
      throw new CommandFailure(`${path}: is not JSON: ${visible(error.message)}`);
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}
