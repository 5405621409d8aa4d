/**
 * A list or release that exceeds a limit of shared/limits stops the build with LIMIT_EXCEEDED and the name of
 * the list.
 */
import { describe, expect, it } from 'vitest';
import { type PairContent, PairEntries } from '../../../shared/build/pairs.ts';
import { buildRelease } from '../../../shared/build/release.ts';
import {
  LISTS_MAX,
  RANGES_PER_LIST_MAX,
  SHARD_BYTES_MAX,
  SOURCES_PER_LIST_MAX,
} from '../../../shared/limits/lists.ts';
import { REGISTERED_RANGES_MAX } from '../../../shared/limits/registrations.ts';
import { build, OPTIONS } from '../support/built-release.ts';
import { EVER, listSource, type PlainList, plainList } from '../support/plain-model.ts';
import { testKeys } from '../support/test-keys.ts';

async function problemOf(lists: readonly PlainList[]): Promise<string | null> {
  const sources = lists.map((list) => listSource(list, testKeys));
  const built = await buildRelease(sources, testKeys, OPTIONS);
  if (built.ok) return null;
  expect(built.code).toBe('LIMIT_EXCEEDED');
  return built.message;
}

const ranges = (count: number): PlainList['ranges'] =>
  Array.from({ length: count }, (_, index) => ({ from: index * 10, to: index * 10 + 1, ...EVER }));
const sources = (count: number): PlainList['sources'] =>
  Array.from({ length: count }, (_, index) => ({ text: `source ${index}`, ...EVER }));

describe('a build', () => {
  it('accepts as many lists as the limit, and not one more', async () => {
    const lists = Array.from({ length: LISTS_MAX + 1 }, (_, index) => plainList(`list-${index}`));
    expect(await problemOf(lists.slice(1))).toBeNull();
    expect(await problemOf(lists)).toMatch(String(LISTS_MAX));
  });

  it('accepts as many ranges in a list as the limit, and not one more', async () => {
    expect(await problemOf([plainList('one', { ranges: ranges(RANGES_PER_LIST_MAX) })])).toBeNull();
    expect(await problemOf([plainList('one', { ranges: ranges(RANGES_PER_LIST_MAX + 1) })])).toMatch('one');
  });

  it('counts ranges as they are stored, after neighbours are joined', async () => {
    const neighbours = Array.from({ length: RANGES_PER_LIST_MAX + 1 }, (_, index) => ({
      from: index,
      to: index,
      ...EVER,
    }));
    expect(await problemOf([plainList('one', { ranges: neighbours })])).toBeNull();
  });

  it('accepts as many sources in a list as the limit, and not one more', async () => {
    expect(await problemOf([plainList('one', { sources: sources(SOURCES_PER_LIST_MAX) })])).toBeNull();
    expect(await problemOf([plainList('one', { sources: sources(SOURCES_PER_LIST_MAX + 1) })])).toMatch(
      'one',
    );
  });

  it('names the organisations that have most of too many registered senders', async () => {
    const entries = new PairEntries();
    const add = (client: string, from: number, numbers: number): void =>
      entries.add({ client, from, to: from + numbers - 1, own: false });
    for (let index = 0; index < REGISTERED_RANGES_MAX; index++)
      add(index % 4 === 0 ? 'beta/one' : `acme/${index % 2}`, 821_000_000_000 + index * 100, 70);
    for (const [index, client] of ['acme/0', 'beta/one', 'beta/two'].entries())
      add(client, 821_500_000_000 + index * 100, 64);
    const buildWith = (content: PairContent) =>
      buildRelease([], testKeys, { ...OPTIONS, registrations: { version: 1, content } });
    expect((await buildWith(entries.finish(testKeys))).ok).toBe(true);
    add('gamma/one', 821_600_000_000, 70);
    expect(await buildWith(entries.finish(testKeys))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message:
        'the registered senders: 200001 ranges, at most 200000; most clients: acme 2, beta 2, gamma 1; ' +
        'most pairs: beta 128, acme 64; most ranges: acme 150000, beta 50000, gamma 1',
    });
  });

  it('makes no shard larger than the limit', async () => {
    const dated = { since: 1, until: 2 };
    const numbers = Array.from({ length: 120_000 }, (_, index) => ({
      n: 821_000_000_000 + index * 7,
      ...dated,
    }));
    const { manifest } = await build([plainList('one', { numbers })]);
    expect(manifest.shards.length).toBeGreaterThan(3);
    for (const { bytes } of manifest.shards) expect(bytes).toBeLessThanOrEqual(SHARD_BYTES_MAX);
  });

  it('fails if one number has more dated entries than a shard can hold', async () => {
    const numbers = Array.from({ length: 40_000 }, (_, index) => ({
      n: 821_012_345_678,
      since: index,
      until: index + 1,
    }));
    const list = listSource(plainList('one', { numbers }), testKeys);
    let steps = 0;
    const onProgress = (): void => {
      if (++steps > 5_000) throw new Error('the build cuts finer and finer, and never ends');
    };
    const built = await buildRelease([list], testKeys, { ...OPTIONS, onProgress });
    expect(built).toMatchObject({ ok: false, code: 'LIMIT_EXCEEDED' });
  });

  it('reports its progress up to 100 %', async () => {
    const shares: number[] = [];
    const list = listSource(plainList('one', { numbers: [{ n: 821_012_345_678, ...EVER }] }), testKeys);
    await buildRelease([list], testKeys, { ...OPTIONS, onProgress: (share) => shares.push(share) });
    expect(shares.at(-1)).toBe(1);
    expect(shares.every((share) => share > 0 && share <= 1)).toBe(true);
  });
});
