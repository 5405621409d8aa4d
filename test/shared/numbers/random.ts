/** Seeded randomness for reproducible tests: mulberry32, with 32 bits of state. Not for secrets. */

/** A source of integers in [0, limit). The same seed gives the same integers. */
export type RandomBelow = (limit: number) => number;

export function randomFrom(seed: number): RandomBelow {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** `count` random decimal digits. */
export function randomDigits(below: RandomBelow, count: number): string {
  let text = '';
  while (text.length < count) text += below(10);
  return text;
}
