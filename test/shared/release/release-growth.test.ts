/**
 * Successive releases: equal content gives equal bytes, unchanged values keep their keys, and an isolate
 * adopts the values that it holds.
 */
import { describe, expect, it } from 'vitest';
import { Release } from '../../../shared/release/release.ts';
import { randomFrom } from '../numbers/random.ts';
import { build, exactUntil, install } from '../support/built-release.ts';
import { EVER, type PlainList, plainList } from '../support/plain-model.ts';
import { testKeys } from '../support/test-keys.ts';

const DAY = { since: 1_750_000_000, until: 1_750_086_400 };
const FILIPINO_HEAD = 639_170;

/** Random dated numbers of a prefix. Each takes 16 bytes, so that few numbers fill a shard. */
function bulk(prefix: number, count: number): PlainList['numbers'] {
  const below = randomFrom(prefix);
  return Array.from({ length: count }, () => ({ n: prefix * 100_000_000 + below(100_000_000), ...DAY }));
}

/** Some 1.2 MB in two lists. Domestic prefixes fill their own shards, and one foreign prefix fills another. */
const domestic = plainList('domestic', {
  numbers: [8210, 8211, 8212].flatMap((prefix) => bulk(prefix, 20_000)),
});
const foreign = plainList('foreign', {
  numbers: bulk(FILIPINO_HEAD, 17_000),
  ranges: [{ from: 1, to: 2, ...EVER }],
});

const shardKeysOf = (manifest: Release['manifest']): string[] => manifest.shards.map(({ key }) => key);

describe('building again', () => {
  it('gives the same manifest and the same bytes', async () => {
    const [one, two] = [await build([domestic, foreign]), await build([domestic, foreign])];
    expect(two.manifest).toEqual(one.manifest);
    expect([...two.values]).toEqual([...one.values]);
  });

  it('gives the same bytes in any order of the entries', async () => {
    const shuffled = { ...domestic, numbers: domestic.numbers.toReversed() };
    const one = await build([domestic, foreign]);
    expect((await build([shuffled, foreign])).manifest).toEqual(one.manifest);
  });

  it('gives the same bytes with repeated entries', async () => {
    const plain = plainList('plain', {
      numbers: bulk(8210, 2_000).map(({ n }) => ({ n, ...EVER })),
      sources: [{ text: 'a', ...EVER }],
    });
    const twice = {
      ...plain,
      numbers: [...plain.numbers, ...plain.numbers],
      sources: [...plain.sources, ...plain.sources],
    };
    expect((await build([twice])).manifest).toEqual((await build([plain])).manifest);
  });

  it('gives the same bytes with repeated dated entries', async () => {
    const twice = { ...foreign, numbers: [...foreign.numbers, ...foreign.numbers.slice(0, 10)] };
    expect((await build([twice])).manifest).toEqual((await build([foreign])).manifest);
  });
});

describe('the next release', () => {
  it('keeps the keys of all shards that a change does not touch', async () => {
    const before = await build([domestic, foreign]);
    const n = FILIPINO_HEAD * 100_000_000 + 5;
    const after = await build([domestic, { ...foreign, numbers: [...foreign.numbers, { n, ...EVER }] }]);
    const known = new Set(shardKeysOf(before.manifest));
    const changed = after.manifest.shards.filter(({ key }) => !known.has(key));
    expect(before.manifest.shards.length).toBeGreaterThan(2);
    expect(changed).toHaveLength(1);
    expect(after.manifest.ranges!.key).toBe(before.manifest.ranges!.key);
  });

  it('keeps the keys of shards far after a prefix that has grown', async () => {
    // Two of these prefixes fit into one shard. A small prefix before them grows by 60 KB.
    const entries = [8210, 8211, 8212, 8213, 8214, 8215, 8216, 8217, 8218, 8219].flatMap((prefix) =>
      bulk(prefix, 15_500),
    );
    const before = await build([plainList('one', { numbers: [...entries, ...bulk(1201, 100)] })]);
    const after = await build([plainList('one', { numbers: [...entries, ...bulk(1201, 4_000)] })]);
    const known = new Set(shardKeysOf(before.manifest));
    expect(before.manifest.shards.length).toBeGreaterThan(4);
    expect(shardKeysOf(after.manifest).filter((key) => known.has(key)).length).toBeGreaterThanOrEqual(3);
  });

  it('adopts what the previous release holds, and loads only the rest', async () => {
    const before = await build([domestic, foreign]);
    const n = FILIPINO_HEAD * 100_000_000 + 5;
    const after = await build([domestic, { ...foreign, numbers: [...foreign.numbers, { n, ...EVER }] }]);
    const held = await install(before);
    const next = new Release(after.manifest, testKeys);
    next.adopt(held);
    const missing = after.manifest.shards.filter((shard) => !next.has(shard));
    expect(missing).toHaveLength(1);
    expect(next.ranges).toBe(held.ranges);
    expect(next.has(after.manifest.ranges!)).toBe(true);
    expect(next.complete).toBe(false);
    for (const { n: listed } of domestic.numbers.slice(0, 500)) {
      expect(exactUntil(next, 0, listed, DAY.since)).toBe(DAY.until);
    }
    await next.install(missing[0]!, after.values.get(missing[0]!.key)!);
    expect(exactUntil(next, 1, n, 0)).toBe(EVER.until);
    expect(next.complete).toBe(true);
  });

  it('adopts nothing from a release that holds nothing', async () => {
    const built = await build([domestic]);
    const next = new Release(built.manifest, testKeys);
    next.adopt(new Release(built.manifest, testKeys));
    expect(next.complete).toBe(false);
    expect(next.manifest.shards.some((shard) => next.has(shard))).toBe(false);
  });

  it('keeps its own values when the previous release does not have them', async () => {
    const built = await build([domestic, foreign]);
    const next = await install(built);
    next.adopt(new Release(built.manifest, testKeys));
    expect(next.ranges).not.toBeNull();
    expect(next.complete).toBe(true);
  });
});
