/**
 * The features of a text, as buckets of a hashed vector (Weinberger et al. 2009, "Feature hashing"): n-grams of its
 * letters, then traits such as a link or a long run of digits. A model has one weight for each bucket.
 */
import shorteners from '../../data/url-shorteners.json' with { type: 'json' };
import { HOST_LABELS_MAX, LETTERS_MAX, TEXT_HOSTS_MAX } from '../limits/text.ts';
import { parentsOf } from './host-table.ts';
import { CURRENCY } from './letters.ts';
import type { ReadText } from './text.ts';

/** Lengths of n-grams, in letters: a syllable has two or three, so the longest covers two syllables. */
const GRAM_MIN = 3;
const GRAM_MAX = 6;

/** What a feature says about a text, in words that an answer shows. */
export const FEATURE_FAMILIES = [
  'wording',
  'a link',
  'a shortened link',
  'the ending of a host',
  'digits',
  'an amount of money',
  'capital letters',
  'exclamation marks',
  'hidden characters',
  'length',
] as const;
export type FeatureFamily = (typeof FEATURE_FAMILIES)[number];

const SHORTENERS: ReadonlySet<string> = new Set(shorteners.hosts);
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const MIX = 0x9e3779b1;

/** Most buckets of a text. */
const FEATURES_MAX = LETTERS_MAX * (GRAM_MAX - GRAM_MIN + 1) + TEXT_HOSTS_MAX + 16;
const buckets = new Uint32Array(FEATURES_MAX);

/** Valid until the next call: the memory is shared. */
export interface Features {
  /** Buckets, with repetitions: those of n-grams, then those of traits. */
  readonly buckets: Uint32Array;
  /** How many of them are n-grams. */
  readonly grams: number;
  /** The family of each trait, in order. */
  readonly families: readonly FeatureFamily[];
}

/** @param bits of the count of buckets */
export function featuresOf(text: ReadText, bits: number): Features {
  const { letters } = text;
  const shift = 32 - bits;
  const { length } = letters;
  let count = 0;
  for (let at = 0; at < length; at++) {
    let hash = FNV_OFFSET;
    const end = Math.min(at + GRAM_MAX, length);
    for (let next = at; next < end; next++) {
      hash = Math.imul(hash ^ letters[next]!, FNV_PRIME);
      if (next >= at + GRAM_MIN - 1) buckets[count++] = Math.imul(hash ^ (hash >>> 15), MIX) >>> shift;
    }
  }
  const grams = count;
  const families: FeatureFamily[] = [];
  const trait = (family: FeatureFamily, name: string): void => {
    families.push(family);
    buckets[count++] = bucketOf(`${family}: ${name}`, shift);
  };
  addTraits(text, trait);
  return { buckets: buckets.subarray(0, count), grams, families };
}

/** Names of the features, in the order of `featuresOf`: letters of an n-gram, or a family and what it says. Slow. */
export function featureNamesOf(text: ReadText): string[] {
  const { letters } = text;
  const names: string[] = [];
  for (let at = 0; at < letters.length; at++) {
    for (let size = GRAM_MIN; size <= GRAM_MAX && at + size <= letters.length; size++)
      names.push(String.fromCharCode(...letters.subarray(at, at + size)));
  }
  addTraits(text, (family, name) => names.push(`${family}: ${name}`));
  return names;
}

function addTraits(text: ReadText, trait: (family: FeatureFamily, name: string) => void): void {
  const { letters, hosts, hasLink, hidden, cased, capitals, exclamations, digits } = text;
  if (hasLink) trait('a link', 'yes');
  if (hosts.some((host) => parentsOf(host, HOST_LABELS_MAX).some((each) => SHORTENERS.has(each))))
    trait('a shortened link', 'yes');
  for (const ending of new Set(hosts.map((host) => host.slice(host.lastIndexOf('.') + 1))))
    trait('the ending of a host', ending);
  if (digits > 2) trait('digits', String(Math.min(digits, 12)));
  if (letters.includes(CURRENCY)) trait('an amount of money', 'yes');
  if (cased > 7 && capitals > 4) trait('capital letters', String(Math.floor((4 * capitals) / cased)));
  if (exclamations > 0) trait('exclamation marks', String(Math.min(exclamations, 4)));
  if (hidden > 0) trait('hidden characters', 'yes');
  trait('length', String(Math.floor(2 * Math.log2(letters.length + 1))));
}

function bucketOf(name: string, shift: number): number {
  let hash = FNV_OFFSET;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), FNV_PRIME);
  return Math.imul(hash ^ (hash >>> 15), MIX) >>> shift;
}
