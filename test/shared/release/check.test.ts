/** The check before a promotion finds every kind of error in a signed release. */
import { describe, expect, it } from 'vitest';
import { encodeRanges, encodeSources } from '../../../shared/build/tables.ts';
import { sha256Hex } from '../../../shared/bytes.ts';
import { ReleaseCheck } from '../../../shared/release/check.ts';
import { shardKey } from '../../../shared/release/kv-keys.ts';
import { type Blob, blobsOf, type Manifest } from '../../../shared/release/manifest.ts';
import { seal } from '../../../shared/set/seal.ts';
import { checksum } from '../../../shared/set/xxhash.ts';
import { build } from '../support/built-release.ts';
import { fromHex, hexOf } from '../support/bytes.ts';
import { naiveBitmap, naiveDated, naiveRice, naiveSparse } from '../support/naive-sections.ts';
import { type NaivePart, naiveShard } from '../support/naive-tables.ts';
import { EVER, plainList } from '../support/plain-model.ts';
import { testKeys } from '../support/test-keys.ts';

const DAY = { since: 1_750_000_000, until: 1_750_086_400 };
const LAST = 10_000_000;

type Values = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** @returns the code of the error; null for none */
async function checked(manifest: Manifest, values: Values): Promise<string | null> {
  const check = new ReleaseCheck(manifest, testKeys);
  for (const blob of blobsOf(manifest)) {
    const added = await check.add(blob, values.get(blob.key)!);
    if (!added.ok) return added.code;
  }
  const finished = check.finish();
  return finished.ok ? null : finished.code;
}

const whole = await build([
  plainList('one', {
    numbers: [
      ...Array.from({ length: 3_000 }, (_, index) => ({ n: 82_10_2000_0000 + index * 7_919, ...EVER })),
      ...Array.from({ length: 50 }, (_, index) => ({ n: 82_10_2000_0001 + index * 7_919, ...DAY })),
      { n: 639_170_000_000, ...EVER },
    ],
    ranges: [
      { from: 5, to: 9, ...EVER },
      { from: 7, to: 12, ...DAY },
    ],
  }),
  plainList('two', { sources: ['a', 'b'].map((text) => ({ text, ...EVER })) }),
]);

async function blobOf(bytes: Uint8Array<ArrayBuffer>): Promise<Blob> {
  const sha256 = await sha256Hex(bytes);
  return { key: shardKey(sha256), bytes: bytes.length, checksum: checksum(bytes), sha256 };
}

interface Counted {
  readonly numbers?: number;
  readonly dated?: number;
  readonly ranges?: number;
  readonly sources?: number;
}

/** A manifest of lists with these counts, and no values. */
function manifestOf(counts: readonly Counted[]): Manifest {
  const [info] = whole.manifest.lists;
  const none = { numbers: 0, dated: 0, ranges: 0, sources: 0 };
  return {
    ...whole.manifest,
    lists: counts.map((each, index) => ({ ...info!, name: `list-${index}`, ...none, ...each })),
    ...{ shards: [], ranges: null, sources: null },
  };
}

/** Checks one shard that a manifest names properly. */
async function checkedShard(
  parts: readonly NaivePart[],
  counts: readonly Counted[],
  { end = [LAST, 0] as readonly [number, number], start = 0, lists = counts.length } = {},
): Promise<string | null> {
  const bytes = fromHex(hexOf(naiveShard(parts, end, lists)));
  const blob = await blobOf(bytes);
  return checked({ ...manifestOf(counts), shards: [{ ...blob, start }] }, new Map([[blob.key, bytes]]));
}

const part = (
  plain: readonly (readonly number[] | null)[],
  start: readonly [number, number] = [0, 0],
  dated: readonly (readonly number[] | null)[] = plain.map(() => null),
): NaivePart => ({ start, plain, dated });

const sparse = (...keys: (readonly [number, number])[]): number[] =>
  naiveSparse(keys, { headParameter: 0, blockParameters: [0] });

describe('the check of a release', () => {
  it('finds nothing wrong with what the builder makes', async () => {
    expect(await checked(whole.manifest, whole.values)).toBeNull();
    const empty = await build([plainList('one')]);
    expect(await checked(empty.manifest, empty.values)).toBeNull();
  });

  it('finds a count that is one off, of any kind, in any list', async () => {
    for (const list of [0, 1]) {
      for (const kind of ['numbers', 'dated', 'ranges', 'sources'] as const) {
        for (const more of [-1, 1]) {
          const lists = whole.manifest.lists.map((info, index) =>
            index === list ? { ...info, [kind]: info[kind] + more } : info,
          );
          expect(await checked({ ...whole.manifest, lists }, whole.values)).toBe('COUNT_WRONG');
        }
      }
    }
  });

  it('finds damaged and missing values', async () => {
    const { manifest, values } = whole;
    const [blob] = blobsOf(manifest);
    const damaged = values.get(blob!.key)!.slice();
    damaged[40]! ^= 1;
    expect(await checked(manifest, new Map([...values, [blob!.key, damaged]]))).toBe('BLOB_DAMAGED');
    const check = new ReleaseCheck(manifest, testKeys);
    for (const each of blobsOf(manifest).slice(1)) await check.add(each, values.get(each.key)!);
    expect(check.finish()).toMatchObject({ ok: false, code: 'VALUE_MISSING' });
  });

  it('accepts a value after a damaged copy of it, and counts no value twice', async () => {
    const { manifest, values } = whole;
    const check = new ReleaseCheck(manifest, testKeys);
    for (const blob of blobsOf(manifest)) {
      const bytes = values.get(blob.key)!;
      expect((await check.add(blob, bytes.slice(4))).ok).toBe(false);
      for (let again = 0; again < 2; again++) expect((await check.add(blob, bytes)).ok).toBe(true);
    }
    expect(check.finish().ok).toBe(true);
  });

  it('accepts any valid shard, whichever encoder wrote it', async () => {
    const rice = naiveRice([1, 5, 9], 20, { parameter: 1, width: 7 });
    const parts = [
      part(
        [sparse([3, 4], [8209, 7]), null],
        [0, 0],
        [
          null,
          naiveDated([
            [5, 5, 1, 2],
            [5, 5, 3, 4],
          ]),
        ],
      ),
      part([rice, naiveBitmap([0, 19], 20)], [8210, 0]),
      part([null, sparse([8210, 20])], [8210, 20]),
    ];
    expect(await checkedShard(parts, [{ numbers: 5 }, { numbers: 3, dated: 2 }])).toBeNull();
  });

  it('finds a shard for another slice, or for several', async () => {
    const parts = [part([sparse([3, 4])])];
    expect(await checkedShard(parts, [{ numbers: 1 }])).toBeNull();
    expect(await checkedShard(parts, [{ numbers: 1 }], { start: 5 })).toBe('SLICE_WRONG');
    expect(await checkedShard(parts, [{ numbers: 1 }], { end: [LAST - 1, 0] })).toBe('SLICE_WRONG');
    const bytes = fromHex(hexOf(naiveShard(parts, [LAST, 0], 1)));
    const blob = await blobOf(bytes);
    const shards = [0, 10].map((start) => ({ ...blob, start }));
    const values = new Map([[blob.key, bytes]]);
    expect(await checked({ ...manifestOf([{ numbers: 1 }]), shards }, values)).toBe('SLICE_WRONG');
  });

  it('finds values with more or fewer lists', async () => {
    const parts = [part([sparse([3, 4]), sparse([3, 4])])];
    expect(await checkedShard(parts, [{ numbers: 1 }], { lists: 2 })).toBe('LISTS_WRONG');
    expect(await checkedShard(parts, [{ numbers: 1 }, {}, {}], { lists: 2 })).toBe('LISTS_WRONG');
    for (const lists of [1, 3]) {
      const rows = Array.from({ length: lists }, () => []);
      const ranges = await seal(encodeRanges(rows), testKeys);
      const sources = await seal(encodeSources(rows), testKeys);
      for (const [kind, bytes] of [
        ['ranges', ranges],
        ['sources', sources],
      ] as const) {
        const blob = await blobOf(bytes);
        const manifest = { ...manifestOf([{}, {}]), [kind]: blob };
        expect(await checked(manifest, new Map([[blob.key, bytes]]))).toBe('LISTS_WRONG');
      }
    }
  });

  it('finds numbers out of order, or where no look-up finds them', async () => {
    const counts = [{ numbers: 2 }];
    expect(await checkedShard([part([sparse([8, 5], [9, 5])]), part([null], [10, 0])], counts)).toBeNull();
    for (const keys of [
      [sparse([8, 5], [10, 0]), null],
      [null, sparse([9, 99_999_999], [10, 0])],
    ] as const) {
      const parts = [part([keys[0]]), part([keys[1]], [10, 0])];
      expect(await checkedShard(parts, counts)).toBe('ORDER_WRONG');
    }
    const unsorted = naiveDated([
      [9, 9, 1, 2],
      [9, 8, 1, 2],
    ]);
    expect(await checkedShard([part([null], [0, 0], [unsorted])], [{ dated: 2 }])).toBe('ORDER_WRONG');
    const outside = naiveDated([[10, 0, 1, 2]]);
    const parts = [part([null], [0, 0], [outside]), part([null], [10, 0])];
    expect(await checkedShard(parts, [{ dated: 1 }])).toBe('ORDER_WRONG');
  });

  it('finds ranges and sources out of order', async () => {
    const range = (from: number, to: number) => ({ from, to, ...EVER });
    const tables = [
      [range(5, 9), range(9, 12)],
      [range(5, 9), range(1, 2)],
      [range(9, 5)],
      [range(5, 10 ** 15)],
      [range(0.5, 2)],
      [range(Number.NaN, 2)],
    ];
    for (const rows of tables) {
      const bytes = await seal(encodeRanges([rows]), testKeys);
      const blob = await blobOf(bytes);
      const manifest = { ...manifestOf([{ ranges: rows.length }]), ranges: blob };
      expect(await checked(manifest, new Map([[blob.key, bytes]]))).toBe('ORDER_WRONG');
    }
    const bytes = await seal(
      encodeSources([[7n, 5n].map((fingerprint) => ({ fingerprint, ...EVER }))]),
      testKeys,
    );
    const blob = await blobOf(bytes);
    const manifest = { ...manifestOf([{ sources: 2 }]), sources: blob };
    expect(await checked(manifest, new Map([[blob.key, bytes]]))).toBe('ORDER_WRONG');
  });

  it('reads no more numbers than the manifest counts or a release may have', async () => {
    const every = naiveRice([], 100, { parameter: 0, width: 100 });
    // The same section as a complement: a few bytes that list a whole prefix.
    every[1] = 1;
    const parts = [part([null]), part([every], [8210, 0]), part([null], [8210, 100])];
    expect(await checkedShard(parts, [{ numbers: 100 }])).toBeNull();
    expect(await checkedShard(parts, [{ numbers: 99 }])).toBe('COUNT_WRONG');
    expect(await checkedShard(parts, [{ numbers: 100 }, { numbers: 200_000_000 }], { lists: 2 })).toBe(
      'LIMIT_EXCEEDED',
    );
  });
});
