/** The numbers that a benchmark looks up: a share of them listed, the others not, in random order. */
import { countOf, hasTail, placesOf, randomFrom } from './sets.ts';

/** Size of the sample of listed numbers to draw from. */
const SAMPLE_MAX = 1_000_000;

/**
 * @param bits the listed places, as `randomTails` makes them @param hits share that is listed
 * @returns places
 */
export function askedPlaces(
  bits: Uint8Array,
  count: number,
  hits: number,
  seed: number,
): Uint32Array<ArrayBuffer> {
  const random = randomFrom(seed);
  const below = (limit: number): number => Math.floor((random() / 2 ** 32) * limit);
  const listed = sampleOf(bits);
  const asked = new Uint32Array(count);
  for (let at = 0; at < count; at++) {
    if (random() / 2 ** 32 < hits) {
      asked[at] = listed[below(listed.length)]!;
      continue;
    }
    do asked[at] = below(bits.length * 8);
    while (hasTail(bits, asked[at]!));
  }
  return asked;
}

/** Listed places, spread evenly over all of them. */
function sampleOf(bits: Uint8Array): number[] {
  const step = Math.ceil(countOf(bits) / SAMPLE_MAX);
  const sample: number[] = [];
  let seen = 0;
  for (const place of placesOf(bits)) if (seen++ % step === 0) sample.push(place);
  return sample;
}
