/** A few bytes can list whole prefixes. Reading such a release stops early. */
import { expect, it } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import { ReleaseCheck } from '../../../shared/release/check.ts';
import { diffReleases } from '../../../shared/release/diff.ts';
import { shardKey } from '../../../shared/release/kv-keys.ts';
import type { Manifest } from '../../../shared/release/manifest.ts';
import { checksum } from '../../../shared/set/xxhash.ts';
import { build } from '../support/built-release.ts';
import { fromHex, hexOf } from '../support/bytes.ts';
import { naiveRice } from '../support/naive-sections.ts';
import { type NaivePart, naiveShard } from '../support/naive-tables.ts';
import { plainList } from '../support/plain-model.ts';
import { testKeys } from '../support/test-keys.ts';

const PREFIXES = 200;
/** The complement of an empty set: all 10^8 numbers of a prefix. */
const everything = naiveRice([], 100_000_000, { parameter: 0, width: 100_000_000 });
everything[1] = 1;
const parts = Array.from(
  { length: PREFIXES + 1 },
  (_, prefix): NaivePart => ({
    start: [prefix, 0],
    plain: [prefix < PREFIXES ? everything : null],
    dated: [null],
  }),
);
const bytes = fromHex(hexOf(naiveShard(parts, [10_000_000, 0], 1)));

/** A manifest that counts this many numbers. The release actually has 20,000,000,000. */
async function manifestOf(numbers: number): Promise<Manifest> {
  const { manifest } = await build([plainList('one')]);
  const sha256 = await sha256Hex(bytes);
  const shard = { key: shardKey(sha256), bytes: bytes.length, checksum: checksum(bytes), sha256, start: 0 };
  return { ...manifest, lists: [{ ...manifest.lists[0]!, numbers }], shards: [shard] };
}

it('refuses a release with more numbers than its manifest counts, without reading them all', async () => {
  const manifest = await manifestOf(5_000);
  const added = await new ReleaseCheck(manifest, testKeys).add(manifest.shards[0]!, bytes);
  expect(added).toMatchObject({ ok: false, code: 'COUNT_WRONG' });
});

it.each([
  ['than its manifest counts', 5_000, 'COUNT_WRONG'],
  ['than any release may have', 200_000_001, 'LIMIT_EXCEEDED'],
])('does not compare a release with more numbers %s', async (_, numbers, code) => {
  const next = await manifestOf(numbers);
  const compared = await diffReleases({
    ...{ base: null, next, keys: testKeys, load: async () => bytes, watched: [] },
  });
  expect(compared).toMatchObject({ ok: false, code });
});
