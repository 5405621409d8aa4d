/** The proof of a shard: right for the built shard, wrong after any change to an entry or a lookup. */
import { expect, it } from 'vitest';
import { ListModelBuilder } from '../../../cli/proof/list-model.ts';
import { Prover } from '../../../cli/proof/prover.ts';
import { sha256Hex } from '../../../shared/bytes.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../../../shared/numbers/number.ts';
import { Release } from '../../../shared/release/release.ts';
import { checksum } from '../../../shared/set/xxhash.ts';
import { randomFrom } from '../../shared/numbers/random.ts';
import { build, exactUntil } from '../../shared/support/built-release.ts';
import { flips } from '../../shared/support/damage.ts';
import { EVER, plainList } from '../../shared/support/plain-model.ts';
import { testKeys } from '../../shared/support/test-keys.ts';

const NOW = 100;
const DENSE = 8210;

const below = randomFrom(11);
const prefixes = [12, 4479, DENSE, 8610, 8610, 8611, 85_298];
const numbers = Array.from({ length: 90 }, (_, index) => {
  return { n: prefixes[index % prefixes.length]! * SUFFIX_COUNT + below(SUFFIX_COUNT), ...EVER };
});
const dated = numbers
  .slice(0, 12)
  .map(({ n }, index) => ({ n: n + 5, since: 10 + index, until: 105 - index }));
const built = await build([plainList('one', { numbers: [...numbers, ...dated] }), plainList('two', {})]);
const [blob] = built.manifest.shards;
const bytes = built.values.get(blob!.key)!;

const builders = ['block', 'block'].map(() => new ListModelBuilder('block', DENSE));
for (const { n, ...dates } of [...numbers, ...dated]) builders[0]!.add({ kind: 'number', n }, dates);
const models = builders.map((builder) => builder.finish().numbers);

/** A release with these bytes as its only shard; null if they are refused. */
async function releaseWith(shard: Uint8Array<ArrayBuffer>): Promise<Release | null> {
  const altered = { ...blob!, checksum: checksum(shard), sha256: await sha256Hex(shard) };
  const release = new Release({ ...built.manifest, shards: [altered] }, testKeys);
  return (await release.install(altered, shard)).ok ? release : null;
}

function proveShard(release: Release): { wrong: number; plain: readonly number[]; dated: readonly number[] } {
  const prover = new Prover(release, models, { now: NOW, densePrefix: DENSE, step: 1 });
  prover.checkShard(0, () => undefined);
  prover.checkMoments();
  const { wrong, plain, dated: datedCounts } = prover;
  return { wrong, plain, dated: datedCounts };
}

const RIGHT = { wrong: 0, plain: [numbers.length, 0], dated: [dated.length, 0] };

/** All entries, and the lookups of each entry of the correct release and of its neighbours, as text. */
function contentOf(release: Release): string {
  const shard = release.shard(0)!;
  const lists = [0, 1].map((list) => {
    const entries = [[...shard.keys(list)].map((keys) => [...keys]), [...shard.dated(list)]];
    const found = [...numbers, ...dated].flatMap(({ n }) => {
      const image = testKeys.permutation.permute(suffixOf(n));
      const near = [image - 1, image, image + 1].map((place) => testKeys.permutation.invert(place));
      const all = [n - 1, n + 1, ...near.map((suffix) => prefixOf(n) * SUFFIX_COUNT + suffix)];
      return all.map((each) => exactUntil(release, list, each, NOW));
    });
    return [entries, found];
  });
  return JSON.stringify(lists);
}

it('is right for the shard as it was built', async () => {
  expect(proveShard((await releaseWith(bytes.slice()))!)).toEqual(RIGHT);
});

it('is wrong if any changed bit changes an entry or a lookup', async () => {
  const right = contentOf((await releaseWith(bytes.slice()))!);
  const seen = { refused: 0, changed: 0, same: 0 };
  for (const damaged of flips(bytes, [1, 2, 8, 64, 128], 5)) {
    const release = await releaseWith(damaged.bytes);
    if (release === null) {
      seen.refused++;
    } else if (contentOf(release) === right) {
      seen.same++;
    } else {
      seen.changed++;
      expect(proveShard(release), damaged.what).not.toEqual(RIGHT);
    }
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
});
