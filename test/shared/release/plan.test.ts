/** The plan: equal on both sides, another hash for any difference, and overrides by name. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_GUARDS, remainingGuards } from '../../../shared/release/guard-settings.ts';
import { createPlan } from '../../../shared/release/plan.ts';
import { build } from '../support/built-release.ts';
import { EVER, type PlainList, plainList } from '../support/plain-model.ts';
import { loadFrom, planFrom, valueIn } from '../support/planned.ts';
import { testKeys } from '../support/test-keys.ts';

const FIRST = 82_10_2000_0000;
const numbers = (count: number): PlainList['numbers'] =>
  Array.from({ length: count }, (_, index) => ({ n: FIRST + index * 7_919, ...EVER }));
const before = plainList('one', { numbers: numbers(300) });
const after = plainList('one', { numbers: numbers(310) });

describe('a plan', () => {
  it('names both releases and what changes', async () => {
    const plan = await planFrom([before], [after, plainList('two')]);
    const [old, now] = [await build([before]), await build([after, plainList('two')])];
    expect(plan.base).toBe(old.manifest.release);
    expect(plan.release).toBe(now.manifest.release);
    expect(plan.lists.map(({ name, state }) => [name, state])).toEqual([
      ['one', 'kept'],
      ['two', 'new'],
    ]);
    expect(plan.lists[0]!.numbers).toEqual({
      ...{ before: 300, after: 310, added: 10, removed: 0, changed: 0 },
      heads: [{ head: 8210, added: 10, removed: 0, changed: 0 }],
    });
    expect(plan.guards).toEqual([]);
    expect(plan.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('has the same hash each time it is made', async () => {
    const [old, now] = [await build([before]), await build([after])];
    const { addShare, removeShare, protectedNumbers } = DEFAULT_GUARDS;
    const hashes = new Set<string>();
    for (const settings of [DEFAULT_GUARDS, { protectedNumbers, removeShare, addShare }]) {
      const input = { base: old.manifest, next: now.manifest, keys: testKeys, settings };
      const parsed = JSON.parse(JSON.stringify(input.next)) as typeof input.next;
      hashes.add(valueIn(await createPlan({ ...input, load: loadFrom([old, now]) })).hash);
      hashes.add(valueIn(await createPlan({ ...input, next: parsed, load: loadFrom([now, old]) })).hash);
    }
    expect(hashes.size).toBe(1);
  });

  it('has another hash if anything differs', async () => {
    const hashOf = async (...input: Parameters<typeof planFrom>): Promise<string> =>
      (await planFrom(...input)).hash;
    const renamed = { ...after, info: { ...after.info, authority: 'other' } };
    const swapped = plainList('one', { numbers: [...numbers(311).slice(1)] });
    const hashes = await Promise.all([
      hashOf([before], [after]),
      hashOf(null, [after]),
      hashOf([after], [after]),
      hashOf([before], [renamed]),
      hashOf([before], [swapped]),
      hashOf([before], [after, plainList('two')]),
      hashOf([before], [after], { addShare: 0.3 }),
      hashOf([before], [after], { removeShare: 0.3 }),
      hashOf([before], [after], { protectedNumbers: [5] }),
      hashOf([before], [after], { protectedNumbers: [FIRST] }),
    ]);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('names no number, even if one is listed and protected', async () => {
    const plan = await planFrom([before], [after], { protectedNumbers: [FIRST] });
    expect(JSON.stringify({ ...plan, hash: '' })).not.toContain(String(FIRST));
    expect(plan.guards).toHaveLength(1);
  });

  it('leaves the guards that are not overridden', async () => {
    const plan = await planFrom([before], [plainList('one')], { removeShare: 0.1 });
    const left = (names: readonly string[]): string[] =>
      remainingGuards(plan, names).map(({ guard }) => guard);
    expect(left([])).toEqual(['removes', 'shrunken-list']);
    expect(left(['removes', 'adds'])).toEqual(['shrunken-list']);
    expect(left(['removes', 'shrunken-list'])).toEqual([]);
  });

  it('rejects if a value cannot be loaded', async () => {
    const { manifest } = await build([before]);
    const load = () => Promise.reject(new Error('gone'));
    const input = { base: null, next: manifest, keys: testKeys, load, settings: DEFAULT_GUARDS };
    await expect(createPlan(input)).rejects.toThrow('gone');
  });
});
