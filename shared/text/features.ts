/**
 * The features of a text, as buckets of a hashed vector (Weinberger et al. 2009, "Feature hashing"): n-grams of its
 * letters, then traits such as a link or a long run of digits. A model has one weight for each bucket.
 *
 * The hash of an n-gram is multilinear: the sum of its letters, each times an odd constant of its place. Its upper bits
 * are uniform enough without further mixing, and an n-gram takes one multiplication more than the one before it.
 */
import { LETTERS_MAX, TEXT_ENDINGS_MAX } from '../limits/text.ts';
import { isShortener } from './shorteners.ts';
import type { ReadText } from './text.ts';

/** Lengths of n-grams, in letters: a syllable has two or three, so the longest covers two syllables. */
const GRAM_MIN = 3;
const GRAM_MAX = 6;
/** Multipliers of the letters of an n-gram, by their place. */
const M0 = 0x9e3779b1;
const M1 = 0x85ebca77;
const M2 = 0xc2b2ae3d;
const M3 = 0x27d4eb2f;
const M4 = 0x165667b1;
const M5 = 0xcc9e2d51;
const MULTIPLIERS = [M0, M1, M2, M3, M4, M5];

/** Families of features, in the words of responses. */
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
const WORDING = 0;
const LINK_TRAIT = 1;
const SHORTENED = 2;
const ENDING = 3;
const DIGITS = 4;
const MONEY = 5;
const CAPITALS = 6;
const EXCLAMATIONS = 7;
const HIDDEN = 8;
const LENGTH = 9;

/** Traits of the text being read: family, hash and value (of an ending, its index). All texts share this memory. */
const TRAITS_MAX = FEATURE_FAMILIES.length + TEXT_ENDINGS_MAX;
const traitFamilies = new Uint8Array(TRAITS_MAX);
const traitHashes = new Uint32Array(TRAITS_MAX);
const traitValues = new Int32Array(TRAITS_MAX);

/** A trait counts this many times, because it says more than one n-gram of many. */
export const TRAIT_REPEATS = 4;

const FEATURES_MAX = LETTERS_MAX * (GRAM_MAX - GRAM_MIN + 1) + TRAITS_MAX * TRAIT_REPEATS;
const buckets = new Uint32Array(FEATURES_MAX);

/** Valid until the next call, because the memory is shared. */
export interface Features {
  /** Buckets, with repetitions: those of n-grams, then those of traits, each TRAIT_REPEATS times. */
  readonly buckets: Uint32Array;
  /** How many of the buckets are of n-grams. */
  readonly grams: number;
  /** The family of each trait, in order. */
  readonly families: readonly FeatureFamily[];
}

/** @param bits base-2 logarithm of the count of buckets */
export function featuresOf(text: ReadText, bits: number): Features {
  const { letters } = text;
  const shift = 32 - bits;
  let count = 0;
  for (let at = 0; at < letters.length; at++) {
    const end = Math.min(GRAM_MAX, letters.length - at);
    let hash = 0;
    for (let place = 0; place < end; place++) {
      hash += Math.imul(letters[at + place]!, MULTIPLIERS[place]!);
      if (place >= GRAM_MIN - 1) buckets[count++] = hash >>> shift;
    }
  }
  const grams = count;
  const families: FeatureFamily[] = [];
  const traits = readTraits(text);
  for (let trait = 0; trait < traits; trait++) {
    families.push(FEATURE_FAMILIES[traitFamilies[trait]!]!);
    for (let repeat = 0; repeat < TRAIT_REPEATS; repeat++) buckets[count++] = traitHashes[trait]! >>> shift;
  }
  return { buckets: buckets.subarray(0, count), grams, families };
}

/**
 * Weighs the same features as `featuresOf`: adds each weight to the sum of its family. Allocates nothing.
 * @param weights one for each bucket @param sums one for each of FEATURE_FAMILIES @returns the count of features
 */
export function weigh(text: ReadText, weights: Int8Array, bits: number, sums: Int32Array): number {
  const { letters } = text;
  const { length } = letters;
  const shift = 32 - bits;
  let sum = 0;
  let at = 0;
  for (; at + GRAM_MAX <= length; at++) {
    const three =
      (Math.imul(letters[at]!, M0) + Math.imul(letters[at + 1]!, M1) + Math.imul(letters[at + 2]!, M2)) | 0;
    const four = (three + Math.imul(letters[at + 3]!, M3)) | 0;
    const five = (four + Math.imul(letters[at + 4]!, M4)) | 0;
    const six = (five + Math.imul(letters[at + 5]!, M5)) | 0;
    sum +=
      weights[three >>> shift]! +
      weights[four >>> shift]! +
      weights[five >>> shift]! +
      weights[six >>> shift]!;
  }
  for (; at + GRAM_MIN <= length; at++) {
    let hash = 0;
    for (let place = 0; at + place < length; place++) {
      hash = (hash + Math.imul(letters[at + place]!, MULTIPLIERS[place]!)) | 0;
      if (place >= GRAM_MIN - 1) sum += weights[hash >>> shift]!;
    }
  }
  sums[WORDING]! += sum;
  const traits = readTraits(text);
  for (let trait = 0; trait < traits; trait++)
    sums[traitFamilies[trait]!]! += TRAIT_REPEATS * weights[traitHashes[trait]! >>> shift]!;
  return gramCount(length) + TRAIT_REPEATS * traits;
}

/** Count of n-grams in a text of this many letters. */
function gramCount(length: number): number {
  let count = 0;
  for (let size = GRAM_MIN; size <= GRAM_MAX; size++) count += Math.max(0, length - size + 1);
  return count;
}

/** Names of the features, in the order of `featuresOf`: letters of an n-gram, or the family and value of a trait. Slow. */
export function featureNamesOf(text: ReadText): string[] {
  const { letters } = text;
  const names: string[] = [];
  for (let at = 0; at < letters.length; at++) {
    for (let size = GRAM_MIN; size <= GRAM_MAX && at + size <= letters.length; size++)
      names.push(String.fromCharCode(...letters.subarray(at, at + size)));
  }
  const traits = readTraits(text);
  for (let trait = 0; trait < traits; trait++)
    for (let repeat = 0; repeat < TRAIT_REPEATS; repeat++) names.push(nameOf(text, trait));
  return names;
}

/** Family and value of a trait. The value is the ending of a host, or a number. */
function nameOf(text: ReadText, trait: number): string {
  const [family, value] = [traitFamilies[trait]!, traitValues[trait]!];
  return `${FEATURE_FAMILIES[family]}: ${family === ENDING ? text.endings[value] : value}`;
}

/** @returns the count of traits */
function readTraits(text: ReadText): number {
  const { letters, hosts, endings, hasLink, hasMoney, hidden, cased, capitals, exclamations, digits } = text;
  let count = 0;
  if (hasLink) count = addTrait(count, LINK_TRAIT, 1);
  if (hosts.length > 0 && hosts.some(isShortener)) count = addTrait(count, SHORTENED, 1);
  for (let ending = 0; ending < endings.length; ending++) {
    traitFamilies[count] = ENDING;
    traitValues[count] = ending;
    traitHashes[count++] = hashOfTrait(ENDING, hashOfName(endings[ending]!));
  }
  if (digits > 2) count = addTrait(count, DIGITS, Math.min(digits, 12));
  if (hasMoney) count = addTrait(count, MONEY, 1);
  if (cased > 7 && capitals > 4) count = addTrait(count, CAPITALS, Math.floor((4 * capitals) / cased));
  if (exclamations > 0) count = addTrait(count, EXCLAMATIONS, Math.min(exclamations, 4));
  if (hidden > 0) count = addTrait(count, HIDDEN, 1);
  // The whole part of the base-2 logarithm of the square: two more for each doubling of the length.
  return addTrait(count, LENGTH, 31 - Math.clz32((letters.length + 1) ** 2));
}

function addTrait(count: number, family: number, value: number): number {
  traitValues[count] = value;
  traitFamilies[count] = family;
  traitHashes[count] = hashOfTrait(family, value);
  return count + 1;
}

function hashOfTrait(family: number, value: number): number {
  const hash = Math.imul(Math.imul(family + 1, M0) ^ value, M1);
  return Math.imul(hash ^ (hash >>> 15), M2);
}

/** FNV-1a. */
function hashOfName(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash;
}
