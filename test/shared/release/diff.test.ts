/**
 * Differences of releases, compared with plain sets: random pairs of releases; lists that are added, dropped,
 * moved or change their terms; moved shard boundaries; and shared shards, which are not loaded.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BuiltRelease } from '../../../shared/build/release.ts';
import { diffReleases } from '../../../shared/release/diff.ts';
import { randomFrom } from '../numbers/random.ts';
import { build } from '../support/built-release.ts';
import { expectChange } from '../support/plain-diff.ts';
import { type Dated, EVER, type PlainList, plainList } from '../support/plain-model.ts';
import { diffOf, loadFrom } from '../support/planned.ts';
import { holdsAsync, suffix } from '../support/properties.ts';
import { testKeys } from '../support/test-keys.ts';

const SUFFIX_COUNT = 100_000_000;
const DAY = { since: 1_750_000_000, until: 1_750_086_400 };
const WEEK = { since: 1_750_000_000, until: 1_750_604_800 };

const dates = fc.constantFrom(EVER, EVER, DAY, WEEK);
const number = fc
  .tuple(fc.constantFrom(0, 1201, 8210, 8211, 63917, 9_999_999), fc.oneof(suffix, fc.nat({ max: 5 })))
  .map(([prefix, each]) => prefix * SUFFIX_COUNT + each);
const entry = fc.tuple(number, dates).map(([n, when]) => ({ n, ...when }));
const range = fc
  .tuple(fc.nat({ max: 300 }), fc.nat({ max: 60 }), dates)
  .map(([from, length, when]) => ({ from, to: from + length, ...when }));
const source = fc.tuple(fc.stringMatching(/^[a-c]{1,2}$/), dates).map(([text, when]) => ({ text, ...when }));
const content = fc.record({
  numbers: fc.array(entry, { maxLength: 60 }),
  ranges: fc.array(range, { maxLength: 8 }),
  sources: fc.array(source, { maxLength: 8 }),
});
/** Two contents with much in common. */
const contents = fc.tuple(content, content, content).map(([shared, one, two]) =>
  [one, two].map((own) => ({
    numbers: [...shared.numbers, ...own.numbers],
    ranges: [...shared.ranges, ...own.ranges],
    sources: [...shared.sources, ...own.sources],
  })),
);

describe('the difference of two releases', () => {
  it('agrees with plain sets when lists are added, dropped or moved', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const chosen = fc.shuffledSubarray(names, { minLength: 1 });
    await holdsAsync(
      fc.asyncProperty(
        fc.tuple(contents, contents, contents, contents),
        chosen,
        chosen,
        async (each, namesBefore, namesAfter) => {
          const listsOf = (chosenNames: readonly string[], side: 0 | 1): PlainList[] =>
            chosenNames.map((name) => plainList(name, each[names.indexOf(name)]![side]!));
          const [before, after] = [listsOf(namesBefore, 0), listsOf(namesAfter, 1)];
          const diffs = await diffOf(await build(before), await build(after));
          const dropped = namesBefore.filter((name) => !namesAfter.includes(name));
          expect(diffs.map(({ change }) => change.name)).toEqual([...namesAfter, ...dropped]);
          for (const { change } of diffs) {
            const [old, now] = [before, after].map((lists) =>
              lists.find(({ info }) => info.name === change.name),
            );
            expectChange(change, old, now);
            expect(change.state).toBe(old === undefined ? 'new' : now === undefined ? 'dropped' : 'kept');
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is empty between a release and itself, and loads no value', async () => {
    const built = await build([plainList('one', { numbers: [{ n: 821_020_000_000, ...EVER }] })]);
    const loaded: string[] = [];
    const [diff] = await diffOf(built, built, [], (key) => loaded.push(key));
    expect(diff!.change.numbers).toEqual({
      before: 1,
      after: 1,
      added: 0,
      removed: 0,
      changed: 0,
      heads: [],
    });
    expect(diff!.change.termsBefore).toBeNull();
    expect(loaded).toEqual([]);
  });

  it('compares what values mean: equal values may belong to other lists', async () => {
    const full = {
      numbers: [{ n: 5, ...EVER }],
      ranges: [{ from: 7, to: 9, ...EVER }],
      sources: [{ text: 'a', ...EVER }],
    };
    const old = await build([plainList('one', full), plainList('two')]);
    const now = await build([plainList('two', full), plainList('one')]);
    expect([...now.values.keys()]).toEqual([...old.values.keys()]);
    for (const { change } of await diffOf(old, now)) {
      const [added, removed] = change.name === 'two' ? [1, 0] : [0, 1];
      for (const kind of ['numbers', 'ranges', 'sources'] as const)
        expect(change[kind]).toMatchObject({ added, removed });
    }
  });

  it('is everything for a first release', async () => {
    const list = plainList('one', {
      numbers: [1, 2, 3].map((n) => ({ n, ...EVER })),
      ranges: [{ from: 10, to: 19, ...EVER }],
    });
    const [diff] = await diffOf(null, await build([list]));
    expectChange(diff!.change, undefined, list);
    expect(diff!.change.state).toBe('new');
  });

  it('counts ranges that were only split or joined as rows, not as numbers', async () => {
    const whole = plainList('one', { ranges: [{ from: 100, to: 199, ...EVER }] });
    const cut = plainList('one', { ranges: [...whole.ranges, { from: 150, to: 159, ...DAY }] });
    const [diff] = await diffOf(await build([whole]), await build([cut]));
    expect(diff!.change.ranges).toEqual({
      ...{ before: 1, after: 4, added: 4, removed: 1, changed: 0, numbersAdded: 0, numbersRemoved: 0 },
    });
  });

  it('shows changed terms, whatever the order of the subjects', async () => {
    const list = plainList('one', { numbers: [{ n: 5, ...EVER }] });
    const other = { ...list, info: { ...list.info, effect: 'label', subjects: ['to', 'from'] } } as const;
    const swapped = { ...list, info: { ...list.info, subjects: ['to', 'from'] } } as PlainList;
    const was = { reason: 'NUMBER_SUSPENDED', effect: 'block', subjects: ['from', 'to'], authority: 'test' };
    const [changed] = await diffOf(await build([list]), await build([other as unknown as PlainList]));
    expect(changed!.change.termsBefore).toEqual(was);
    expect(changed!.change.terms).toEqual({ ...was, effect: 'label' });
    const [same] = await diffOf(await build([list]), await build([swapped]));
    expect(same!.change.termsBefore).toBeNull();
  });

  it('finds watched numbers in every list, exact or in a range, dated or not, changed or not', async () => {
    const lists = [
      plainList('one', { numbers: [{ n: 8_210_777, ...EVER }] }),
      plainList('two', { numbers: [{ n: 8_210_778, since: 5, until: 6 }] }),
      plainList('three', { ranges: [{ from: 8_210_770, to: 8_210_778, ...DAY }] }),
    ];
    const built = await build(lists);
    for (const base of [null, built]) {
      const diffs = await diffOf(base, built, [8_210_777, 8_210_778, 8_210_779]);
      expect(diffs.map(({ watched }) => watched)).toEqual([[8_210_777], [8_210_778], [8_210_777, 8_210_778]]);
    }
  });

  it('fails on a damaged value', async () => {
    const built = await build([plainList('one', { numbers: [{ n: 5, ...EVER }] })]);
    const values = new Map([...built.values].map(([key, bytes]) => [key, bytes.map((byte) => byte ^ 1)]));
    const damaged: BuiltRelease = { ...built, values };
    const input = {
      base: null,
      next: damaged.manifest,
      keys: testKeys,
      load: loadFrom([damaged]),
      watched: [],
    };
    expect(await diffReleases(input)).toMatchObject({ ok: false, code: 'BLOB_DAMAGED' });
  });
});

describe('the difference of large releases', () => {
  /** Random numbers of a prefix. Dated numbers fill a shard sooner. */
  const bulk = (seed: number, prefix: number, count: number, when: Dated): PlainList['numbers'] => {
    const below = randomFrom(seed);
    return Array.from({ length: count }, () => ({ n: prefix * SUFFIX_COUNT + below(SUFFIX_COUNT), ...when }));
  };
  const startsOf = ({ manifest }: BuiltRelease): number[] => manifest.shards.map(({ start }) => start);

  it('is exact when shard boundaries have moved', async () => {
    const dated = bulk(1, 8210, 90_000, DAY);
    const plain = bulk(2, 8210, 30_000, EVER);
    const rest = [...bulk(3, 8211, 2_000, EVER), ...bulk(4, 63917, 900, EVER), ...bulk(5, 1201, 40, WEEK)];
    const before = [
      plainList('one', { numbers: [...dated.slice(0, 40_000), ...plain, ...rest] }),
      plainList('two', { numbers: bulk(6, 8210, 3_000, EVER) }),
    ];
    const after = [
      plainList('one', {
        numbers: [
          ...dated.slice(10_000),
          ...plain.slice(500),
          ...bulk(7, 8210, 800, EVER),
          ...rest.slice(100),
        ],
      }),
      plainList('two', { numbers: bulk(6, 8210, 3_001, EVER) }),
    ];
    const [old, now] = [await build(before), await build(after)];
    expect(startsOf(old).length).toBeGreaterThan(2);
    expect(startsOf(now).length).toBeGreaterThan(startsOf(old).length);
    for (const [one, two, plainBefore, plainAfter] of [
      [old, now, before, after],
      [now, old, after, before],
    ] as const) {
      const diffs = await diffOf(one, two);
      for (const [index, { change }] of diffs.entries())
        expectChange(change, plainBefore[index], plainAfter[index]);
    }
  });

  it('loads the shards that changed, and those that can hold a watched number', async () => {
    const entries = [8210, 8211, 8212].flatMap((prefix) => bulk(prefix, prefix, 20_000, DAY));
    const n = 8211 * SUFFIX_COUNT + 5;
    const old = await build([plainList('one', { numbers: entries })]);
    const now = await build([plainList('one', { numbers: [...entries, { n, ...DAY }] })]);
    const loadedFor = async (watched: readonly number[]): Promise<Set<string>> => {
      const loaded = new Set<string>();
      const [diff] = await diffOf(old, now, watched, (key) => loaded.add(key));
      expect(diff!.change.dated).toMatchObject({ added: 1, removed: 0, changed: 0 });
      return loaded;
    };
    expect((await loadedFor([])).size).toBe(2);
    expect((await loadedFor([n])).size).toBe(2);
    expect((await loadedFor([n, 8212 * SUFFIX_COUNT + 77])).size).toBe(3);
  });
});
