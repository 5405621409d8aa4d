/**
 * Where a pair of a number and a client is among the pairs of a prefix.
 *
 * Each client has a group and a rotation, both keyed. The image of a number's suffix is rotated by its client: so the
 * clients of one number are apart, and the pairs of a group are uniform, however unevenly the numbers are spread over
 * clients. The group has one of CLIENT_GROUPS equal intervals of positions. So the pairs of one client are close
 * together: a stream of its numbers reads little memory, and a new client changes only the shards of its group.
 */
import { SUFFIX_COUNT } from '../numbers/number.ts';
import { CLIENT_GROUPS, GROUP_POSITIONS, SLOTS_PER_CLIENT } from './layout.ts';
import { fingerprint } from './xxhash.ts';

/** The keyed part of a client's places. */
export interface ClientSpread {
  readonly group: number;
  /** Added to each image, modulo 10^8. */
  readonly rotation: number;
}

/** @param client `<organisation>/<client>` @param seed of the fingerprints of sources, with a text that no source has */
export function spreadOf(client: string, seed: bigint): ClientSpread {
  const print = fingerprint(`registered ${client}`, seed);
  const suffixes = BigInt(SUFFIX_COUNT);
  return { group: Number((print / suffixes) % BigInt(CLIENT_GROUPS)), rotation: Number(print % suffixes) };
}

/** The image of a number, rotated by its client. */
export function rotated(image: number, rotation: number): number {
  const sum = image + rotation;
  return sum < SUFFIX_COUNT ? sum : sum - SUFFIX_COUNT;
}

/** The inverse of `rotated`. */
export function unrotated(image: number, rotation: number): number {
  return image < rotation ? image - rotation + SUFFIX_COUNT : image - rotation;
}

/** The position of a pair, in place of the suffix of its prefix. Its slot tells the images of a position apart. */
export function positionOf(group: number, rotatedImage: number): number {
  return group * GROUP_POSITIONS + ((rotatedImage / CLIENT_GROUPS) | 0);
}

/** Slots of a position in a group with room for that many clients. */
export function slotsOf(room: number): number {
  return CLIENT_GROUPS * room * SLOTS_PER_CLIENT;
}

/** The slot of a pair that is not own; that of an own pair follows. @param rank of the client in its group, below `room` */
export function slotOf(rotatedImage: number, rank: number, room: number): number {
  return ((rotatedImage % CLIENT_GROUPS) * room + rank) * SLOTS_PER_CLIENT;
}

/** A pair as its key has it. */
export interface PlacedPair {
  readonly rank: number;
  readonly rotatedImage: number;
  readonly own: boolean;
}

/** The inverse of positions and slots. @param key position * slots + slot, with positions from `start` on */
export function pairOf(key: number, start: number, room: number): PlacedPair {
  const slots = slotsOf(room);
  const slot = key % slots;
  const position = (start + (key - slot) / slots) % GROUP_POSITIONS;
  const place = Math.floor(slot / SLOTS_PER_CLIENT);
  return {
    rank: place % room,
    rotatedImage: position * CLIENT_GROUPS + Math.floor(place / room),
    own: slot % SLOTS_PER_CLIENT === 1,
  };
}
