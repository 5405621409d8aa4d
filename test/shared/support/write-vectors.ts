/**
 * Writes test/vectors/: the golden bytes, all of them from the naive encoders in this folder. Run it by hand
 * after a deliberate change of the format, never to make a test pass: `node
 * test/shared/support/write-vectors.ts`.
 */
import { writeFileSync } from 'node:fs';
import { fromHex, hexOf } from './bytes.ts';
import { naiveHkdf, naivePermute, naiveRoundTables } from './naive-cipher.ts';
import { naiveXxh64 } from './naive-hash.ts';
import {
  type NaiveEntry,
  naiveRangeTable,
  naiveRegisteredTable,
  naiveSegment,
  naiveSourceTable,
} from './naive-tables.ts';
import { naivePairShardOf, REGISTRATIONS } from './registration-vector.ts';
import { naiveShardOf, type ShardVector } from './shard-vector.ts';
import { textVectors } from './text-vectors.ts';

const FOREVER = 0xffffffff;
const LIST_KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const derive = (label: string, size: number): Promise<Uint8Array<ArrayBuffer>> =>
  naiveHkdf(LIST_KEY, label, size);

const upTo = (count: number): number[] => Array.from({ length: count }, (_, suffix) => suffix);
const shards: Omit<ShardVector, 'hex'>[] = [
  {
    name: 'worked example',
    builder: true,
    lists: 1,
    end: [8210, 1000],
    parts: [
      {
        start: [8210, 0],
        plain: [{ kind: 'rice', tails: [3, 10, 11, 900], parameter: 7, width: 1000 }],
        dated: [null],
      },
    ],
  },
  {
    name: 'every kind of section, two lists',
    builder: true,
    lists: 2,
    end: [8210, 1600],
    parts: [
      {
        start: [0, 0],
        plain: [
          {
            kind: 'sparse',
            keys: [
              [0, 112],
              [1201, 5],
              [1201, 40],
              [1201, 99_999_999],
              [1202, 0],
              [6591, 7],
            ],
            headParameter: 11,
            blockParameters: [25],
          },
          null,
        ],
        dated: [
          null,
          [
            [1201, 5, 0, 1_800_000_000],
            [1201, 5, 1_700_000_000, FOREVER],
            [1201, 6, 1_700_000_000, 1_700_000_001],
          ],
        ],
      },
      {
        start: [8210, 0],
        plain: [
          {
            kind: 'rice',
            tails: [0, 1, 2, 64, 100, 101, 177, 250, 251, 309, 398, 399],
            parameter: 6,
            width: 1000,
          },
          { kind: 'bitmap', tails: upTo(1000).filter((suffix) => (suffix * suffix) % 7 < 2 || suffix > 990) },
        ],
        dated: [null, null],
      },
      {
        start: [8210, 1000],
        plain: [
          {
            kind: 'complement',
            tails: upTo(600).filter((suffix) => ![0, 17, 18, 300, 599].includes(suffix)),
            parameter: 6,
            width: 600,
          },
          null,
        ],
        dated: [[[8210, 1000, 1_700_000_000, 1_700_086_400]], null],
      },
    ],
  },
  {
    name: 'three groups of buckets, some empty',
    builder: false,
    lists: 1,
    end: [8210, 1301],
    parts: [
      {
        start: [8210, 0],
        plain: [
          {
            kind: 'rice',
            tails: upTo(1301).filter(
              (suffix) => suffix % 9 === 0 || (suffix > 600 && suffix < 640) || suffix === 1300,
            ),
            parameter: 1,
            width: 10,
          },
        ],
        dated: [null],
      },
    ],
  },
  {
    name: 'quotients of more than 32 zeros, in the set and in its complement',
    builder: false,
    lists: 2,
    end: [8210, 400],
    parts: [
      {
        start: [8210, 0],
        plain: [
          { kind: 'rice', tails: [0, 33, 65, 98, 163, 260, 399], parameter: 0, width: 200 },
          {
            kind: 'complement',
            tails: upTo(400).filter((suffix) => suffix !== 399),
            parameter: 2,
            width: 400,
          },
        ],
        dated: [null, null],
      },
    ],
  },
];

const ranges = [
  [
    [821000000000, 821019999999, 0, FOREVER],
    [821020000000, 821020000000, 1_700_000_000, 1_800_000_000],
    [821020000000, 821020000000, 1_750_000_000, FOREVER],
  ],
  [],
  [[0, 999_999_999_999_999, 0, FOREVER]],
] as const;

const TEXTS = [
  '',
  'kb-bank',
  'a',
  '국제발신',
  'smsc-63-917-0000000',
  'x'.repeat(31),
  'x'.repeat(32),
  'x'.repeat(100),
];

const live = {
  kind: 'number',
  high: 8210,
  op: 'block',
  subjects: 3,
  code: 'SENDER_REPORTED',
  authority: 'kisa',
};
const ofRule = { ...live, subjects: 1, authority: 'numgate' };
const segments: { name: string; entries: NaiveEntry[] }[] = [
  { name: 'no entry', entries: [] },
  { name: 'one block', entries: [{ ...live, low: 12_345_678, until: FOREVER, seq: 1 }] },
  {
    name: 'every kind, operation and subject, and the ends of every word',
    entries: [
      { ...live, high: 0, low: 0, until: 0, seq: 1, op: 'clear', code: null, authority: 'ktoa' },
      { ...live, low: 0, until: 1_800_000_000, seq: 9, op: 'unblock', code: null, subjects: 1 },
      { ...live, low: 0, until: FOREVER, seq: 8, code: 'NUMBER_SUSPENDED', subjects: 2 },
      { ...live, low: 0, until: FOREVER, seq: 7 },
      { ...live, low: 99_999_999, until: FOREVER, seq: FOREVER, authority: '기관' },
      { ...live, high: 9_999_999, low: 5, until: FOREVER, seq: 2 },
      { ...live, kind: 'source', high: 0, low: FOREVER, until: FOREVER, seq: 3 },
      { ...live, kind: 'source', high: FOREVER, low: FOREVER, until: 1, seq: 4, op: 'clear', code: null },
    ],
  },
  {
    name: 'blocks of rules beside one of a person and a lift',
    entries: [
      { ...ofRule, low: 1, until: 1_800_000_000, seq: 5, rule: 'kr-50@3', stage: 'provisional' },
      { ...live, low: 2, until: FOREVER, seq: 6 },
      { ...ofRule, low: 3, until: 1_800_000_000, seq: 7, op: 'clear', code: null },
      { ...ofRule, low: 4, until: 1_900_000_000, seq: 8, rule: 'kr-50@3', stage: 'confirmed' },
    ],
  },
];

const hex64 = (value: bigint): string => value.toString(16).padStart(16, '0');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const seed = BigInt(`0x${hexOf(await derive('numgate/1 sources', 8))}`);
const permutationKey = await derive('numgate/1 permutation', 32);
const tables = naiveRoundTables(permutationKey);
const SUFFIXES = [
  0, 1, 2, 9_999, 10_000, 10_001, 99_999, 112, 1_234_567, 12_345_678, 23_456_789, 31_415_926, 27_182_818,
  50_000_000, 49_999_999, 76_543_210, 87_654_321, 99_990_000, 99_999_998, 99_999_999,
];
const rangeTable = naiveRangeTable(ranges);
const sourceLists = [TEXTS.slice(0, 5), [], ['kb-bank']].map((texts) =>
  texts
    .map((text) => ({ text, fingerprint: naiveXxh64(utf8(text), seed), since: 0, until: FOREVER }))
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)),
);

async function sealed(content: Uint8Array<ArrayBuffer>): Promise<string> {
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const mac = await crypto.subtle.importKey('raw', await derive('numgate/1 seal nonce', 32), hmac, false, [
    'sign',
  ]);
  const key = await crypto.subtle.importKey('raw', await derive('numgate/1 seal', 32), 'AES-GCM', false, [
    'encrypt',
  ]);
  const iv = new Uint8Array(await crypto.subtle.sign('HMAC', mac, content)).slice(0, 12);
  return (
    hexOf(iv) + hexOf(new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, content)))
  );
}

function write(name: string, content: object): void {
  // Writes each innermost list on one line.
  const text = JSON.stringify(content, null, 1).replace(/\[[^[\]{}]*\]/g, (list) =>
    list.replace(/\s+/g, ' '),
  );
  writeFileSync(new URL(`../../vectors/${name}`, import.meta.url), `${text}\n`);
}

write('shards.json', { shards: shards.map((shard) => ({ ...shard, hex: hexOf(naiveShardOf(shard)) })) });
write('registrations.json', {
  ...REGISTRATIONS,
  shard: hexOf(naivePairShardOf(REGISTRATIONS)),
  table: hexOf(naiveRegisteredTable(REGISTRATIONS.groups, REGISTRATIONS.ranges)),
});
write('segments.json', {
  segments: segments.map((segment) => ({ ...segment, hex: hexOf(naiveSegment(segment.entries)) })),
});
write('tables.json', {
  listKey: hexOf(LIST_KEY),
  ranges: { lists: ranges, hex: hexOf(rangeTable), sealed: await sealed(fromHex(hexOf(rangeTable))) },
  sources: {
    lists: sourceLists.map((list) =>
      list.map((source) => ({ ...source, fingerprint: hex64(source.fingerprint) })),
    ),
    hex: hexOf(
      naiveSourceTable(
        sourceLists.map((list) =>
          list.map(({ fingerprint, since, until }) => [fingerprint, since, until] as const),
        ),
      ),
    ),
  },
});
write('text.json', await textVectors());
write('keys.json', {
  listKey: hexOf(LIST_KEY),
  derived: {
    'numgate/1 key id': hexOf(await derive('numgate/1 key id', 8)),
    'numgate/1 permutation': hexOf(permutationKey),
    'numgate/1 sources': hex64(seed),
    'numgate/1 seal': hexOf(await derive('numgate/1 seal', 32)),
    'numgate/1 seal nonce': hexOf(await derive('numgate/1 seal nonce', 32)),
    'numgate/1 appeals': hexOf(await derive('numgate/1 appeals', 48)),
  },
  images: SUFFIXES.map((suffix) => [suffix, naivePermute(tables, suffix)]),
  xxh64: TEXTS.map((text) => ({
    text,
    checksum: hex64(naiveXxh64(utf8(text), 0n)),
    fingerprint: hex64(naiveXxh64(utf8(text), seed)),
  })),
});
