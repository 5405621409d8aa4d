/** The form of a shard in test/vectors/shards.json, and its bytes as the naive encoder writes them. */
import {
  type NaiveDated,
  type NaiveKey,
  naiveBitmap,
  naiveComplement,
  naiveDated,
  naiveRice,
  naiveSparse,
} from './naive-sections.ts';
import { naiveShard } from './naive-tables.ts';

/** A plain section: its keys, and the choices that the format leaves to its encoder. */
export type PlainVector =
  | {
      readonly kind: 'rice' | 'complement';
      readonly tails: readonly number[];
      readonly parameter: number;
      readonly width: number;
    }
  | { readonly kind: 'bitmap'; readonly tails: readonly number[] }
  | {
      readonly kind: 'sparse';
      readonly keys: readonly NaiveKey[];
      readonly headParameter: number;
      readonly blockParameters: readonly number[];
    };

export interface PartVector {
  /** The first key: prefix and suffix. The `tails` of a section are suffixes relative to this one. */
  readonly start: readonly [number, number];
  readonly plain: readonly (PlainVector | null)[];
  readonly dated: readonly (readonly NaiveDated[] | null)[];
}

export interface ShardVector {
  readonly name: string;
  /** Whether the product's builder makes the same choices, and therefore the same bytes. */
  readonly builder: boolean;
  readonly lists: number;
  /** First key after the shard. */
  readonly end: readonly [number, number];
  readonly parts: readonly PartVector[];
  readonly hex: string;
}

/** The first key after a part. */
export function endOf({ parts, end }: Omit<ShardVector, 'hex'>, index: number): readonly [number, number] {
  return parts[index + 1]?.start ?? end;
}

function naivePlain(plain: PlainVector, size: number): number[] {
  if (plain.kind === 'sparse') return naiveSparse(plain.keys, plain);
  if (plain.kind === 'bitmap') return naiveBitmap(plain.tails, size);
  return (plain.kind === 'rice' ? naiveRice : naiveComplement)(plain.tails, size, plain);
}

export function naiveShardOf(vector: Omit<ShardVector, 'hex'>): number[] {
  const parts = vector.parts.map(({ start, plain, dated }, index) => {
    const size = endOf(vector, index)[1] - start[1];
    return {
      start,
      plain: plain.map((section) => (section === null ? null : naivePlain(section, size))),
      dated: dated.map((rows) => (rows === null ? null : naiveDated(rows))),
    };
  });
  return naiveShard(parts, vector.end, vector.lists);
}

/** Every key without dates in a list of a vector. */
export function plainKeysOf(vector: Omit<ShardVector, 'hex'>, list: number): NaiveKey[] {
  return vector.parts.flatMap(({ start, plain }) => {
    const section = plain[list] ?? null;
    if (section === null) return [];
    if (section.kind === 'sparse') return [...section.keys];
    return section.tails.map((suffix): NaiveKey => [start[0], start[1] + suffix]);
  });
}
