/**
 * Golden bytes of registered senders: a pair shard and a table of clients, from the naive encoder. Builder and reader must
 * agree with them to the bit. Damaged copies are refused or give a wrong answer; they never cause another error.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePairs } from '../../../shared/build/dense-section.ts';
import { encodeRegisteredTable } from '../../../shared/build/pairs.ts';
import { encodeShard } from '../../../shared/build/shard.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { pairKeyOf, pairOf, runOf, slotOf, slotsOf } from '../../../shared/set/pair-place.ts';
import { RegisteredTable } from '../../../shared/set/registered-table.ts';
import { Shard } from '../../../shared/set/shard.ts';
import file from '../../vectors/registrations.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import { cuts, type Damaged, extremes, flips } from '../support/damage.ts';
import { type NaivePair, naivePairs } from '../support/naive-sections.ts';
import { naiveRegisteredTable } from '../support/naive-tables.ts';
import { holds } from '../support/properties.ts';
import { naivePairShardOf, type RegistrationVector } from '../support/registration-vector.ts';
import { testKeys } from '../support/test-keys.ts';

// JSON has no literal types. The tests below fail if the file has another form.
const vector = file as unknown as RegistrationVector;
const CLIENTS = vector.groups.flat();
const PART = vector.parts[1]!;
const FIRST = PART.start[0] * 100_000_000 + PART.start[1];
const SLOTS = 32 * PART.room;
const MASKS = [1, 2, 4, 8, 16, 32, 64, 128, 255];
const tableOf = (bytes: Uint8Array<ArrayBuffer>) => new RegisteredTable(bytes, testKeys.sourceSeed);

/** @returns whether the bytes open @throws any error except a LayoutError */
function survive({ what, bytes }: Damaged, use: (bytes: Uint8Array<ArrayBuffer>) => void): boolean {
  try {
    use(bytes);
    return true;
  } catch (error) {
    if (error instanceof LayoutError) return false;
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  }
}

describe('the golden pair shard', () => {
  const bytes = fromHex(file.shard);

  function look(opened: Uint8Array<ArrayBuffer>): string[] {
    const shard = new Shard(opened);
    const found: string[] = [];
    for (const first of [1, ...[0, 400, 450, 990].map((at) => FIRST + at)]) {
      for (let key = first - 1; key < first + 13; key++) {
        const part = shard.partOfKey(key);
        for (const low of [0, 1, 2, 7, 15]) {
          for (let rank = 0; rank < 3; rank++) {
            const own = part.hasOwnPair(key, low, rank);
            if (part.hasPair(key, low, rank)) found.push(`${key - FIRST} ${low} ${rank} ${own}`);
            else if (own) throw new Error('own, and not registered');
          }
        }
      }
    }
    return found;
  }

  it('has the bytes of the naive encoder, and of the builder with the same sections', () => {
    expect(hexOf(naivePairShardOf(vector))).toBe(file.shard);
    const sections = vector.parts.map(({ start, pairs, room, choice }, index) => {
      const size = index === 1 ? 1_000 : 0;
      const section = choice === null ? null : naivePairs(pairs, size, choice, room);
      const words = section === null ? null : new Uint32Array(Uint8Array.from(section).buffer);
      return { start: start[0] * 100_000_000 + start[1], plain: [words], dated: [null], room };
    });
    expect(hexOf(encodeShard(sections, vector.end[0] * 100_000_000, 1, true))).toBe(file.shard);
  });

  it('is read correctly, pair by pair', () => {
    expect(look(bytes)).toEqual(PART.pairs.map((pair) => pair.join(' ')));
    const shard = new Shard(bytes);
    expect([shard.lists, shard.hasPairs]).toEqual([1, true]);
    expect(shard.parts.map(({ room }) => room)).toEqual([0, 2, 0]);
    const keys = shard.parts.flatMap((part) => [...part.pairs()].flatMap((batch) => [...batch]));
    expect(keys).toEqual(
      PART.pairs.map(
        ([position, low, rank, own]) => position * SLOTS + (low * PART.room + rank) * 2 + Number(own),
      ),
    );
    expect(keys.map((key) => pairOf(key, FIRST, PART.room))).toEqual(
      PART.pairs.map(([position, low, rank, own]) => ({ rank, rotatedImage: position * 16 + low, own })),
    );
    expect(runOf(FIRST)).toEqual({ group: 6, prefix: 8210 });
    expect(pairKeyOf(6, 8210, 410 * 16 + 2)).toBe(FIRST + 410);
  });

  it('survives any flipped byte, any word of extreme value and any cut', () => {
    let refused = 0;
    for (const damaged of [...flips(bytes, MASKS), ...extremes(bytes), ...cuts(bytes)]) {
      try {
        if (!survive(damaged, look)) refused++;
      } catch (error) {
        // Lookups in damaged bytes may be wrong.
        if (!String(error).includes('own, and not registered')) throw error;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('may have no bitmap, complement or second list, no pairs of two runs, and none without a client', () => {
    const part = { start: FIRST, plain: [null], dated: [null], room: PART.room };
    const dense = encodePairs(Float64Array.of(5, 60), 6_250_000, SLOTS)!;
    const open =
      (changed: object, end = FIRST + 6_250_000) =>
      () =>
        new Shard(encodeShard([{ ...part, ...changed }], end, 1, true) as Uint8Array<ArrayBuffer>);
    expect(open({ plain: [dense] })().parts[0]!.room).toBe(PART.room);
    expect(open({ plain: [Uint32Array.of(2, 0, 0)] })).toThrow(LayoutError);
    expect(open({ plain: [dense] }, FIRST + 6_250_001)).toThrow(LayoutError);
    expect(open({ plain: [dense], start: FIRST - 1 })).toThrow(LayoutError);
    const complement = dense.slice();
    complement[0]! |= 1 << 8;
    expect(open({ plain: [complement] })).toThrow(LayoutError);
    const two = encodeShard([part], part.start + 1, 1, true);
    new DataView(two.buffer).setUint32(8, 2, true);
    expect(() => new Shard(two)).toThrow('several lists');
    for (const room of [0, 0x7fffffff]) expect(open({ plain: [dense], room })).toThrow(LayoutError);
    const wide = dense.slice();
    wide[2] = 0x7fffffff;
    expect(open({ plain: [wide] })).toThrow(LayoutError);
  });
});

describe('a section of pairs', () => {
  it('has the bytes of the naive encoder, with the parameter and width that the builder chose', () => {
    const pair = fc.tuple(
      fc.integer({ min: 0, max: 4_999 }),
      fc.integer({ min: 0, max: 15 }),
      fc.integer({ min: 0, max: 39 }),
      fc.boolean(),
    );
    const property = fc.property(fc.array(pair, { minLength: 1, maxLength: 300 }), (drawn) => {
      const room = 40;
      const slots = slotsOf(room);
      const keys = [
        ...new Set(drawn.map(([at, low, rank, own]) => at * slots + slotOf(low, rank, room) + Number(own))),
      ].sort((a, b) => a - b);
      const section = encodePairs(Float64Array.from(keys), 5_000, slots)!;
      const choice = { parameter: section[0]! >>> 16, width: section[2]! };
      const pairs = keys.map((key): NaivePair => {
        const { rank, rotatedImage, own } = pairOf(key, 0, room);
        return [Math.floor(rotatedImage / 16), rotatedImage % 16, rank, own];
      });
      expect(hexOf(new Uint8Array(section.buffer))).toBe(
        hexOf(Uint8Array.from(naivePairs(pairs, 5_000, choice, room))),
      );
    });
    holds(property);
  });
});

describe('the golden table of clients', () => {
  const bytes = fromHex(file.table);

  function look(opened: Uint8Array<ArrayBuffer>): string[] {
    const table = tableOf(opened);
    const found: string[] = [];
    for (const [list, ranges] of vector.ranges.entries()) {
      for (const n of ranges.flatMap(([, from, to]) => [from - 1, from, to, to + 1])) {
        for (const name of [...CLIENTS, 'acme/unknown']) {
          const place = table.client(name)?.place;
          if (place !== undefined && table.has(list, place, n)) found.push(`${list} ${name} ${n}`);
        }
      }
    }
    return found;
  }

  it('has the bytes of the naive encoder and of the builder', () => {
    expect(hexOf(Uint8Array.from(naiveRegisteredTable(vector.groups, vector.ranges)))).toBe(file.table);
    const ranges = vector.ranges.map((list) => list.map(([place, from, to]) => ({ place, from, to })));
    const content = { groups: vector.groups, pairs: new Map(), ranges };
    expect(hexOf(encodeRegisteredTable(content))).toBe(file.table);
  });

  it('is read correctly', () => {
    const expected = vector.ranges.flatMap((ranges, list) =>
      ranges.flatMap(([place, from, to]) => [from, to].map((n) => `${list} ${CLIENTS[place]} ${n}`)),
    );
    expect(look(bytes)).toEqual(expected);
    expect(tableOf(bytes).groups).toEqual(vector.groups);
    const withCounts = (groups: readonly (readonly string[])[], count: number) => {
      const changed = Uint8Array.from(naiveRegisteredTable(groups, [[], []]));
      new DataView(changed.buffer).setUint32(8, count, true);
      return () => tableOf(changed);
    };
    const groups = Array.from({ length: 16 }, (_, group) => (group < 2 ? ['acme/main'] : []));
    expect(withCounts(groups.with(1, ['acme/second']), 2)).not.toThrow();
    for (const [wrong, count] of [
      [groups, 2],
      [groups.with(1, ['acme/second']), 3],
    ] as const) {
      expect(withCounts(wrong, count)).toThrow('wrong count of names');
    }
    expect(tableOf(bytes).isGrouped).toBe(true);
    expect(tableOf(bytes).client('beta/main')).toMatchObject({ place: 1, group: 6, rank: 1 });
  });

  it('survives any flipped byte, any word of extreme value and any cut', () => {
    let refused = 0;
    for (const damaged of [...flips(bytes, MASKS), ...extremes(bytes), ...cuts(bytes)])
      if (!survive(damaged, look)) refused++;
    expect(refused).toBeGreaterThan(100);
  });
});
