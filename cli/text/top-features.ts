/**
 * The features with the largest weights, by name. Features are hashed into buckets, so a bucket has the name of its most
 * frequent feature in the training texts. Names are therefore pieces of training texts.
 */
import { featureNamesOf, featuresOf } from '../../shared/text/features.ts';
import { readText } from '../../shared/text/text.ts';
import type { LabelledText } from './labelled-text.ts';

/** Number of features that reports show for spam, and for legitimate texts. */
const SHOWN = 20;
/** A bucket with fewer texts is not shown, because its name could come from one sender. */
const TEXTS_MIN = 3;

export interface TopFeature {
  /** -127 to 127. A weight above 0 is for spam. */
  readonly weight: number;
  /** The most frequent feature of the bucket in the training texts. */
  readonly name: string;
  /** Number of training texts that have the bucket. */
  readonly texts: number;
}

/** Strongest first: the features of spam, then those of legitimate texts. */
export function topFeatures(
  weights: Int8Array,
  bits: number,
  trainTexts: readonly LabelledText[],
): TopFeature[] {
  const texts = textsOf(bits, trainTexts);
  const frequent = [...weights.keys()].filter(
    (bucket) => texts[bucket]! >= TEXTS_MIN && weights[bucket] !== 0,
  );
  const byWeight = frequent.sort((a, b) => weights[b]! - weights[a]! || a - b);
  const spam = byWeight.slice(0, SHOWN).filter((bucket) => weights[bucket]! > 0);
  const legitimate = byWeight
    .slice(-SHOWN)
    .reverse()
    .filter((bucket) => weights[bucket]! < 0);
  const names = namesOf([...spam, ...legitimate], bits, trainTexts);
  return [...spam, ...legitimate].map((bucket) => ({
    ...{ weight: weights[bucket]!, name: names.get(bucket)!, texts: texts[bucket]! },
  }));
}

/** Number of texts that have each bucket. */
function textsOf(bits: number, trainTexts: readonly LabelledText[]): Uint32Array {
  const counts = new Uint32Array(2 ** bits);
  const seen = new Uint32Array(2 ** bits);
  for (const [at, { text }] of trainTexts.entries()) {
    for (const bucket of featuresOf(readText(text), bits).buckets) {
      if (seen[bucket] === at + 1) continue;
      seen[bucket] = at + 1;
      counts[bucket]!++;
    }
  }
  return counts;
}

function namesOf(
  shown: readonly number[],
  bits: number,
  trainTexts: readonly LabelledText[],
): Map<number, string> {
  const counts = new Map(shown.map((bucket) => [bucket, new Map<string, number>()]));
  const isShown = new Uint8Array(2 ** bits);
  for (const bucket of shown) isShown[bucket] = 1;
  for (const { text } of trainTexts) {
    const read = readText(text);
    const { buckets } = featuresOf(read, bits);
    if (!buckets.some((bucket) => isShown[bucket] === 1)) continue;
    for (const [at, name] of featureNamesOf(read).entries()) {
      const names = counts.get(buckets[at]!);
      if (names !== undefined) names.set(name, (names.get(name) ?? 0) + 1);
    }
  }
  return new Map(
    [...counts].map(([bucket, names]) => [bucket, [...names].sort((a, b) => b[1] - a[1])[0]![0]]),
  );
}
