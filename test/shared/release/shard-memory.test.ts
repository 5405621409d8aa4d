/** The memory for shards: its budget and its order of eviction. No request loses a shard that it waits for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ISOLATE_SHARD_BYTES_MAX, RELEASE_BYTES_MAX, SHARD_BYTES_MAX } from '../../../shared/limits/lists.ts';
import { ShardMemory, type Slot } from '../../../shared/release/shard-memory.ts';
import type { Shard } from '../../../shared/set/shard.ts';

/** The memory never reads a shard. */
const SHARD = {} as Shard;

function memoryOf(bytesMax: number, sizes: Readonly<Record<string, number>>) {
  const memory = new ShardMemory(bytesMax);
  const slots = new Map(Object.entries(sizes).map(([key, bytes]) => [key, memory.slot(key, bytes)]));
  const of = (keys: string): Slot[] => [...keys].map((key) => slots.get(key)!);
  return {
    memory,
    of,
    /** Loads shards one after another, each with a waiting request. */
    load(keys: string): void {
      for (const slot of of(keys)) {
        expect(memory.pin([slot])).toBe(true);
        memory.hold(slot, SHARD);
        memory.unpin([slot]);
      }
    },
    held: () =>
      [...slots]
        .filter(([, { shard }]) => shard !== null)
        .map(([key]) => key)
        .join(''),
  };
}

const FOUR = { a: 10, b: 10, c: 10, d: 10 };

describe('the budget of an isolate', () => {
  it('has room for any release, and for the shards of many requests', () => {
    expect(ISOLATE_SHARD_BYTES_MAX).toBeGreaterThanOrEqual(RELEASE_BYTES_MAX);
    expect(ISOLATE_SHARD_BYTES_MAX).toBeGreaterThanOrEqual(8 * 2 * SHARD_BYTES_MAX);
  });
});

describe('without room', () => {
  it('drops the least recently used shard', () => {
    const { load, held, memory } = memoryOf(30, FOUR);
    load('abc');
    load('a');
    load('d');
    expect(held()).toBe('acd');
    load('b');
    expect(held()).toBe('abd');
    expect(memory.bytes).toBe(30);
  });

  it('drops as many small shards as a large one needs', () => {
    const { load, held } = memoryOf(30, { a: 10, b: 10, c: 10, e: 20 });
    load('abce');
    expect(held()).toBe('ce');
  });

  it('does not keep a shard that no request waits for', () => {
    const { load, held, memory, of } = memoryOf(20, FOUR);
    load('ab');
    memory.hold(of('c')[0]!, SHARD);
    expect(held()).toBe('ab');
  });

  it('drops retired shards first, even for a shard that no request waits for', () => {
    const { load, held, memory, of } = memoryOf(20, FOUR);
    load('ab');
    memory.retireAllBut(['a', 'c']);
    memory.hold(of('c')[0]!, SHARD);
    expect(held()).toBe('ac');
  });

  it('drops a shard that two releases in a row do not name', () => {
    const { load, held, memory } = memoryOf(40, FOUR);
    load('abcd');
    memory.retireAllBut(['b', 'c', 'd']);
    expect(held()).toBe('abcd');
    memory.retireAllBut(['c', 'd']);
    expect(held()).toBe('bcd');
    memory.retireAllBut(['c']);
    expect(held()).toBe('cd');
  });

  it('does not drop a shard first that is named again', () => {
    const { load, held, memory } = memoryOf(20, FOUR);
    load('ab');
    memory.retireAllBut(['b']);
    memory.slot('a', 10);
    load('b');
    load('c');
    expect(held()).toBe('bc');
  });

  it('does not drop a shard first that arrived during a swap, once its own release serves', () => {
    const { load, held, memory } = memoryOf(20, FOUR);
    // a and b are being loaded, and neither has arrived.
    memory.retireAllBut(['d']);
    load('ab');
    memory.retireAllBut(['a', 'b']);
    memory.hold(memory.slot('c', 10), SHARD);
    expect(held()).toBe('ab');
    expect(memory.slot('a', 10).shard).not.toBe(null);
  });
});

describe('a waiting request', () => {
  it('loses no shard that is loaded', () => {
    const { load, held, memory, of } = memoryOf(30, FOUR);
    load('abc');
    expect(memory.pin(of('a'))).toBe(true);
    // When the third of them arrives, a is the least recently used.
    load('dbc');
    expect(held()).toBe('abc');
    memory.unpin(of('a'));
    load('d');
    expect(held()).toBe('bcd');
  });

  it('gets all it needs or nothing, so that two requests never wait for each other', () => {
    const { memory, of } = memoryOf(30, FOUR);
    expect(memory.pin(of('ab'))).toBe(true);
    expect(memory.pin(of('bcd'))).toBe(false);
    expect(memory.pin(of('bc'))).toBe(true);
    memory.unpin(of('ab'));
    expect(memory.pin(of('d'))).toBe(true);
  });

  it('gets what it needs if no other waits, even if that exceeds the budget', () => {
    const { memory, of, held } = memoryOf(15, FOUR);
    expect(memory.pin(of('ab'))).toBe(true);
    for (const slot of of('ab')) memory.hold(slot, SHARD);
    expect(held()).toBe('ab');
  });
});

describe('the shards that fit', () => {
  it('are those that fit beside shards in use or being loaded', () => {
    const { load, memory, of } = memoryOf(40, { ...FOUR, e: 10, f: 10 });
    load('ab');
    memory.retireAllBut(['b', 'c', 'd', 'e', 'f']);
    memory.pin(of('c'));
    // b is in use and c is being loaded; a need not stay.
    const fitting = memory.fitting(of('def'), ({ bytes }) => bytes);
    expect(fitting.map(({ key }) => key)).toEqual(['d', 'e']);
  });
});

describe('any sequence of events', () => {
  const SIZES = [5, 10, 20, 40, 7, 13];
  const BYTES_MAX = 60;
  const place = fc.nat({ max: SIZES.length - 1 });
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('load' as const),
      places: fc.uniqueArray(place, { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ kind: fc.constant('arrive' as const), places: fc.tuple(place) }),
    fc.record({ kind: fc.constant('done' as const), places: fc.tuple(place) }),
    fc.record({ kind: fc.constant('swap' as const), places: fc.uniqueArray(place) }),
  );

  it('keeps the memory within its budget, and pinned shards in memory', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new ShardMemory(BYTES_MAX);
        const slots = SIZES.map((bytes, index) => memory.slot(String(index), bytes));
        const waiting: Slot[][] = [];
        for (const { kind, places } of steps) {
          const chosen = places.map((index) => slots[index]!);
          const pinned = new Set(waiting.flat().filter(({ shard }) => shard !== null));
          if (kind === 'load' && memory.pin(chosen)) waiting.push(chosen);
          if (kind === 'arrive') memory.hold(chosen[0]!, SHARD);
          if (kind === 'swap') memory.retireAllBut(chosen.map(({ key }) => key));
          const done = kind === 'done' ? waiting.shift() : undefined;
          for (const slot of pinned) expect(slot.shard).not.toBeNull();
          if (done !== undefined) {
            for (const slot of done) memory.hold(slot, SHARD);
            for (const slot of done) expect(slot.shard).not.toBeNull();
            memory.unpin(done);
          }
          const held = slots.filter(({ shard }) => shard !== null);
          expect(memory.bytes).toBe(held.reduce((sum, { bytes }) => sum + bytes, 0));
          expect(memory.bytes).toBeLessThanOrEqual(BYTES_MAX);
        }
      }),
    );
  });
});
