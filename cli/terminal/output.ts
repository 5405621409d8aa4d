/** Writes to standard output and records whether anything was written. */

let written = false;

/** Whether anything was written. If so, an error object must not follow it. */
export function hasWritten(): boolean {
  return written;
}

/** @returns whether you may write more at once */
export function write(text: string): boolean {
  written = true;
  return process.stdout.write(text);
}

/** Writes one of many lines, no faster than the reader consumes them. */
export async function writeLine(line: string): Promise<void> {
  if (!write(`${line}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}
