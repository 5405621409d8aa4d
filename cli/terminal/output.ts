/**
 * The only place that writes to the terminal. Results go to standard output: text for people, or one JSON
 * object with `--json`. Progress and errors go to standard error. Invisible characters are escaped in both.
 */
import { visible } from './visible.ts';

let written = false;

/** Reads the arguments without commander, so that it also works for an invalid command line. */
function isJson(): boolean {
  return process.argv.includes('--json');
}

/** Prints the text, or the value with `--json`. */
export function print(text: string, value: object): void {
  write(isJson() ? `${visible(JSON.stringify(value))}\n` : text);
}

/** Prints a part of a result as soon as it is known. With `--json`, `print` shows the whole at the end. */
export function printPart(text: string): void {
  if (!isJson()) write(text);
}

/** With `--json`, prints the error, unless a result or a part of one was printed. */
export function printError(error: object): void {
  if (isJson() && !written) print('', { error });
}

/** Writes one of many lines of JSON, no faster than the reader consumes them. */
export async function writeLine(line: string): Promise<void> {
  if (!write(`${visible(line)}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}

/** Writes to standard error: progress, warnings and errors. */
export function note(text: string): void {
  process.stderr.write(visibleLines(text));
}

/** @returns whether you may write more at once */
export function write(text: string): boolean {
  written = true;
  return process.stdout.write(visibleLines(text));
}

/** Escapes everything in a text except its own line breaks and colours. */
function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** Text and object of one result, the arguments of `print`. */
export type Report<Value extends object = object> = [text: string, value: Value];
