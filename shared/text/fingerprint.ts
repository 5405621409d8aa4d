/**
 * The fingerprint of a text: MinHash of the 6-grams of its letters, in one permutation (Li, Owen, Zhang 2012,
 * "One Permutation Hashing"), with empty bins filled from others (Shrivastava 2017, "Optimal Densification"). The share
 * of equal values estimates the share of 6-grams that two texts have in common (Jaccard).
 *
 * It is keyed: each letter has a secret value, and hashes are mixed with secret words. Anyone with the key can test whether
 * a guessed text has a given fingerprint. The hash is fast, and not a cipher: do not publish fingerprints of known texts.
 */
import { utf8 } from '../bytes.ts';
import type { ReadText } from './text.ts';

/** Values of a fingerprint, of 16 bits each. */
export const FINGERPRINT_VALUES = 64;
/** Two texts belong to one campaign if at least this many values are equal: half of all. */
export const SAME_CAMPAIGN_VALUES = 32;
const GRAM = 6;
/** Bins that must have their own value to enrol a text. A text of fewer than about 25 syllables has no fingerprint. */
const ENROLLED_BINS_MIN = 40;
/** Fewer bins suffice to look a text up. Otherwise, a text that a campaign shortens by a word would have no fingerprint. */
export const MATCHED_BINS_MIN = 32;
/** The upper 6 bits of a hash choose the bin. A bin keeps the smallest of the lower 26; its value is their upper 16. */
const VALUE_BITS = 26;
const VALUE_MASK = 0x3ffffff;
const DROPPED_BITS = 10;
/** More than any content of a bin. */
const EMPTY = 0x7fffffff;

export type Fingerprint = Uint16Array<ArrayBuffer>;

export interface FingerprintKey {
  /** Identifies the key without revealing it: 16 hex digits. Members of a community have the same key. */
  readonly id: string;
  /** Values of letters, by the exclusive or of their two bytes. */
  readonly letterValues: Int32Array<ArrayBuffer>;
  /** Odd multiplier of the rolling hash, then the words that mix its result: a mask, an odd multiplier, a mask. */
  readonly multiplier: number;
  readonly mask: number;
  readonly mixMultiplier: number;
  readonly mixMask: number;
}

const LETTER_VALUES = 256;

/** Length of TEXT_KEY in bytes. */
export const TEXT_KEY_BYTES = 32;

/** @param secret TEXT_KEY @throws RangeError on any other length than TEXT_KEY_BYTES */
export async function deriveFingerprintKey(secret: Uint8Array<ArrayBuffer>): Promise<FingerprintKey> {
  if (secret.length !== TEXT_KEY_BYTES)
    throw new RangeError(`TEXT_KEY must be ${TEXT_KEY_BYTES} bytes, and is ${secret.length}`);
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  const derive = async (label: string, bytes: number): Promise<DataView> =>
    new DataView(
      await crypto.subtle.deriveBits(
        { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(`numgate/1 text ${label}`) },
        base,
        bytes * 8,
      ),
    );
  const words = await derive('fingerprint', (4 + LETTER_VALUES) * 4);
  return {
    id: (await derive('key id', 8)).getBigUint64(0).toString(16).padStart(16, '0'),
    multiplier: words.getInt32(0) | 1,
    mask: words.getInt32(4),
    mixMultiplier: words.getInt32(8) | 1,
    mixMask: words.getInt32(12),
    letterValues: Int32Array.from({ length: LETTER_VALUES }, (_, at) => words.getInt32(16 + at * 4)),
  };
}

/** Bins of the text being read, and which of them are empty. */
const bins = new Int32Array(FINGERPRINT_VALUES);
const emptyBins = new Uint8Array(FINGERPRINT_VALUES + 1);

/**
 * The fingerprint, or null if the text is too short to be recognised.
 * @param into memory for the fingerprint; new memory by default
 * @param least bins that must have their own value; by default, as many as to enrol a text
 */
export function fingerprintOf(
  { letters }: ReadText,
  { letterValues, multiplier, mask, mixMultiplier, mixMask }: FingerprintKey,
  into?: Fingerprint,
  least = ENROLLED_BINS_MIN,
): Fingerprint | null {
  const { length } = letters;
  if (length < GRAM + least - 1) return null;
  for (let bin = 0; bin < FINGERPRINT_VALUES; bin++) bins[bin] = EMPTY;
  const leaving = power(multiplier, GRAM);
  let rolling = 0;
  for (let at = 0; at < GRAM - 1; at++)
    rolling = (Math.imul(rolling, multiplier) + letterValues[indexOf(letters[at]!)]!) | 0;
  let left = 0;
  for (let at = GRAM - 1; at < length; at++) {
    rolling = (Math.imul(rolling, multiplier) + letterValues[indexOf(letters[at]!)]! - left) | 0;
    left = Math.imul(leaving, letterValues[indexOf(letters[at - GRAM + 1]!)]!);
    let hash = rolling ^ mask;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), mixMultiplier) ^ mixMask;
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    hash ^= hash >>> 16;
    // The smaller of both values, without a branch that no processor predicts.
    const bin = hash >>> VALUE_BITS;
    const before = bins[bin]!;
    const value = hash & VALUE_MASK;
    bins[bin] = before ^ ((before ^ value) & ((value - before) >> 31));
  }
  return valuesOf(into ?? new Uint16Array(FINGERPRINT_VALUES), least);
}

/** The values of the bins, or null if fewer than `filledMin` are filled. */
function valuesOf(values: Fingerprint, filledMin: number): Fingerprint | null {
  let empty = 0;
  for (let bin = 0; bin < FINGERPRINT_VALUES; bin++) {
    const value = bins[bin]!;
    values[bin] = value >>> DROPPED_BITS;
    emptyBins[empty] = bin;
    empty += Number(value === EMPTY);
  }
  if (FINGERPRINT_VALUES - empty < filledMin) return null;
  for (let next = 0; next < empty; next++) {
    const bin = emptyBins[next]!;
    values[bin] = bins[donorOf(bin)]! >>> DROPPED_BITS;
  }
  return values;
}

function indexOf(letter: number): number {
  return (letter ^ (letter >>> 8)) & (LETTER_VALUES - 1);
}

/** The filled bin that a fixed sequence finds for an empty one. */
function donorOf(bin: number): number {
  let donor = bin;
  for (let attempt = 1; bins[donor] === EMPTY; attempt++)
    donor =
      Math.imul(Math.imul(bin + 1, 0x9e3779b1) ^ Math.imul(attempt, 0x85ebca6b), 0xc2b2ae35) >>> VALUE_BITS;
  return donor;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let count = 0; count < exponent; count++) result = Math.imul(result, base);
  return result;
}

/** Count of equal values: at least SAME_CAMPAIGN_VALUES within a campaign. @param offset of the values in `b` */
export function equalValues(a: Uint16Array, b: Uint16Array, offset = 0): number {
  let equal = 0;
  for (let at = 0; at < FINGERPRINT_VALUES; at++) if (a[at] === b[offset + at]) equal++;
  return equal;
}
