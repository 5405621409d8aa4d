/** Reads one text, from a file or standard input, because shells and process lists would show it on a command line. */
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { CommandFailure, describeFileError } from '../failure.ts';
import { INPUT } from '../terminal/input.ts';
import { note } from '../terminal/output.ts';
import { checkText, decodeUtf8 } from './canary-texts.ts';

/** @param path undefined or `-` for standard input @returns the text without the line break at its end */
export async function readOneText(path: string | undefined): Promise<string> {
  const text = decodeUtf8(await bytesOf(path), path === INPUT ? null : (path ?? null)).replace(/\r?\n$/, '');
  if (text.trim() === '') throw new CommandFailure('the text is empty', 2);
  checkText(text, 'the text');
  return text;
}

async function bytesOf(path: string | undefined): Promise<Uint8Array> {
  if (path === undefined || path === INPUT) {
    if (process.stdin.isTTY) note('write the text, then press Ctrl-D:\n');
    return buffer(process.stdin);
  }
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}
