/**
 * Labelled texts as training needs them: each distinct text once, its features as buckets, and the group of
 * near-duplicates that it belongs to.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { featuresOf } from '../../shared/text/features.ts';
import { readText } from '../../shared/text/text.ts';
import type { LabelledText } from './labelled-text.ts';
import { gramsOf, nearDuplicates } from './near-duplicates.ts';
import { Rows } from './rows.ts';

/** Texts between two turns of the event loop, so that Ctrl-C ends the command at once. */
const TEXTS_PER_TURN = 500;

export interface Corpus {
  readonly texts: readonly LabelledText[];
  /** Buckets of the features of each text, with repetitions. */
  readonly vectors: Rows;
  /** For each text the first text of its group. */
  readonly groups: Uint32Array;
  /** Hash of the letters of each text: it orders groups regardless of the order of the input. */
  readonly hashes: Uint32Array;
}

export interface DistinctTexts {
  readonly texts: readonly LabelledText[];
  /** Texts that repeat an earlier one. */
  readonly repeats: number;
  /** Texts that have both labels: all of them are left out, because one of the labels is wrong. */
  readonly contradictions: number;
}

/** Each text once, with the earliest of its dates. */
export function distinctTexts(texts: readonly LabelledText[]): DistinctTexts {
  const byText = new Map<string, LabelledText>();
  const contradicted = new Set<string>();
  for (const each of texts) {
    const text = each.text.trim();
    const known = byText.get(text);
    if (known === undefined) byText.set(text, each);
    else {
      if (known.isSpam !== each.isSpam) contradicted.add(text);
      if (each.at !== null && (known.at === null || each.at < known.at))
        byText.set(text, { ...known, at: each.at });
    }
  }
  const repeats = texts.length - byText.size;
  for (const text of contradicted) byText.delete(text);
  return { texts: [...byText.values()], repeats, contradictions: contradicted.size };
}

/** @param bits binary logarithm of the number of buckets @param onProgress called with the share that is done */
export async function corpusOf(
  texts: readonly LabelledText[],
  bits: number,
  onProgress: (share: number) => void = () => undefined,
): Promise<Corpus> {
  const vectors = new Rows();
  const grams = new Rows();
  const hashes = new Uint32Array(texts.length);
  for (const [index, { text }] of texts.entries()) {
    const read = readText(text);
    vectors.add(featuresOf(read, bits).buckets);
    grams.add(gramsOf(read.letters));
    hashes[index] = hashOf(read.letters);
    if (index % TEXTS_PER_TURN !== 0) continue;
    onProgress(index / texts.length);
    await nextTurn();
  }
  const groups = nearDuplicates(
    grams,
    texts.map(({ campaign }) => campaign),
  );
  return { texts, vectors, groups, hashes };
}

function hashOf(letters: Uint16Array): number {
  let hash = 0x811c9dc5;
  for (const letter of letters) hash = Math.imul(hash ^ letter, 0x01000193);
  return hash >>> 0;
}
