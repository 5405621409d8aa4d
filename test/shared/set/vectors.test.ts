/**
 * Golden bytes of shards, from the naive encoder. Builder and reader must agree with them to the bit. A change
 * here is a change of the format: FORMAT_VERSION must rise with it.
 */
import { describe, expect, it } from 'vitest';
import { encodeDense } from '../../../shared/build/dense-section.ts';
import { encodeDated, encodeShard } from '../../../shared/build/shard.ts';
import { encodeSparse } from '../../../shared/build/sparse-section.ts';
import { Shard } from '../../../shared/set/shard.ts';
import file from '../../vectors/shards.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import {
  endOf,
  naiveShardOf,
  type PlainVector,
  plainKeysOf,
  type ShardVector,
} from '../support/shard-vector.ts';

const SUFFIXES = 100_000_000;
const FOREVER = 0xffffffff;
const NOT_LISTED = -1;

// JSON has no literal types. The tests below fail if the file has another form.
const vectors = file.shards as unknown as readonly ShardVector[];

function built(plain: PlainVector | null, size: number): Uint32Array | null {
  if (plain === null) return null;
  if (plain.kind !== 'sparse') return encodeDense(Uint32Array.from(plain.tails), size);
  return encodeSparse(Float64Array.from(plain.keys, ([prefix, suffix]) => prefix * SUFFIXES + suffix));
}

function buildShard(vector: ShardVector): Uint8Array {
  const parts = vector.parts.map(({ start, plain, dated }, index) => ({
    start: start[0] * SUFFIXES + start[1],
    plain: plain.map((section) => built(section, endOf(vector, index)[1] - start[1])),
    dated: dated.map((rows) =>
      rows === null
        ? null
        : encodeDated(
            rows.map(([prefix, suffix, since, until]) => ({ key: prefix * SUFFIXES + suffix, since, until })),
          ),
    ),
  }));
  return encodeShard(parts, vector.end[0] * SUFFIXES + vector.end[1], vector.lists);
}

/** Keys to look up: all keys of a dense part, and all neighbours of the keys in a pooled part. */
function* keysToLookUp(vector: ShardVector): Generator<readonly [number, number]> {
  for (const [index, { start, plain, dated }] of vector.parts.entries()) {
    const end = endOf(vector, index);
    if (start[0] === end[0]) for (let suffix = start[1]; suffix < end[1]; suffix++) yield [start[0], suffix];
    for (const section of plain) {
      if (section?.kind !== 'sparse') continue;
      for (const [prefix, suffix] of section.keys)
        yield* [
          [prefix, suffix],
          [prefix, suffix + 1],
          [prefix + 1, suffix],
        ] as const;
    }
    for (const [prefix, suffix] of dated.flatMap((rows) => rows ?? []))
      yield* [
        [prefix, suffix],
        [prefix, suffix + 1],
      ] as const;
  }
}

describe.each(vectors)('the golden shard "$name"', (vector) => {
  it('has the bytes of the naive encoder', () => {
    expect(hexOf(naiveShardOf(vector))).toBe(vector.hex);
  });

  it.runIf(vector.builder)('has the bytes of the builder', () => {
    expect(hexOf(buildShard(vector))).toBe(vector.hex);
  });

  it('is read correctly, key by key', () => {
    const shard = new Shard(fromHex(vector.hex));
    expect(shard.lists).toBe(vector.lists);
    const listed = Array.from(
      { length: vector.lists },
      (_, list) => new Set(plainKeysOf(vector, list).map(String)),
    );
    let lookedUp = 0;
    for (const [prefix, suffix] of keysToLookUp(vector)) {
      for (const now of [0, 1_700_000_000, 1_700_000_001, 1_799_999_999, 1_800_000_000]) {
        for (let list = 0; list < vector.lists; list++) {
          const dated = vector.parts
            .flatMap((part) => part.dated[list] ?? [])
            .filter((row) => row[0] === prefix && row[1] === suffix && row[2] <= now && now < row[3])
            .map((row) => row[3]);
          const want = listed[list]!.has(`${prefix},${suffix}`) ? FOREVER : Math.max(NOT_LISTED, ...dated);
          const got = shard.partOf(prefix, suffix).until(list, prefix, suffix, now);
          if (got !== want)
            expect.fail(`list ${list}, key ${prefix},${suffix} at ${now}: ${got}, not ${want}`);
          lookedUp++;
        }
      }
    }
    expect(lookedUp).toBeGreaterThan(400);
  });

  it('counts its entries', () => {
    const shard = new Shard(fromHex(vector.hex));
    for (let list = 0; list < vector.lists; list++) {
      const dated = vector.parts.flatMap((part) => part.dated[list] ?? []);
      expect(shard.count(list)).toBe(plainKeysOf(vector, list).length + dated.length);
    }
  });
});
