/**
 * Digests of the texts that a model learnt from, beside it in its folder: an evaluation leaves these texts out. Who has the
 * file can test whether a guessed text is among them, so it is private, as everything that the command line writes.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailure } from '../failure.ts';
import type { LabelledText } from './labelled-text.ts';

const FILE = 'trained-on.bin';
/** Of a digest. */
const BYTES = 8;

export function writeTrainedOn(folder: string, texts: readonly LabelledText[]): void {
  const digests = BigUint64Array.from(texts, digestOf).sort();
  writeFileSync(join(folder, FILE), new Uint8Array(digests.buffer));
}

/** The texts that the model of this folder did not learn from: all of them, if the folder does not show which it did. */
export function notTrainedOn(folder: string, texts: readonly LabelledText[]): LabelledText[] {
  const path = join(folder, FILE);
  if (!existsSync(path)) return [...texts];
  const bytes = new Uint8Array(readFileSync(path));
  if (bytes.length % BYTES !== 0) throw new CommandFailure(`${path}: is damaged: train the model again`);
  const known = new Set(new BigUint64Array(bytes.buffer));
  return texts.filter((text) => !known.has(digestOf(text)));
}

function digestOf({ text }: LabelledText): bigint {
  return createHash('sha256').update(text.trim()).digest().readBigUInt64LE();
}
