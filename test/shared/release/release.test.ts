/**
 * Whole releases compared with plain lists: random numbers of dense and sparse prefixes, dated entries,
 * overlapping dated ranges, and sources, in several lists. Every result is compared.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FOREVER } from '../../../shared/set/layout.ts';
import { randomFrom } from '../numbers/random.ts';
import { build, exactUntil, install } from '../support/built-release.ts';
import { EVER, type PlainList, PlainModel, plainList } from '../support/plain-model.ts';
import { holdsAsync, suffix } from '../support/properties.ts';
import { sourceFingerprint } from '../support/sources.ts';
import { testKeys } from '../support/test-keys.ts';

const NOW = 1_750_000_000;
const TIMES = [0, NOW - 1, NOW, NOW + 86_399, NOW + 86_400, 4_000_000_000];
const PREFIXES = [0, 1, 1201, 8210, 8211, 6391, 63917, 9_999_999];

const dates = fc.constantFrom(
  EVER,
  EVER,
  { since: NOW, until: NOW + 86_400 },
  { since: NOW - 5, until: FOREVER },
  { since: 0, until: NOW },
  { since: NOW, until: NOW },
);
const number = fc
  .tuple(fc.constantFrom(...PREFIXES), suffix)
  .map(([prefix, each]) => prefix * 100_000_000 + each);
const content = fc.record({
  numbers: fc.array(
    fc.tuple(number, dates).map(([n, when]) => ({ n, ...when })),
    { maxLength: 120 },
  ),
  ranges: fc.array(
    fc
      .tuple(number, fc.nat({ max: 200_000_000 }), dates)
      .map(([from, length, when]) => ({ from, to: from + length, ...when })),
    { maxLength: 12 },
  ),
  sources: fc.array(
    fc.tuple(fc.stringMatching(/^[a-z]{1,2}$/), dates).map(([text, when]) => ({ text, ...when })),
    { maxLength: 20 },
  ),
  /** Additional random numbers of one prefix. With 1,024 or more, the prefix has its own part. */
  bulk: fc.tuple(
    fc.constantFrom(1201, 8210),
    fc.constantFrom(0, 1_000, 1_023, 1_024, 1_500, 4_000),
    fc.nat(),
  ),
});

function listOf(
  name: string,
  { bulk: [prefix, count, seed], ...rest }: typeof content extends fc.Arbitrary<infer C> ? C : never,
): PlainList {
  const below = randomFrom(seed);
  const bulk = Array.from({ length: count }, () => ({
    n: prefix * 100_000_000 + below(100_000_000),
    ...EVER,
  }));
  return plainList(name, { ...rest, numbers: [...rest.numbers, ...bulk] });
}

/** All listed numbers and their neighbours. */
function numbersToLookUp(lists: readonly PlainList[]): number[] {
  const listed = lists.flatMap(({ numbers, ranges }) => [
    ...numbers.map(({ n }) => n),
    ...ranges.flatMap(({ from, to }) => [from, to]),
  ]);
  const edges = PREFIXES.flatMap((prefix) => [prefix * 100_000_000, prefix * 100_000_000 + 99_999_999]);
  const beside = [...listed, ...edges].flatMap((n) => [n - 1, n, n + 1]);
  return [...new Set(beside)].filter((n) => n >= 0 && n < 1_000_000_000_000_000);
}

describe('a release', () => {
  it('agrees with plain lists on every number, range and source', async () => {
    await holdsAsync(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 4 }), async (contents) => {
        const lists = contents.map((each, index) => listOf(`list-${index}`, each));
        const release = await install(await build(lists));
        const lookedUp = numbersToLookUp(lists);
        lists.forEach((plain, list) => {
          const model = new PlainModel(plain);
          for (const now of TIMES) {
            for (const n of lookedUp) {
              const exact = exactUntil(release, list, n, now);
              if (exact !== model.exact(n, now)) expect.fail(`list ${list}, ${n} at ${now}: ${exact}`);
            }
            for (const n of lookedUp.slice(0, 400)) {
              const range = release.ranges?.until(list, n, now) ?? -1;
              if (range !== model.range(n, now))
                expect.fail(`list ${list}, range of ${n} at ${now}: ${range}`);
            }
            for (const text of ['a', 'ab', 'zz', ...plain.sources.map((source) => source.text)]) {
              const source =
                release.sources?.until(list, sourceFingerprint(text, testKeys.sourceSeed), now) ?? -1;
              if (source !== model.source(text, now))
                expect.fail(`list ${list}, source ${text} at ${now}: ${source}`);
            }
          }
        });
      }),
      { numRuns: 25 },
    );
  });

  it('states in its manifest the counts of its lists', async () => {
    const n = 821_012_345_678;
    const day = { since: NOW, until: NOW + 86_400 };
    const { manifest } = await build([
      plainList('one', {
        numbers: [
          { n, ...EVER },
          { n, ...EVER },
          { n, ...day },
          { n: n + 1, ...day },
        ],
        ranges: [
          { from: 0, to: 9, ...EVER },
          { from: 10, to: 19, ...EVER },
        ],
        sources: [
          { text: 'a', ...EVER },
          { text: 'a', ...EVER },
        ],
      }),
      plainList('two'),
    ]);
    const counts = manifest.lists.map(({ numbers, dated, ranges, sources }) => [
      numbers,
      dated,
      ranges,
      sources,
    ]);
    expect(counts).toEqual([
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ]);
  });

  it('may list nothing: no shards, no tables, no hits', async () => {
    const built = await build([plainList('one')]);
    expect(built.values.size).toBe(0);
    const release = await install(built);
    expect(release.shardIndexOf(8210, 5)).toBe(-1);
    expect(release.blobFor(821_012_345_678)).toBeNull();
    expect([release.ranges, release.sources]).toEqual([null, null]);
  });
});
