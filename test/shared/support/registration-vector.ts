/** The form of test/vectors/registrations.json, and its pair shard from the naive encoder. */
import { type NaivePair, naivePairs, type RiceChoice } from './naive-sections.ts';
import { type NaiveRegistered, naiveShard } from './naive-tables.ts';

export interface RegistrationVector {
  /** Names, sorted. */
  readonly clients: readonly string[];
  /** First key behind the shard. */
  readonly end: readonly [number, number];
  readonly parts: readonly {
    readonly start: readonly [number, number];
    readonly pairs: readonly NaivePair[];
    /** Null for a part without pairs. */
    readonly choice: RiceChoice | null;
  }[];
  /** Ranges that are not own, and own ones. */
  readonly ranges: readonly (readonly NaiveRegistered[])[];
}

const SUFFIXES = 100_000_000;

/** The golden registrations. */
export const REGISTRATIONS: RegistrationVector = {
  clients: ['acme/main', 'acme/second', 'beta/main'],
  end: [8211, 0],
  parts: [
    { start: [0, 0], pairs: [], choice: null },
    {
      start: [8210, 0],
      pairs: [
        [0, 0, false],
        [0, 1, true],
        [3, 2, true],
        [410, 0, true],
        [410, 2, false],
        [999, 2, true],
      ],
      choice: { parameter: 9, width: 450 },
    },
    { start: [8210, 1000], pairs: [], choice: null },
  ],
  ranges: [
    [
      [0, 8_215_880_000, 8_215_880_099],
      [2, 12_125_550_100, 12_125_550_100],
      [2, 999_999_999_999_900, 999_999_999_999_999],
    ],
    [[1, 0, 65]],
  ],
};

/** The suffixes of a part that has pairs. */
export function sizeOf({ end, parts }: RegistrationVector, index: number): number {
  const next = parts[index + 1]?.start ?? end;
  return (next[0] - parts[index]!.start[0]) * SUFFIXES + next[1] - parts[index]!.start[1];
}

export function naivePairShardOf(vector: RegistrationVector): Uint8Array<ArrayBuffer> {
  const { clients, end, parts } = vector;
  const encoded = parts.map(({ start, pairs, choice }, index) => ({
    start,
    plain: [choice === null ? null : naivePairs(pairs, sizeOf(vector, index), choice, clients.length)],
    dated: [null],
  }));
  return Uint8Array.from(naiveShard(encoded, end, 1, 'NGP1', 2 * clients.length));
}
