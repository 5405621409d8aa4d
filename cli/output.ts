/**
 * Standard output: what a command gives, and whether it has given any.
 */

let written = false;

/** Whether anything was given: an error may not stand behind it. */
export function hasWritten(): boolean {
  return written;
}

/** @returns whether more may follow at once */
export function write(text: string): boolean {
  written = true;
  return process.stdout.write(text);
}

/** One of many lines, not faster than they are read. */
export async function writeLine(line: string): Promise<void> {
  if (!write(`${line}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}
