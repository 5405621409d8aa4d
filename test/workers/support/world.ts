/**
 * Releases for the tests of the Worker: numbers that are listed, each in one way, and how a release
 * comes into the store.
 */
import { env } from 'cloudflare:workers';
import { type BuiltRelease, buildRelease } from '../../../shared/build/release.ts';
import { fromBase64 } from '../../../shared/bytes.ts';
import { signHead } from '../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { type Manifest, signManifest } from '../../../shared/release/manifest.ts';
import { Release } from '../../../shared/release/release.ts';
import { EVER, listSource, type PlainList, plainList } from '../../shared/support/plain-model.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { RELEASE_PRIVATE_KEY } from './secrets.ts';

/** 2026-11-24T03:12:09Z, in ms: the time of tests with a clock of their own. */
export const NOW = 1_795_489_929_000;

export const LISTED = '+821012345678';
export const IN_RANGE = '+821033330042';
export const NOWHERE = '+821099998888';
export const SOURCE = 'kb-bank';
/** Listed until LAPSES_AT, in seconds since 1970. */
export const LAPSING = '+821055556666';
export const LAPSES_AT = NOW / 1000 + 10;

/** Blocked numbers, a blocked range, a blocked source and an entry that ends: one shard and two tables. */
export function smallLists(numbers: readonly string[] = [LISTED]): PlainList[] {
  const suspended = plainList('suspended', {
    numbers: [
      ...numbers.map((number) => ({ n: Number(number), ...EVER })),
      { n: Number(LAPSING), since: 0, until: LAPSES_AT },
    ],
  });
  const unallocated = plainList('unallocated', {
    ranges: [{ from: 821_033_330_000, to: 821_033_339_999, ...EVER }],
  });
  const overseas = plainList('overseas', { sources: [{ text: SOURCE, ...EVER }] });
  return [
    suspended,
    { ...unallocated, info: { ...unallocated.info, reason: 'NUMBER_UNALLOCATED' } },
    { ...overseas, info: { ...overseas.info, reason: 'OVERSEAS_SOURCE_LISTED', subjects: ['from'] } },
  ];
}

/** Heads of Chinese mobile numbers (+86 130 to +86 179): 13 digits, so five of head. */
const FILLED_HEADS = Array.from({ length: 50 }, (_, index) => 86_130 + index);
const ENTRIES_PER_HEAD = 1_000;

/** A number of the large release. @param place 0 to 49, in the order of the shards */
export function filler(place: number, index = 0): string {
  return `+${FILLED_HEADS[place]! * 100_000_000 + index * 99_991}`;
}

/** Enough dated entries for three shards or more, and the small lists. */
export function largeLists(numbers?: readonly string[]): PlainList[] {
  const terminated = plainList('terminated', {
    numbers: FILLED_HEADS.flatMap((_, place) =>
      Array.from({ length: ENTRIES_PER_HEAD }, (_, index) => ({
        n: Number(filler(place, index)),
        since: 0,
        until: 4_000_000_000,
      })),
    ),
  });
  return [
    ...smallLists(numbers),
    { ...terminated, info: { ...terminated.info, reason: 'NUMBER_TERMINATED' } },
  ];
}

/** @param minute tells releases of the same content apart */
export async function build(lists: readonly PlainList[], minute = 0): Promise<BuiltRelease> {
  const sources = lists.map((list) => listSource(list, testKeys));
  const createdAt = new Date(Date.UTC(2026, 10, 24, 3, minute));
  const built = await buildRelease(sources, testKeys, { base: null, createdAt, foldedSeq: 0 });
  if (!built.ok) throw new Error(built.message);
  return built.value;
}

/** Key of the shard that holds a number. */
export function shardKeyOf({ manifest }: BuiltRelease, number: string): string {
  return new Release(manifest, testKeys).blobFor(Number(number))!.key;
}

/** @param base64 PKCS #8 */
export async function privateKey(base64: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', fromBase64(base64)!, 'Ed25519', false, ['sign']);
}

/** The text of a head. @param signingKey PKCS #8 in base64 */
export async function headText(
  manifest: Manifest,
  seq: number,
  signingKey = RELEASE_PRIVATE_KEY,
): Promise<string> {
  const key = await privateKey(signingKey);
  const signed = await signManifest(manifest, key);
  return JSON.stringify(
    await signHead({ seq, promotedAt: '2026-11-24T03:00:00.000Z', manifest: signed }, key),
  );
}

export async function publishValues({ values }: BuiltRelease): Promise<void> {
  await Promise.all([...values].map(([key, bytes]) => env.LISTS.put(key, bytes)));
}

export async function publishHead(manifest: Manifest, seq = 1): Promise<void> {
  await env.LISTS.put(HEAD_KEY, await headText(manifest, seq));
}

/** Values first, then the head, as a push does. */
export async function publish(built: BuiltRelease, seq = 1): Promise<void> {
  await publishValues(built);
  await publishHead(built.manifest, seq);
}
