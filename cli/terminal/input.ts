/** Reads standard input, which keeps numbers out of the command line and of whatever records it. */
import { text } from 'node:stream/consumers';
import { note } from './output.ts';

/** Stands for standard input in place of a file or a number. */
export const INPUT = '-';

/** The lines of standard input up to its end, trimmed. */
export async function linesOfInput(): Promise<string[]> {
  if (process.stdin.isTTY) note('write one number or source per line, then press Ctrl-D:\n');
  return (await text(process.stdin)).split('\n').map((line) => line.trim());
}
