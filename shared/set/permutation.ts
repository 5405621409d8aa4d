/**
 * A keyed permutation of the 10^8 suffixes of a prefix.
 * A decimal Feistel network on (suffix div 10^4, suffix mod 10^4): a bijection for any round functions, so
 * hashing adds no collision. The round functions are tables of 10^4 uniform values each, drawn from
 * AES-256-CTR; 10 rounds, as in NIST SP 800-38G (FF1). See docs/threats.md.
 * Costs ten dependent reads in 200 KB of tables. Sums are reduced below HALF without a branch: every second
 * branch would be mispredicted, which costs as much as all the reads.
 */

/** Half of a suffix: values 0 to 9,999. */
export const HALF = 10_000;
/** Feistel rounds. */
export const ROUNDS = 10;
/** 65,536 draws hold 6 whole copies of 0 to 9,999. Higher draws are rejected to keep values uniform. */
const UNBIASED_BELOW = 60_000;
/** Key stream that fills the tables: 131,072 draws; 120,000 are kept on average, 100,000 needed. */
const KEY_STREAM_BYTES = 262_144;

export class Permutation {
  readonly #rounds: Uint16Array;

  /** @param rounds ROUNDS tables of HALF values below HALF, one after the other */
  constructor(rounds: Uint16Array) {
    if (rounds.length !== ROUNDS * HALF) throw new RangeError('permutation: tables have the wrong size');
    // Each round then adds a value modulo HALF, which is a bijection.
    for (let at = 0; at < rounds.length; at++)
      if (rounds[at]! >= HALF) throw new RangeError('permutation: a table value is not below half');
    this.#rounds = rounds;
  }

  /** The image of a suffix. @param suffix 0 to 10^8 - 1 (not checked: hot path) */
  permute(suffix: number): number {
    const rounds = this.#rounds;
    let left = (suffix / HALF) | 0;
    let right = suffix - left * HALF;
    for (let at = 0; at < ROUNDS * HALF; at += 2 * HALF) {
      left = (left + rounds[at + right]! - HALF) | 0;
      left += HALF & (left >> 31);
      right = (right + rounds[at + HALF + left]! - HALF) | 0;
      right += HALF & (right >> 31);
    }
    return left * HALF + right;
  }

  /** The suffix with this image. */
  invert(image: number): number {
    const rounds = this.#rounds;
    let left = (image / HALF) | 0;
    let right = image - left * HALF;
    for (let at = (ROUNDS - 2) * HALF; at >= 0; at -= 2 * HALF) {
      right = (right - rounds[at + HALF + left]!) | 0;
      right += HALF & (right >> 31);
      left = (left - rounds[at + right]!) | 0;
      left += HALF & (left >> 31);
    }
    return left * HALF + right;
  }
}

/** Fills the round tables from an AES-256-CTR key stream. @param key an AES-CTR key with `encrypt` */
export async function derivePermutation(key: CryptoKey): Promise<Permutation> {
  const counter = new Uint8Array(16);
  const stream = await crypto.subtle.encrypt(
    { name: 'AES-CTR', counter, length: 64 },
    key,
    new Uint8Array(KEY_STREAM_BYTES),
  );
  const bytes = new Uint8Array(stream);
  const rounds = new Uint16Array(ROUNDS * HALF);
  let filled = 0;
  for (let at = 0; filled < rounds.length; at += 2) {
    if (at >= bytes.length) throw new Error('permutation: key stream ran out');
    const draw = bytes[at]! | (bytes[at + 1]! << 8);
    if (draw < UNBIASED_BELOW) rounds[filled++] = draw % HALF;
  }
  return new Permutation(rounds);
}
