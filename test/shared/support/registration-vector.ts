/** The form of test/vectors/registrations.json, and its pair shard as the naive encoder writes it. */
import { type NaivePair, naivePairs, type RiceChoice } from './naive-sections.ts';
import { type NaiveRegistered, naiveShard } from './naive-tables.ts';

export interface RegistrationVector {
  /** Names of the 16 groups, sorted. */
  readonly groups: readonly (readonly string[])[];
  /** First key after the shard. */
  readonly end: readonly [number, number];
  readonly parts: readonly {
    readonly start: readonly [number, number];
    readonly pairs: readonly NaivePair[];
    /** 0 for a part without pairs. */
    readonly room: number;
    /** Null for a part without pairs. */
    readonly choice: RiceChoice | null;
  }[];
  /** Ranges that are not own, then own ranges. */
  readonly ranges: readonly (readonly NaiveRegistered[])[];
}

const SUFFIXES = 100_000_000;

/** The clients of the non-empty groups, according to the first key of `testKeys`. */
const GROUPS: Readonly<Record<number, readonly string[]>> = {
  6: ['acme/third', 'beta/main'],
  12: ['acme/second'],
  14: ['acme/main'],
};

/** The golden registrations. */
export const REGISTRATIONS: RegistrationVector = {
  groups: Array.from({ length: 16 }, (_, group) => GROUPS[group] ?? []),
  end: [3_750_514, 0],
  parts: [
    { start: [0, 0], pairs: [], room: 0, choice: null },
    {
      // Group 6, prefix 8210: (6 × 10^7 + 8,210) × 6,250,000.
      start: [3_750_513, 12_500_000],
      pairs: [
        [0, 0, 0, false],
        [0, 0, 1, true],
        [0, 15, 1, false],
        [3, 7, 1, true],
        [410, 2, 0, true],
        [410, 2, 1, false],
        [999, 15, 1, true],
      ],
      room: 2,
      choice: { parameter: 12, width: 450 },
    },
    { start: [3_750_513, 12_501_000], pairs: [], room: 0, choice: null },
  ],
  ranges: [
    [
      [0, 8_215_880_000, 8_215_880_099],
      [2, 12_125_550_100, 12_125_550_100],
      [2, 999_999_999_999_900, 999_999_999_999_999],
    ],
    [[3, 0, 65]],
  ],
};

/** The number of suffixes of a part with pairs. */
export function sizeOf({ end, parts }: RegistrationVector, index: number): number {
  const next = parts[index + 1]?.start ?? end;
  return (next[0] - parts[index]!.start[0]) * SUFFIXES + next[1] - parts[index]!.start[1];
}

export function naivePairShardOf(vector: RegistrationVector): Uint8Array<ArrayBuffer> {
  const { end, parts } = vector;
  const encoded = parts.map(({ start, pairs, room, choice }, index) => ({
    start,
    plain: [choice === null ? null : naivePairs(pairs, sizeOf(vector, index), choice, room)],
    dated: [null],
    room,
  }));
  return Uint8Array.from(naiveShard(encoded, end, 1, 'NGP2'));
}
