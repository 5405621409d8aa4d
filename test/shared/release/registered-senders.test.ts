/** Registered senders of a release, compared with a plain map of pairs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegisteredPair } from '../../../shared/build/pairs.ts';
import { ReleaseCheck } from '../../../shared/release/check.ts';
import { blobsOf, type RegisteredInfo } from '../../../shared/release/manifest.ts';
import { install } from '../support/built-release.ts';
import { buildRegistered, PlainRegistrations } from '../support/plain-registrations.ts';
import { holdsAsync } from '../support/properties.ts';
import { testKeys } from '../support/test-keys.ts';

const clientName = (index: number): string => `org-${index % 7}/client-${index}`;
const single = (client: number, n: number, own = false): RegisteredPair => ({
  ...{ client: clientName(client), from: n, to: n, own },
});

/** Builds, verifies and opens a release with these pairs, and compares lookups of these pairs, of neighbours and of others. */
async function check(pairs: readonly RegisteredPair[], others: readonly string[] = []): Promise<void> {
  const built = await buildRegistered(pairs);
  const checking = new ReleaseCheck(built.manifest, testKeys);
  for (const blob of blobsOf(built.manifest))
    expect(await checking.add(blob, built.values.get(blob.key)!)).toMatchObject({ ok: true });
  expect(checking.finish()).toMatchObject({ ok: true });
  const { registrations } = await install(built);
  const model = new PlainRegistrations(pairs);
  const clients = [...new Set(pairs.map(({ client }) => client)), ...others];
  const wrong: string[] = [];
  const compare = (n: number, client: string): void => {
    const [found, expected] = [registrations!.find(n, client), model.find(n, client)];
    if (found !== expected) wrong.push(`${n} ${client}: ${found}, not ${expected}`);
  };
  for (const [index, { client, from, to }] of pairs.entries()) {
    const near = [from - 1, from, Math.floor((from + to) / 2), to, to + 1];
    for (const n of near) for (const name of [client, clients[index % clients.length]!]) compare(n, name);
  }
  expect(wrong.slice(0, 5)).toEqual([]);
}

describe('registered senders of a release', () => {
  it('answers as a plain map does', async () => {
    const number = fc.oneof(
      fc.integer({ min: 821_020_000_000, max: 821_020_000_300 }),
      fc.integer({ min: 8_215_880_000, max: 8_215_889_999 }),
      fc.integer({ min: 1, max: 999_999_999_999_000 }),
    );
    const pair = fc.record({
      client: fc.integer({ min: 0, max: 30 }).map(clientName),
      from: number,
      length: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200 })),
      own: fc.boolean(),
    });
    const pairs = fc.array(pair, { maxLength: 60 });
    const property = fc.asyncProperty(pairs, async (drawn) => {
      await check(
        drawn.map(({ client, from, length, own }) => ({ client, from, to: from + length, own })),
        ['acme/unknown'],
      );
    });
    await holdsAsync(property, { numRuns: 40 });
  });

  it('is exact for many clients of one number', async () => {
    const pairs = Array.from({ length: 5_000 }, (_, client) =>
      single(client, 8_215_881_234, client % 3 === 0),
    );
    await check(pairs, ['acme/unknown']);
  });

  it('is exact for a client with a whole block, number by number', async () => {
    const block = Array.from({ length: 10_000 }, (_, index) => single(index % 2, 821_020_000_000 + index));
    await check([...block, single(0, 821_020_005_000, true)]);
  });

  it('is exact for few numbers in each of many prefixes', async () => {
    const pairs = Array.from({ length: 300 }, (_, index) =>
      single(index % 11, index * 1_234_567_891 + 1, index % 2 === 0),
    );
    await check(pairs);
  });

  it('counts the numbers of prefixes with few pairs, and not as ranges', async () => {
    const lonely = [3, 5, 9].map((n) => single(0, 8_215_880_000 + n, n === 9));
    // Neighbours become one row, and a long range absorbs a number.
    const pairs = [...lonely, single(1, 8_215_881_000), single(1, 8_215_881_001)];
    const range = { client: clientName(2), from: 8_215_882_000, to: 8_215_882_064, own: true };
    const { manifest } = await buildRegistered([...pairs, range, single(2, 8_215_882_000, true)]);
    expect(manifest.registrations).toMatchObject({ pairs: 0, ranges: 5 });
    expect(manifest.registrations!.short).toEqual({ rows: 4, numbers: 5, own: 1 });
  });

  it('has neither pairs nor clients if nothing is registered', async () => {
    const built = await buildRegistered([], 9);
    expect(built.manifest.registrations).toMatchObject({
      version: 9,
      clients: 0,
      pairs: 0,
      ranges: 0,
      shards: [],
    });
    const { registrations } = await install(built);
    expect(registrations!.find(821_020_005_036, 'acme/main')).toBe('none');
  });

  it('never confuses clients that are looked up in turns', async () => {
    const built = await buildRegistered([
      single(1, 821_020_000_001),
      single(2, 821_020_000_002),
      ...Array.from({ length: 200 }, (_, index) => single(3, 821_020_010_000 + index)),
    ]);
    const { registrations } = await install(built);
    const names = [clientName(1), 'acme/unknown', clientName(2), clientName(2), 'acme/other', clientName(1)];
    const found = names.map((name) => [
      registrations!.find(821_020_000_001, name),
      registrations!.find(821_020_000_002, name),
    ]);
    const [first, second, neither] = [
      ['registered', 'none'],
      ['none', 'registered'],
      ['none', 'none'],
    ];
    expect(found).toEqual([first, neither, second, second, neither, first]);
  });

  it('finds nothing while a value is not loaded', async () => {
    const pairs = Array.from({ length: 1_000 }, (_, index) => single(index % 5, 821_020_000_000 + index));
    const built = await buildRegistered(pairs);
    const { table } = built.manifest.registrations!;
    const withoutTable = await install(built, ({ key }) => key !== table.key);
    const withoutShards = await install(built, ({ key }) => key === table.key);
    expect(withoutTable.registrations!.find(821_020_000_001, clientName(1))).toBe('unavailable');
    expect(withoutShards.registrations!.find(821_020_000_001, clientName(1))).toBe('unavailable');
    expect(withoutShards.registrations!.find(821_020_000_001, 'acme/unknown')).toBe('none');
    expect(withoutShards.complete).toBe(false);
    const needed = withoutTable.registrations!.valuesFor(821_020_000_001, clientName(1));
    const loaded = await install(built, ({ key }) => needed.some((blob) => blob.key === key));
    expect(loaded.registrations!.find(821_020_000_001, clientName(1))).toBe('registered');
  });
});

describe('the registered senders of an older release', () => {
  it('are unavailable, need no value, and cannot be promoted', async () => {
    const pairs = Array.from({ length: 1_000 }, (_, index) => single(index % 5, 821_020_000_000 + index));
    const built = await buildRegistered(pairs);
    for (const layout of [undefined, 1, 3]) {
      const { layout: _, ...rest } = built.manifest.registrations!;
      const registrations = layout === undefined ? rest : { ...rest, layout };
      const manifest = { ...built.manifest, registrations };
      expect(blobsOf(manifest)).toEqual([]);
      const release = await install({ ...built, manifest });
      expect(release.complete).toBe(true);
      expect(release.registrations!.find(821_020_000_001, clientName(1))).toBe('unavailable');
      expect(release.registrations!.valuesFor(821_020_000_001, clientName(1))).toEqual([]);
      expect(new ReleaseCheck(manifest, testKeys).finish()).toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
    }
  });
});

describe('the check of a release', () => {
  const pairs = Array.from({ length: 2_000 }, (_, index) =>
    single(index % 5, 821_000_000_000 + index * 49_999, index % 2 === 0),
  );
  const ranges = [{ client: clientName(1), from: 8_215_880_000, to: 8_215_880_999, own: false }];

  async function problemOf(change: (info: RegisteredInfo) => RegisteredInfo): Promise<string | null> {
    const built = await buildRegistered([...pairs, ...ranges]);
    const manifest = { ...built.manifest, registrations: change(built.manifest.registrations!) };
    const checking = new ReleaseCheck(manifest, testKeys);
    for (const blob of blobsOf(manifest)) {
      const added = await checking.add(blob, built.values.get(blob.key)!);
      if (!added.ok) return added.code;
    }
    const finished = checking.finish();
    return finished.ok ? null : finished.code;
  }

  it.each<[string, (info: RegisteredInfo) => RegisteredInfo, string | null]>([
    ['accepts what was built', (info) => info, null],
    ['finds fewer pairs than were built', (info) => ({ ...info, pairs: info.pairs - 1 }), 'COUNT_WRONG'],
    ['finds more pairs than were built', (info) => ({ ...info, pairs: info.pairs + 1 }), 'COUNT_WRONG'],
    ['finds another count of own pairs', (info) => ({ ...info, own: info.own + 1 }), 'COUNT_WRONG'],
    ['finds another count of ranges', (info) => ({ ...info, ranges: 2 }), 'COUNT_WRONG'],
    [
      'finds another count of numbers in short ranges',
      (info) => ({ ...info, short: { ...info.short!, numbers: info.short!.numbers + 1 } }),
      'COUNT_WRONG',
    ],
    ['accepts a release that does not count them', ({ short: _, ...info }) => info, null],
    ['finds another count of clients', (info) => ({ ...info, clients: 6 }), 'COUNT_WRONG'],
    [
      'refuses shards of other slices',
      (info) => ({ ...info, shards: info.shards.map((shard) => ({ ...shard, start: shard.start + 1 })) }),
      'SLICE_WRONG',
    ],
  ])('%s', async (_, change, expected) => {
    expect(await problemOf(change)).toBe(expected);
  });
});
