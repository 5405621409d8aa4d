/**
 * The heads that an isolate accepts. It refuses a bad head and keeps serving the last good one, and `seq`
 * never goes back.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { utf8 } from '../../../../shared/bytes.ts';
import { sealDirectory } from '../../../../shared/clients.ts';
import { HEAD_FRESH_MS } from '../../../../shared/limits/edge.ts';
import { openHead } from '../../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../../shared/release/kv-keys.ts';
import { deriveListKeys, LIST_KEY_BYTES } from '../../../../shared/set/keys.ts';
import { seal } from '../../../../shared/set/seal.ts';
import { testKeys } from '../../../shared/support/test-keys.ts';
import { CLIENTS, publishClients } from '../../support/clients.ts';
import { coldIsolate } from '../../support/isolate.ts';
import { failing, Gate, KvWatch } from '../../support/kv.ts';
import { FOREIGN_PRIVATE_KEY, RELEASE_PRIVATE_KEY } from '../../support/secrets.ts';
import { send, sendAndSettle, sendHere, summarize } from '../../support/send.ts';
import {
  build,
  headOf,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  publishHead,
  publishValues,
  shardKeyOf,
  smallLists,
} from '../../support/world.ts';

coldIsolate();

const ours = await build(smallLists(), 1);
const newer = await build(smallLists([NOWHERE]), 2);
const newest = await build(smallLists([LISTED, NOWHERE]), 3);
const good = await headOf(newer.manifest, 6, RELEASE_PRIVATE_KEY, CLIENTS);
const foreignKeys = await deriveListKeys(new Uint8Array(LIST_KEY_BYTES).fill(7));

/** Seals other content like a head. */
function sealedJson(change: object, keys = testKeys): Promise<Uint8Array<ArrayBuffer>> {
  return seal(utf8(JSON.stringify(change)), keys);
}
const opened = await openHead(good, testKeys);
if (!opened.ok) throw new Error(opened.message);
const { head, manifests } = opened.value;

const BAD_HEADS: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  'is empty': new Uint8Array(0),
  'is not sealed': utf8(JSON.stringify(opened.value)),
  'is cut': good.slice(0, -20),
  'has a flipped bit': good.with(40, good[40]! ^ 1) as Uint8Array<ArrayBuffer>,
  'is sealed with a foreign LIST_KEY': await sealedJson(opened.value, foreignKeys),
  'is null': await sealedJson([]),
  'is another sealed value': await sealDirectory({ clients: [], organisations: [] }, testKeys),
  'has another format': await sealedJson({ head: { ...head, format: 3 }, manifests }),
  'has registrations that are not a segment': await sealedJson({
    head: { ...head, registrations: { version: 1, droppedVersion: 0, segments: [], unsealed: 'AAAA' } },
    manifests,
  }),
  'has a seq that is not a number': await sealedJson({ head: { ...head, seq: '6' }, manifests }),
  'has a tail that is not a segment': await sealedJson({ head: { ...head, tail: 'AAAA' }, manifests }),
  'has a tail that is not base64': await sealedJson({ head: { ...head, tail: '***' }, manifests }),
  'names a missing directory': await sealedJson({
    head: { ...head, clients: { key: 'clients/nowhere', sha256: '0'.repeat(64) } },
    manifests,
  }),
  'names a missing segment': await sealedJson({
    head: { ...head, segments: [{ key: 'live/nowhere', sha256: '0'.repeat(64) }] },
    manifests,
  }),
};

/** The rest of the head is accepted, together with the release in use. */
const BAD_RELEASES: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  'is missing': await sealedJson({
    head: { ...head, current: { release: 'nowhere', signature: 'none' } },
    manifests: [],
  }),
  'has no signature': await sealedJson({
    head: { ...head, current: { ...head.current, signature: '' } },
    manifests: [{ ...manifests[0], signature: '' }],
  }),
  'has a signature of another text': await sealedJson({
    head,
    manifests: [{ ...manifests[0], signed: `${manifests[0]!.signed} ` }],
  }),
  'is signed by a foreign key': await headOf(newer.manifest, 6, FOREIGN_PRIVATE_KEY, CLIENTS),
  'was made with a foreign LIST_KEY': await headOf(
    { ...newer.manifest, keyId: '0123456789abcdef' },
    6,
    RELEASE_PRIVATE_KEY,
    CLIENTS,
  ),
  'is of another format': await headOf(
    { ...newer.manifest, format: 1 as 2 },
    6,
    RELEASE_PRIVATE_KEY,
    CLIENTS,
  ),
  'is not a manifest': await headOf(
    { ...newer.manifest, lists: null as never },
    6,
    RELEASE_PRIVATE_KEY,
    CLIENTS,
  ),
};

let warned: MockInstance<typeof console.warn>;
beforeEach(async () => {
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(ours, 5);
  await publishValues(newer);
  await publishClients();
});

describe.each(Object.entries(BAD_HEADS))('a head that %s', (_, bytes) => {
  test('is refused, and the last good one keeps serving', async () => {
    await sendAndSettle({ body: { to: LISTED } });
    await env.LISTS.put(HEAD_KEY, bytes);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle({ body: { to: LISTED } });
    const { status, body } = await sendAndSettle({ body: { to: LISTED } });
    expect([status, summarize(body)]).toEqual([200, 'block NUMBER_SUSPENDED']);
    expect([body.release, body.seq]).toEqual([ours.manifest.release, 5]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('"event":"valueRefused"'));
  });
});

describe.each(Object.entries({ ...BAD_HEADS, ...BAD_RELEASES }))(
  'to a cold isolate, a head that %s',
  (_, bytes) => {
    test('is no data: it answers 503', async () => {
      await env.LISTS.put(HEAD_KEY, bytes);
      const { status, body } = await sendAndSettle({ body: { to: LISTED } });
      expect([status, body.code]).toEqual([503, 'UNAVAILABLE']);
      expect((await send({ path: '/healthz' })).status).toBe(503);
    });
  },
);

describe.each(Object.entries(BAD_RELEASES))('a head whose release %s', (_, bytes) => {
  test('is accepted with the release that serves', async () => {
    await sendAndSettle({ body: { to: LISTED } });
    await env.LISTS.put(HEAD_KEY, bytes);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle({ body: { to: LISTED } });
    const { status, body } = await sendAndSettle({ body: { to: LISTED } });
    expect([status, summarize(body)]).toEqual([200, 'block NUMBER_SUSPENDED']);
    expect([body.release, body.seq]).toEqual([ours.manifest.release, 6]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('"event":"valueRefused"'));
  });
});

describe('a good head', () => {
  test('replaces ours, in the background', async () => {
    await sendAndSettle({ body: { to: LISTED } });
    await env.LISTS.put(HEAD_KEY, good);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    expect((await sendAndSettle({ body: { to: LISTED } })).body.release).toBe(ours.manifest.release);
    const { body } = await sendAndSettle({ body: { to: LISTED } });
    expect([summarize(body), body.release, body.seq]).toEqual(['allow', newer.manifest.release, 6]);
  });

  test('of the same release updates seq', async () => {
    await sendAndSettle({ body: { to: LISTED } });
    await publishHead(ours.manifest, 9);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle({ body: { to: LISTED } });
    expect((await sendAndSettle({ body: { to: LISTED } })).body.seq).toBe(9);
  });

  test('is awaited by a cold isolate, which accepts it once KV answers again', async () => {
    const kv = new KvWatch();
    kv.override(HEAD_KEY, failing);
    const { body } = await sendAndSettle({ body: { to: LISTED } });
    expect(body.code).toBe('UNAVAILABLE');
    kv.restore();
    vi.setSystemTime(NOW + HEAD_FRESH_MS);
    expect(summarize((await sendAndSettle({ body: { to: LISTED } })).body)).toBe('block NUMBER_SUSPENDED');
  });
});

describe('seq', () => {
  test('does not go back when a release loads slowly and a later one overtakes it', async () => {
    await publishValues(newest);
    await sendAndSettle({ body: { to: LISTED } });
    const kv = new KvWatch();
    const slow = new Gate();
    kv.override(shardKeyOf(newer, NOWHERE), slow.hold);
    await publishHead(newer.manifest, 6);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    const first = sendAndSettle({ body: { to: LISTED } });
    await kv.waitForGet(shardKeyOf(newer, NOWHERE));
    await publishHead(newest.manifest, 7);
    vi.setSystemTime(NOW + 2 * NEXT_POLL_MS);
    await sendAndSettle({ body: { to: LISTED } });
    const before = await sendHere({ body: { to: LISTED } });
    expect([before.body.seq, before.body.release]).toEqual([7, newest.manifest.release]);
    slow.open();
    await first;
    const after = await sendHere({ body: { to: LISTED } });
    expect([after.body.seq, after.body.release]).toEqual([7, newest.manifest.release]);
  });
});
