/** Writes results to standard output: text for people, or one JSON object with `--json`. */

let written = false;

/** Not from commander, so that it also holds for an invalid command line. */
function isJson(): boolean {
  return process.argv.includes('--json');
}

/** Prints the text, or the value with `--json`. */
export function print(text: string, value: object): void {
  write(isJson() ? `${JSON.stringify(value)}\n` : text);
}

/** With `--json`, prints the error, unless a result or a part of one was printed. */
export function printError(error: object): void {
  if (isJson() && !written) print('', { error });
}

/** Writes one of many lines, no faster than the reader consumes them. */
export async function writeLine(line: string): Promise<void> {
  if (!write(`${line}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}

/** @returns whether you may write more at once */
function write(text: string): boolean {
  written = true;
  return process.stdout.write(text);
}

/** Text and object of one result, as `print` takes them. */
export type Report<Value extends object = object> = [text: string, value: Value];
