/** Pseudorandom numbers from a seed: the same on every machine. Not for secrets. */

/** Mixes a 32-bit number with a seed (MurmurHash3, fmix32): nearby numbers get unrelated results. */
export function mixed(value: number, seed: number): number {
  let hash = (value ^ Math.imul(seed, 0x9e3779b1)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Whole numbers below 2^32 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = mixed(seed, 1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  };
}

/** Shuffles the values in place (Fisher and Yates). */
export function shuffle(values: Uint32Array, random: () => number): void {
  for (let left = values.length; left > 1; left--) {
    const at = Math.floor((random() / 2 ** 32) * left);
    const last = values[left - 1]!;
    values[left - 1] = values[at]!;
    values[at] = last;
  }
}
