/**
 * Reads a JSON file that an admin wrote; what is wrong with it is told with its path.
 */
import { readFileSync } from 'node:fs';
import { CommandFailure, whyNot } from './failure.ts';

export function readJsonFile(path: string): unknown {
  try {
    // Some editors put a byte order mark in front.
    return JSON.parse(readFileSync(path, 'utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    throw new CommandFailure(`${path}: ${whyNot(error)}`);
  }
}
