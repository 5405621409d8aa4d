/**
 * Records the texts that a model learnt from, in its folder: the smallest hashes of each text's 6-grams, so that an evaluation
 * leaves out these texts and their near-duplicates. Anybody with the file can test whether a guessed text is among them, so it
 * is private, like everything that the command line writes.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../../shared/text/text.ts';
import { CommandFailure } from '../failure.ts';
import type { LabelledText } from './labelled-text.ts';
import { gramsOf, nearDuplicates, sketchesAreSimilar, sketchOf } from './near-duplicates.ts';
import { Rows } from './rows.ts';

/** For each text, the number of its hashes and the hashes, as words of 32 bits, little-endian. */
const FILE = 'trained-on.bin';

export function writeTrainedOn(folder: string, texts: readonly LabelledText[]): void {
  const parts = texts.map((text) => {
    const sketch = sketchOfText(text);
    return Buffer.from(Uint32Array.of(sketch.length, ...sketch).buffer);
  });
  writeFileSync(join(folder, FILE), Buffer.concat(parts));
}

/**
 * The texts that are neither texts that the model of this folder learnt from, nor near-duplicates of such texts. All texts, if
 * the folder does not show what the model learnt from.
 */
export function notTrainedOn(folder: string, texts: readonly LabelledText[]): LabelledText[] {
  const path = join(folder, FILE);
  if (!existsSync(path)) return [...texts];
  const rows = readRows(path);
  const learnt = rows.count;
  for (const text of texts) rows.add(sketchOfText(text));
  const groups = nearDuplicates(rows, [], sketchesAreSimilar);
  // If a group has a text that the model learnt from, its first text is such a text.
  return texts.filter((_, at) => groups[learnt + at]! >= learnt);
}

function readRows(path: string): Rows {
  const bytes = new Uint8Array(readFileSync(path));
  const damaged = new CommandFailure(`${path}: is damaged: train the model again`);
  if (bytes.length % 4 !== 0) throw damaged;
  const words = new Uint32Array(bytes.buffer);
  const rows = new Rows();
  for (let at = 0; at < words.length; ) {
    const end = at + 1 + words[at]!;
    if (end > words.length) throw damaged;
    rows.add(words.subarray(at + 1, end));
    at = end;
  }
  return rows;
}

function sketchOfText({ text }: LabelledText): Uint32Array {
  return sketchOf(gramsOf(readText(text).letters));
}
