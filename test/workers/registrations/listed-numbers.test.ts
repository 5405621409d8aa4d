/** A release lists the same numbers with a code as a plain model. Only values that can contain them are read. */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { ListedNumbers } from '../../../workers/registrations/listed-numbers.ts';
import { EVER, type PlainList, PlainModel, plainList } from '../../shared/support/plain-model.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { build, publishValues, shardKeyOf } from '../support/world.ts';

const NOW = 2_000_000_000;

function listOf(name: string, info: Partial<PlainList['info']>, content: Partial<PlainList>): PlainList {
  const list = plainList(name, content);
  return { ...list, info: { ...list.info, ...info } };
}

const spread = (base: number, count: number) =>
  Array.from({ length: count }, (_, index) => base + index * 7_919);
const gone = listOf(
  'gone',
  { reason: 'NUMBER_TERMINATED' },
  {
    numbers: [
      ...spread(821_020_000_000, 3_000).map((n) => ({ n, ...EVER })),
      ...spread(82_212_340_000, 300).map((n, index) => ({
        n,
        since: 0,
        until: NOW + (index % 2 === 0 ? 1 : -1),
      })),
    ],
    ranges: [{ from: 82_315_550_000, to: 82_315_550_099, ...EVER }],
  },
);
const others = [
  listOf('suspended', {}, { numbers: [{ n: 821_099_990_001, ...EVER }] }),
  listOf(
    'to',
    { reason: 'NUMBER_TERMINATED', subjects: ['to'] },
    { numbers: [{ n: 821_099_990_002, ...EVER }] },
  ),
  listOf(
    'shadow',
    { reason: 'NUMBER_TERMINATED', effect: 'shadow' },
    { numbers: [{ n: 821_099_990_003, ...EVER }] },
  ),
];

test('finds exactly the numbers that a list with the code has in force for senders', async () => {
  const built = await build([gone, ...others]);
  await publishValues(built);
  const model = new PlainModel(gone);
  const numbers = [
    ...gone.numbers.map(({ n }) => n),
    ...gone.numbers.map(({ n }) => n + 1),
    ...Array.from({ length: 120 }, (_, index) => 82_315_549_990 + index),
    ...[821_099_990_001, 821_099_990_002, 821_099_990_003, 14_155_550_100],
  ];
  const expected = numbers.filter((n) => model.exact(n, NOW) >= 0 || model.range(n, NOW) >= 0);
  expect(expected.length).toBeGreaterThan(3_000);
  const listed = new ListedNumbers(built.manifest, 'NUMBER_TERMINATED', testKeys, env.LISTS);
  expect(await listed.find(numbers, NOW)).toEqual(new Set(expected));
});

test('reads nothing for a code that no list has, and reports a value that KV lacks', async () => {
  const built = await build([gone, ...others]);
  const unlisted = new ListedNumbers(built.manifest, 'NUMBER_MISUSED' as never, testKeys, env.LISTS);
  expect(await unlisted.find([821_020_000_000], NOW)).toEqual(new Set());
  const listed = new ListedNumbers(built.manifest, 'NUMBER_TERMINATED', testKeys, env.LISTS);
  expect(await listed.find([821_020_000_000], NOW)).toBeNull();
  await publishValues(built);
  await env.LISTS.delete(shardKeyOf(built, '+821020000000'));
  expect(await listed.find([821_020_000_000], NOW)).toBeNull();
});
