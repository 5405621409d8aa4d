/**
 * What could not be measured on this machine, in words: told at once, and beside the results.
 */

export const skipped: string[] = [];

export function skip(words: string): void {
  skipped.push(words);
  process.stderr.write(`${words}\n`);
}
