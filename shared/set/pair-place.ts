/**
 * The place of a pair of a number and a client among all pairs.
 *
 * Each client has a group and a rotation, both keyed. The rotation is added to the image of a suffix. So the clients of
 * one number are apart, and the pairs of a group and a prefix are uniform, however unevenly the numbers are spread over
 * clients. Keys are ordered by group, prefix and position, so the pairs of one client are close together: a stream of
 * its numbers reads little memory, and a new client changes only the shards that have parts of its group.
 */
import { NUMBER_LIMIT, SUFFIX_COUNT } from '../numbers/number.ts';
import { CLIENT_GROUPS, GROUP_POSITIONS, SLOTS_PER_CLIENT } from './layout.ts';
import { fingerprint } from './xxhash.ts';

const PREFIX_LIMIT = NUMBER_LIMIT / SUFFIX_COUNT;

/** The keyed part of a client's places. */
export interface ClientSpread {
  readonly group: number;
  /** Added to each image, modulo 10^8. */
  readonly rotation: number;
}

/** @param client `<organisation>/<client>` @param seed of the fingerprints of sources; no source has the same text */
export function spreadOf(client: string, seed: bigint): ClientSpread {
  const print = fingerprint(`registered ${client}`, seed);
  const suffixes = BigInt(SUFFIX_COUNT);
  return { group: Number((print / suffixes) % BigInt(CLIENT_GROUPS)), rotation: Number(print % suffixes) };
}

/** The image of a suffix, rotated by a client. */
export function rotated(image: number, rotation: number): number {
  const sum = image + rotation;
  return sum < SUFFIX_COUNT ? sum : sum - SUFFIX_COUNT;
}

/** The inverse of `rotated`. */
export function unrotated(image: number, rotation: number): number {
  return image < rotation ? image - rotation + SUFFIX_COUNT : image - rotation;
}

/** The first key of a run: of the pairs of a group and a prefix. With the prefix 0, also the first key of the group. */
export function runStart(group: number, prefix: number): number {
  return (group * PREFIX_LIMIT + prefix) * GROUP_POSITIONS;
}

/** The run that contains a key. */
export function runOf(key: number): { readonly group: number; readonly prefix: number } {
  const run = Math.floor(key / GROUP_POSITIONS);
  return { group: Math.floor(run / PREFIX_LIMIT), prefix: run % PREFIX_LIMIT };
}

/** The key of a pair, below 10^15. The images of one position have different slots. */
export function pairKeyOf(group: number, prefix: number, rotatedImage: number): number {
  return runStart(group, prefix) + ((rotatedImage / CLIENT_GROUPS) | 0);
}

/** Slots of a position in a group with room for that many clients. */
export function slotsOf(room: number): number {
  return CLIENT_GROUPS * room * SLOTS_PER_CLIENT;
}

/** The slot of a pair that is not own. The next slot is for own pairs. @param rank of the client in its group, below `room` */
export function slotOf(rotatedImage: number, rank: number, room: number): number {
  return ((rotatedImage % CLIENT_GROUPS) * room + rank) * SLOTS_PER_CLIENT;
}

/** A pair, as decoded from its section. */
export interface PlacedPair {
  readonly rank: number;
  readonly rotatedImage: number;
  readonly own: boolean;
}

/** The inverse of keys and slots. @param slotted (key - start of the part) * slots + slot @param start of the part */
export function pairOf(slotted: number, start: number, room: number): PlacedPair {
  const slots = slotsOf(room);
  const slot = slotted % slots;
  const position = (start % GROUP_POSITIONS) + (slotted - slot) / slots;
  const place = Math.floor(slot / SLOTS_PER_CLIENT);
  return {
    rank: place % room,
    rotatedImage: position * CLIENT_GROUPS + Math.floor(place / room),
    own: slot % SLOTS_PER_CLIENT === 1,
  };
}
