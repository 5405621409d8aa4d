/**
 * The operator's canary texts: legitimate texts that a text release must not hit, such as one-time codes, notices of deliveries
 * and card approvals. They are scored on this machine. Only their counts go into the manifest.
 */
import { readFileSync, statSync } from 'node:fs';
import { CANARY_FILE_BYTES_MAX, CANARY_TEXTS_MAX, TEXT_CHARS_MAX } from '../../shared/limits/text.ts';
import { analyseText } from '../../shared/text/analyse-text.ts';
import type { PublishedText } from '../../shared/text/published.ts';
import type { TextManifest } from '../../shared/text/text-manifest.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { shellWord } from '../terminal/shell-word.ts';

export type CanaryCounts = NonNullable<TextManifest['canaryTexts']>;

/** Counts, and the lines of the texts that were hit. The texts themselves are never included. */
export interface CanaryResult {
  readonly counts: CanaryCounts;
  /** Lines of the file, from 1. */
  readonly hitLines: readonly number[];
}

interface CanaryText {
  readonly text: string;
  readonly line: number;
}

/** @param path file of texts, one per line; in `.ndjson` and `.jsonl` files, objects with "text" */
export function readCanaryTexts(path: string): CanaryText[] {
  const lines = contentOf(path).split(/\r?\n/);
  const isJson = /\.(?:ndjson|jsonl)$/i.test(path);
  const texts: CanaryText[] = [];
  lines.forEach((line, index) => {
    if (line.trim() === '') return;
    const at = { path, line: index + 1 };
    const text = isJson ? textIn(line, at) : line;
    checkText(text, `${path}, line ${at.line}: the text`);
    texts.push({ text, line: at.line });
  });
  if (texts.length === 0) throw new CommandFailure(`${path}: has no text: write one text per line`);
  if (texts.length > CANARY_TEXTS_MAX)
    throw new CommandFailure(
      `${path}: ${count(texts.length)} texts, more than ${count(CANARY_TEXTS_MAX)}: take a sample of them`,
    );
  return texts;
}

/** @param published without a key, so that no campaign is looked up: campaigns change without a release */
export function scoreCanaryTexts(texts: readonly CanaryText[], published: PublishedText): CanaryResult {
  const counts = { texts: texts.length, blocked: 0, suspicious: 0 };
  const hitLines: number[] = [];
  for (const { text, line } of texts) {
    const { hosts, band } = analyseText(text, published, 0);
    const isBlocked = hosts.some(({ effect }) => effect === 'block');
    if (isBlocked) counts.blocked++;
    else if (band === 'suspicious') counts.suspicious++;
    else continue;
    hitLines.push(line);
  }
  return { counts, hitLines };
}

/** @param what the subject of the message @throws CommandFailure on a text that no check accepts */
export function checkText(text: string, what: string): void {
  if (text.length > TEXT_CHARS_MAX)
    throw new CommandFailure(
      `${what} has ${count(text.length)} characters; a check takes at most ${count(TEXT_CHARS_MAX)}`,
    );
  if (!text.isWellFormed())
    throw new CommandFailure(`${what} has half of a surrogate pair: write it in UTF-8 again`);
}

function contentOf(path: string): string {
  let bytes: Buffer;
  try {
    if (statSync(path).size > CANARY_FILE_BYTES_MAX)
      throw new CommandFailure(
        `${path}: is larger than ${count(CANARY_FILE_BYTES_MAX)} bytes: take a sample of the texts`,
      );
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
  return decodeUtf8(bytes, path);
}

/** @param path null for standard input @throws CommandFailure on text in another encoding, such as CP949 */
export function decodeUtf8(bytes: Uint8Array, path: string | null): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const file = path === null ? '' : ` ${shellWord(path)} > utf8.txt`;
    throw new CommandFailure(
      `${path ?? 'standard input'}: is not UTF-8: convert it first, as in iconv -f cp949 -t utf-8${file}`,
    );
  }
}

function textIn(line: string, at: { readonly path: string; readonly line: number }): string {
  try {
    const { text } = JSON.parse(line) as { text?: unknown };
    if (typeof text === 'string') return text;
  } catch {
    // Fails below, with the same message as for an object without a text.
  }
  throw new CommandFailure(`${at.path}, line ${at.line}: is not a JSON object with "text"`);
}
