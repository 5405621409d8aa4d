/**
 * Releases for the tests of the Worker: numbers that are each listed in one way, and functions that put a
 * release into the store.
 */
import { env } from 'cloudflare:workers';
import { PairEntries, type RegisteredPair } from '../../../shared/build/pairs.ts';
import { type BuiltRelease, buildRelease } from '../../../shared/build/release.ts';
import { fromBase64, sha256Hex, toBase64 } from '../../../shared/bytes.ts';
import { type Client, type DirectoryOrganisation, sealDirectory } from '../../../shared/clients.ts';
import { HEAD_FRESH_MS, JITTER_SHARE } from '../../../shared/limits/edge.ts';
import type { LiveEntry } from '../../../shared/live/entry.ts';
import { encodeSegment } from '../../../shared/live/segment.ts';
import { type Head, type NamedRelease, type NamedValue, sealHead } from '../../../shared/release/head.ts';
import { clientsKey, HEAD_KEY, releaseKey, segmentKey } from '../../../shared/release/kv-keys.ts';
import { type Manifest, signManifest } from '../../../shared/release/manifest.ts';
import { Release } from '../../../shared/release/release.ts';
import type { SignedText } from '../../../shared/release/signed.ts';
import { seal } from '../../../shared/set/seal.ts';
import { EVER, listSource, type PlainList, plainList } from '../../shared/support/plain-model.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { RELEASE_PRIVATE_KEY } from './secrets.ts';

/** After this time, in ms, an isolate checks the head again after its next response. */
export const NEXT_POLL_MS = HEAD_FRESH_MS * (1 + JITTER_SHARE) + 1;

/** 2026-11-24T03:12:09Z, in ms: the time of tests with a fake clock. */
export const NOW = 1_795_489_929_000;

export const LISTED = '+821012345678';
export const IN_RANGE = '+821033330042';
export const NOWHERE = '+821099998888';
export const SOURCE = 'kb-bank';
/** A number that is listed until LAPSES_AT, in seconds since 1970. */
export const LAPSING = '+821055556666';
export const LAPSES_AT = NOW / 1000 + 10;

/** Blocked numbers, a blocked range, a blocked source, and an entry with an end: one shard and two tables. */
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

/** Prefixes of Chinese mobile numbers (+86 130 to +86 179): 13 digits, so a prefix of five. */
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

/** @param minute distinguishes releases of the same content @param pairs registered senders, in version 1 */
export async function build(
  lists: readonly PlainList[],
  minute = 0,
  pairs: readonly RegisteredPair[] | null = null,
): Promise<BuiltRelease> {
  const sources = lists.map((list) => listSource(list, testKeys));
  const createdAt = new Date(Date.UTC(2026, 10, 24, 3, minute));
  const entries = new PairEntries();
  for (const pair of pairs ?? []) entries.add(pair);
  const registrations = pairs === null ? undefined : { version: 1, content: entries.finish(testKeys) };
  const built = await buildRelease(sources, testKeys, { base: null, createdAt, foldedSeq: 0, registrations });
  if (!built.ok) throw new Error(built.message);
  return built.value;
}

/** The key of the shard that holds a number. */
export function shardKeyOf({ manifest }: BuiltRelease, number: string): string {
  return new Release(manifest, testKeys).blobFor(Number(number))!.key;
}

/** @param base64 PKCS #8 */
export async function privateKey(base64: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', fromBase64(base64)!, 'Ed25519', false, ['sign']);
}

/** The content of the head in KV. Tests publish it part by part. */
interface Published {
  seq: number;
  signed: SignedText | null;
  clients: NamedValue | null;
  entries: readonly LiveEntry[];
}
let published: Published = { seq: 0, signed: null, clients: null, entries: [] };

/** Removes the state of the previous test. */
export function resetPublished(): void {
  published = { seq: 0, signed: null, clients: null, entries: [] };
}

/** A head like the coordinator's. @param change fields that differ */
async function sealedHead(
  { seq, signed, clients, entries }: Published,
  change: Partial<Head> = {},
  inKv = true,
): Promise<Uint8Array<ArrayBuffer>> {
  const head: Head = {
    kind: 'numgate-head',
    format: 2,
    seq,
    changedAt: '2026-11-24T03:00:00.000Z',
    current: signed === null ? null : namedBy(signed),
    candidate: null,
    droppedSeq: 0,
    segments: [],
    tail: toBase64(encodeSegment(entries)),
    clients,
    ...change,
  };
  const manifests = signed === null || !inKv ? [] : [signed];
  return sealHead({ head, manifests, ...(inKv ? { writtenAt: new Date().toISOString() } : {}) }, testKeys);
}

function namedBy(signed: SignedText): NamedRelease {
  return { release: releaseIn(signed), signature: signed.signature };
}

function releaseIn({ signed }: SignedText): string {
  return (JSON.parse(signed) as { release?: string }).release ?? '';
}

/** Puts the published state into KV. @param change fields that differ */
export async function putHead(change: Partial<Head> = {}): Promise<void> {
  if (published.seq > 0) await env.LISTS.put(HEAD_KEY, await sealedHead(published, change));
}

/** The published state as the coordinator returns it. Readers look up the manifest by its name. */
export async function coordinatorHead(
  change: Partial<Head> = {},
): Promise<{ seq: number; sealed: Uint8Array<ArrayBuffer> }> {
  return { seq: change.seq ?? published.seq, sealed: await sealedHead(published, change, false) };
}

/** A head of a release, with a directory of these clients. @param signingKey PKCS #8 in base64 */
export async function headOf(
  manifest: Manifest,
  seq: number,
  signingKey = RELEASE_PRIVATE_KEY,
  clients: readonly object[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const signed = await signManifest(manifest, await privateKey(signingKey));
  return sealedHead({ signed, seq, clients: (await directoryOf(clients)).named, entries: [] });
}

async function directoryOf(clients: readonly object[], organisations: readonly DirectoryOrganisation[] = []) {
  const bytes = await sealDirectory({ clients: clients as Client[], organisations }, testKeys);
  const sha256 = await sha256Hex(bytes);
  return { bytes, named: { key: clientsKey(sha256), sha256 } };
}

/** Makes the head name these clients. */
export async function publishDirectory(
  clients: readonly object[],
  organisations: readonly DirectoryOrganisation[] = [],
): Promise<void> {
  const { bytes, named } = await directoryOf(clients, organisations);
  await env.LISTS.put(named.key, bytes);
  published.clients = named;
  published.seq = Math.max(1, published.seq);
  await putHead();
}

/** Makes the head contain these live entries. */
export async function publishLive(entries: readonly LiveEntry[], seq = published.seq + 1): Promise<void> {
  published = { ...published, entries, seq };
  await putHead();
}

/** Puts a manifest into KV by its name. @param signingKey PKCS #8 in base64 */
export async function publishManifest(
  manifest: Manifest,
  signingKey = RELEASE_PRIVATE_KEY,
): Promise<NamedRelease> {
  const signed = await signManifest(manifest, await privateKey(signingKey));
  await env.LISTS.put(releaseKey(manifest.release), JSON.stringify(signed));
  return namedBy(signed);
}

/** Puts a sealed segment of these live entries into KV. */
export async function publishSegment(
  entries: readonly LiveEntry[],
  keys = testKeys,
): Promise<NamedValue & { readonly bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = await seal(encodeSegment(entries), keys);
  const sha256 = await sha256Hex(bytes);
  const key = segmentKey(sha256);
  await env.LISTS.put(key, bytes);
  return { key, sha256, bytes };
}

/** The manifest that the published head names. */
export async function publishedManifest(): Promise<SignedText> {
  return published.signed!;
}

/** The KV key of the published directory. */
export function directoryKey(): string {
  return published.clients!.key;
}

export async function publishValues({ values }: BuiltRelease): Promise<void> {
  await Promise.all([...values].map(([key, bytes]) => env.LISTS.put(key, bytes)));
}

export async function publishHead(manifest: Manifest, seq = 1): Promise<void> {
  const signed = await signManifest(manifest, await privateKey(RELEASE_PRIVATE_KEY));
  published = { ...published, signed, seq };
  await putHead();
}

/** Writes the values first and then the head, like a push. */
export async function publish(built: BuiltRelease, seq = 1): Promise<void> {
  await publishValues(built);
  await publishHead(built.manifest, seq);
}
