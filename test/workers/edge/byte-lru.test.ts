/** The cache keeps the values that were used last, and never more than its limit of bytes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteLru } from '../../../workers/edge/byte-lru.ts';
import { holds } from '../../shared/support/properties.ts';

const BYTES_MAX = 20;
type Step = readonly ['get' | 'set' | 'delete', string, number];
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('get', 'set', 'set', 'delete'),
  fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  fc.integer({ min: 1, max: 25 }),
);

/** A list of keys and bytes. The last used one is at its end. */
function model(held: readonly (readonly [string, number])[], [op, key, bytes]: Step) {
  const own = held.filter(([each]) => each === key);
  const others = held.filter(([each]) => each !== key);
  if (op === 'delete') return others;
  if (op === 'get') return [...others, ...own];
  const all = [...others, [key, bytes] as const];
  while (all.reduce((sum, [, each]) => sum + each, 0) > BYTES_MAX) all.shift();
  return all;
}

test('the cache holds what a plain list holds', () => {
  holds(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const cache = new ByteLru<number>(BYTES_MAX, (_key, bytes) => bytes);
      let held: readonly (readonly [string, number])[] = [];
      for (const each of steps) {
        const [op, key, bytes] = each;
        const known = held.find(([name]) => name === key)?.[1];
        if (op === 'get') expect(cache.get(key)).toBe(known);
        if (op === 'set') cache.set(key, bytes);
        if (op === 'delete') cache.delete(key);
        held = model(held, each);
        expect(cache.bytes).toBe(held.reduce((sum, [, size]) => sum + size, 0));
      }
      // Check in this order, because reading a value changes the order.
      for (const [key, bytes] of held) expect(cache.get(key)).toBe(bytes);
    }),
  );
});
