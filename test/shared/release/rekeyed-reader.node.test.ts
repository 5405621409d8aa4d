/**
 * Releases of different keys are compared by content. Across a rotation of LIST_KEY, a plan counts the same changes as between
 * two releases of one key, except for sources.
 */
import { describe, expect, it } from 'vitest';
import { type BuiltRelease, buildRelease } from '../../../shared/build/release.ts';
import { NUMBER_LIMIT, prefixOf, SUFFIX_COUNT, suffixOf } from '../../../shared/numbers/number.ts';
import { changedAuthorities } from '../../../shared/release/authorities.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { createPlan, type Plan } from '../../../shared/release/plan.ts';
import { RekeyedReader } from '../../../shared/release/rekeyed-reader.ts';
import type { ListKeys } from '../../../shared/set/keys.ts';
import { OPTIONS } from '../support/built-release.ts';
import { otherKeys } from '../support/other-keys.ts';
import { EVER, listSource, type PlainList, plainList } from '../support/plain-model.ts';
import { loadFrom, valueIn } from '../support/planned.ts';
import { testKeys } from '../support/test-keys.ts';

async function build(lists: readonly PlainList[], keys: ListKeys): Promise<BuiltRelease> {
  const sources = lists.map((list) => listSource(list, keys));
  return valueIn(await buildRelease(sources, keys, OPTIONS));
}

/** The plan from a release with one set of keys to a release with another. */
async function planFrom(
  before: readonly PlainList[],
  baseKeys: ListKeys,
  after: readonly PlainList[],
  protectedNumbers: readonly number[] = [],
): Promise<{ plan: Plan; authorities: string[] }> {
  const [base, next] = [await build(before, baseKeys), await build(after, otherKeys)];
  const manifest = { ...next.manifest, base: base.manifest.release };
  const plan = valueIn(
    await createPlan({
      ...{ base: base.manifest, next: manifest, keys: otherKeys, baseKeys },
      ...{
        load: loadFrom([base, next]),
        settings: { ...DEFAULT_GUARDS, protectedNumbers: [...protectedNumbers] },
      },
    }),
  );
  return { plan, authorities: changedAuthorities(base.manifest, manifest, plan) };
}

const numbersOf = (
  count: number,
  step: number,
  prefix = 8_210,
): { n: number; since: number; until: number }[] =>
  Array.from({ length: count }, (_, index) => ({
    n: prefix * SUFFIX_COUNT + ((index * step) % SUFFIX_COUNT),
    ...EVER,
  }));
const RANGE = { from: 821_033_330_000, to: 821_033_339_999, ...EVER };
const SOURCE = { text: 'PARCEL-KR', ...EVER };

/** Dense and sparse prefixes, dated entries, ranges and sources. @param more numbers, ranges or sources */
function listsOf({
  numbers = [],
  sources = [],
  dated = 4_000_000_000,
}: Partial<PlainList> & { dated?: number } = {}) {
  const dates = [0, 1_000_000_000].map((since) => ({ n: 821_011_112_222, since, until: dated + since / 2 }));
  return [
    plainList('suspended', {
      numbers: [...numbersOf(5_000, 17_971), ...numbersOf(50, 99_991, 86_130), ...dates, ...numbers],
      ranges: [RANGE],
    }),
    plainList('other', { numbers: numbersOf(3_000, 1_237, 8_211), sources: [SOURCE, ...sources] }),
  ];
}

describe('a plan from a release with other keys', () => {
  it('has no change and no guard if the lists are the same, but counts lists with sources as changed', async () => {
    const { plan, authorities } = await planFrom(listsOf(), testKeys, listsOf());
    expect(plan.guards).toEqual([]);
    for (const { numbers, dated, ranges, sources } of plan.lists) {
      for (const { added, removed, changed } of [numbers, dated, ranges, sources])
        expect([added, removed, changed]).toEqual([0, 0, 0]);
    }
    expect(authorities).toEqual(['test']);
    const others = listsOf().slice(0, 1);
    expect((await planFrom(others, testKeys, others)).authorities).toEqual([]);
  });

  it('counts changes as between two releases of one key', async () => {
    const after = listsOf({ numbers: numbersOf(40, 31_337, 8_212), dated: 4_100_000_000 });
    after[0] = {
      ...after[0]!,
      numbers: after[0]!.numbers.filter(({ n, until }) => n % 7 !== 0 || until !== EVER.until),
      ranges: [],
    };
    const watched = [after[0].numbers[3]!.n, 821_099_999_999];
    const across = (await planFrom(listsOf(), testKeys, after, watched)).plan;
    const within = (await planFrom(listsOf(), otherKeys, after, watched)).plan;
    expect(across.lists).toEqual(within.lists);
    expect(across.guards).toEqual(within.guards);
    expect(across.lists[0]!.numbers.removed).toBeGreaterThan(500);
    expect(across.lists[0]!.dated.changed).toBeGreaterThan(0);
  });

  it('compares sources by their count', async () => {
    const more = listsOf({ sources: [{ text: 'ANOTHER', ...EVER }] });
    const { plan } = await planFrom(listsOf(), testKeys, more);
    expect(plan.lists[1]!.sources).toMatchObject({ before: 1, after: 2, added: 1, removed: 0 });
    const back = await planFrom(more, testKeys, listsOf());
    expect(back.plan.lists[1]!.sources).toMatchObject({ added: 0, removed: 1 });
  });
});

describe('a release that is larger than memory', () => {
  it('is read in windows, in the order of the images under the other key, each number once', async () => {
    // Two or more shards of one prefix, so that the second one begins within the prefix.
    const list = plainList('large', { numbers: numbersOf(450_000, 221) });
    const { manifest, values } = await build([list], testKeys);
    expect(manifest.shards.filter(({ start }) => start % SUFFIX_COUNT !== 0).length).toBeGreaterThan(0);
    const load = loadFrom([{ manifest, values }]);
    const reader = await RekeyedReader.open(manifest, testKeys, otherKeys, load, 150_000);
    const { starts } = reader;
    expect(starts.length).toBeGreaterThan(2);
    const found: number[] = [];
    for (const [index, start] of starts.entries()) {
      const end = starts[index + 1] ?? NUMBER_LIMIT;
      const cursors = await reader.shard({ start, end });
      const cursor = cursors!.plain[0]!;
      let inWindow = 0;
      for (; cursor.key < end; cursor.advance(), inWindow++) found.push(cursor.key);
      expect(cursor.key).toBe(Number.POSITIVE_INFINITY);
      expect(inWindow).toBeLessThan(165_000);
    }
    expect(reader.failure).toBeNull();
    const images = list.numbers.map(
      ({ n }) => prefixOf(n) * SUFFIX_COUNT + otherKeys.permutation.permute(suffixOf(n)),
    );
    images.sort((a, b) => a - b);
    expect(found.length).toBe(images.length);
    expect(found.findIndex((key, index) => key !== images[index])).toBe(-1);
  });
});
