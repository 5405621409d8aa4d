/** The routes of feed consumers, over a fake store: what they send to which client, and what they refuse. */
import { env } from 'cloudflare:workers';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { toBase64Url } from '../../../shared/bytes.ts';
import { feedSecretOf, newFeedKeyId } from '../../../shared/feed/consumer-keys.ts';
import { openFeedKey } from '../../../shared/feed/open-jwe.ts';
import { openPage } from '../../../shared/feed/open-page.ts';
import { FEED_PAGE_EVENTS, FEED_WAIT_MS_MAX } from '../../../shared/limits/feed.ts';
import {
  FEED_OPEN_MAX,
  FEED_REQUESTS_MAX,
  FEED_SNAPSHOTS_MAX,
  FEED_WAIT_MARGIN_MS,
} from '../../../shared/limits/feed-http.ts';
import { fail } from '../../../shared/result.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { resetConsumers } from '../../../workers/feed/consumers.ts';
import { sharingKeysOf } from '../../../workers/storage/sharing-secrets.ts';
import { START } from '../../shared/support/feed-page.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, codeOf, coordinator, unwrap } from '../support/coordinator.ts';
import { FakeFeed } from '../support/fake-feed.ts';
import { addConsumer, fetchAs, keyOf } from '../support/feed-clients.ts';
import { ANY } from '../support/room.ts';

const PATHS = [
  ...['/v1/feed', '/v1/feed/events', '/v1/feed/snapshot', '/v1/feed/checkpoint', '/v1/feed/epochs/1'],
  '/v1/decisions/stream',
];
let feed: FakeFeed;

beforeEach(async () => {
  feed = new FakeFeed(10);
  await addConsumer('clear', { encryption: 'none' });
});

interface Wire {
  readonly code?: string;
  readonly message?: string;
  readonly field?: string;
  readonly snapshot?: string;
}

async function codeAt(path: string, id: string | null = 'clear', rest: object = {}): Promise<unknown[]> {
  const response = await fetchAs(id, path, feed, rest);
  const { code, field } = (await response.json()) as Wire;
  return [response.status, code, field];
}

describe('a page', () => {
  test('has the events after the cursor, in clear, and says where they end', async () => {
    const response = await fetchAs('clear', `/v1/feed?lastEventId=${feed.cursorOf(4)}`, feed);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      ...[200, 'application/cloudevents-batch+json'],
    ]);
    expect(response.headers.get('numgate-cursor')).toBe(feed.cursor);
    const page = await response.json();
    const after = { ...START, position: 4, digest: feed.kept[3]!.digest };
    const opened = await openPage(page, null, after);
    expect(opened).toMatchObject({ ok: true, value: { end: { position: 10, digest: feed.last.digest } } });
    expect((page as { type: string }[]).map(({ type }) => type.slice(11, -3))).toEqual([
      ...['sender.unblocked', 'sender.blocked', 'sender.blocked', 'recipient.blocked', 'sender.unblocked'],
      'sender.unblocked',
    ]);
  });

  test('never has events of two pages', async () => {
    feed = new FakeFeed(FEED_PAGE_EVENTS + 3);
    const first = (await (await fetchAs('clear', '/v1/feed', feed)).json()) as { id: string }[];
    expect(first.length).toBe(FEED_PAGE_EVENTS);
    const next = await fetchAs('clear', `/v1/feed?lastEventId=${first.at(-1)!.id}`, feed);
    expect(((await next.json()) as object[]).length).toBe(3);
  });

  test('is encrypted with the secret of the client, which is shown once and replaced by the next', async () => {
    await addConsumer('reader', { encryption: 'dir' });
    expect(await codeAt('/v1/feed', 'reader')).toEqual([403, 'FEED_KEY_MISSING', undefined]);
    const keys = await sharingKeysOf(env as unknown as ControlEnv);
    if (!keys.ok) throw new Error(keys.message);
    const issue = async () => {
      const keyId = await newFeedKeyId(keys.value);
      unwrap(await coordinator().issueFeedKey(asAdmin(), 'reader', keyId, ANY));
      resetConsumers();
      const secret = await feedSecretOf(keys.value, 'reader', keyId);
      const key = await openFeedKey(JSON.stringify({ kty: 'oct', k: toBase64Url(secret!) }));
      if (!key.ok) throw new Error(key.message);
      return key.value;
    };
    const read = async () => (await fetchAs('reader', '/v1/feed', feed)).json();
    const first = await issue();
    expect(await openPage(await read(), first, START)).toMatchObject({ ok: true });
    const second = await issue();
    const page = await read();
    expect(await openPage(page, first, START)).toMatchObject({ code: 'FEED_KEY_OTHER' });
    expect(await openPage(page, second, START)).toMatchObject({ ok: true });
    // A secret of a SHARING_KEY that no longer exists.
    unwrap(await coordinator().issueFeedKey(asAdmin(), 'reader', '0'.repeat(24), ANY));
    resetConsumers();
    expect(await codeAt('/v1/feed', 'reader')).toEqual([403, 'FEED_KEY_MISSING', undefined]);
  });

  test('is encrypted to the public key of the client, which alone decrypts it', async () => {
    for (const crv of ['P-256', 'X25519'] as const) {
      const pair = await generateKeyPair('ECDH-ES', { crv, extractable: true });
      const id = crv.toLowerCase();
      await addConsumer(id, { encryption: 'ECDH-ES', key: await exportJWK(pair.publicKey) });
      resetConsumers();
      const page = await (await fetchAs(id, '/v1/feed', feed)).json();
      const key = await openFeedKey(JSON.stringify(await exportJWK(pair.privateKey)));
      if (!key.ok) throw new Error(key.message);
      expect(await openPage(page, key.value, START)).toMatchObject({
        ok: true,
        value: { end: { position: 10 } },
      });
      expect(JSON.stringify(page)).not.toContain('SENDER_REPORTED');
    }
  });

  test('waits for events if asked to, at most as long as allowed', async () => {
    const waiting = fetchAs('clear', `/v1/feed?lastEventId=${feed.cursor}&timeout=60000`, feed);
    await vi.waitFor(() => expect(feed.waits).toEqual([FEED_WAIT_MS_MAX]), HANG_MS);
    const added = feed.append(2);
    const page = (await (await waiting).json()) as { id: string }[];
    expect(page.map(({ id }) => id)).toEqual(added.map(({ position }) => feed.cursorOf(position)));
  });

  test('that could not wait says when to come again', async () => {
    const waiting = fetchAs('clear', `/v1/feed?lastEventId=${feed.cursor}&timeout=20000`, feed);
    await vi.waitFor(() => expect(feed.waits.length).toBe(1), HANG_MS);
    feed.wake();
    const response = await waiting;
    expect([await response.json(), response.headers.get('retry-after')]).toEqual([[], '5']);
  });

  test('is refused with a named problem for a cursor that it cannot continue', async () => {
    for (const [cursor, status, code] of [
      ['nonsense', 400, 'CURSOR_INVALID'],
      ['+82 10 2000 0000', 400, 'CURSOR_INVALID'],
      ['ffffffffffffffff.1.1', 400, 'CURSOR_FOREIGN'],
      [feed.cursorOf(11), 400, 'CURSOR_AHEAD'],
    ] as const)
      for (const path of ['/v1/feed', '/v1/feed/events'])
        expect([path, await codeAt(`${path}?lastEventId=${encodeURIComponent(cursor)}`)]).toEqual([
          ...[path, [status, code, undefined]],
        ]);
    feed.gone = 5;
    for (const query of ['', `?lastEventId=${feed.cursorOf(3)}`]) {
      const gone = await fetchAs('clear', `/v1/feed${query}`, feed);
      expect([gone.status, await gone.json()]).toMatchObject([
        ...[410, { code: 'CURSOR_GONE', snapshot: '/v1/feed/snapshot' }],
      ]);
    }
  });
});

describe('consumers', () => {
  test('need a key with the right, of an active organisation', async () => {
    await addConsumer('checker', null, { rights: ['check'] });
    for (const path of PATHS) {
      expect([path, await codeAt(path, null)]).toEqual([path, [401, 'UNAUTHENTICATED', undefined]]);
      expect([path, await codeAt(path, 'stranger')]).toEqual([path, [401, 'UNAUTHENTICATED', undefined]]);
      // Control knows only clients that may read the feed.
      expect([path, await codeAt(path, 'checker')]).toEqual([path, [401, 'UNAUTHENTICATED', undefined]]);
    }
    const refused = await fetchAs('checker', '/v1/feed', feed);
    expect((await refused.json()) as object).toMatchObject({
      detail: expect.stringContaining('does not have the right "feed"') as string,
    });
  });

  test('cannot be made without an encryption, and nobody sets the ID of a secret', async () => {
    const before = await coordinator().clients();
    const put = async (feed: object | undefined) => {
      const secretSha256 = ['0'.repeat(64)];
      const client = { ...before[0]!, id: 'other', secretSha256, rights: ['feed' as const], feed };
      return codeOf(await coordinator().putClient(asAdmin(), 'other', client as never, ANY));
    };
    expect(await put(undefined)).toBe('FIELD_VALUE');
    expect(await put({ encryption: 'dir', keyId: '0'.repeat(24) })).toBe('FIELD_VALUE');
    expect(await coordinator().clients()).toEqual(before);
    expect(await put({ encryption: 'dir', keyId: null })).toBe('ok');
  });

  test('get 503 that names SHARING_KEY where it is not set', async () => {
    for (const path of PATHS) {
      const response = await fetchAs('clear', path, feed, { bindings: { SHARING_KEY: '' } });
      expect([path, response.status, await response.json()]).toMatchObject([
        ...[path, 503, { code: 'NOT_CONFIGURED', message: expect.stringContaining('SHARING_KEY') }],
      ]);
    }
  });

  test('get 503 while the store does not respond', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const broken = new Proxy(feed, { get: () => async () => Promise.reject(new Error('gone')) });
    for (const path of PATHS) {
      const response = await fetchAs('clear', path, broken);
      expect([path, response.status, await response.json()]).toMatchObject([
        ...[path, 503, { code: 'UNAVAILABLE' }],
      ]);
    }
    expect(warned.mock.calls.flat().join()).toContain('"event":"feedNotRead"');
  });

  test('may send so many requests a minute, and wait with so many at a time', async () => {
    for (let sent = 0; sent < FEED_REQUESTS_MAX; sent++) await fetchAs('clear', '/v1/feed/epochs/1', feed);
    const limited = await fetchAs('clear', '/v1/feed/epochs/1', feed);
    expect([limited.status, Number(limited.headers.get('retry-after')) > 0]).toEqual([429, true]);
    resetConsumers();
    const poll = `/v1/feed?lastEventId=${feed.cursor}&timeout=1000`;
    const waiting = Array.from({ length: FEED_OPEN_MAX }, () => fetchAs('clear', poll, feed));
    await vi.waitFor(() => expect(feed.waits.length).toBe(FEED_OPEN_MAX), HANG_MS);
    expect(await codeAt(poll)).toEqual([429, 'QUOTA_EXCEEDED', undefined]);
    expect(await codeAt('/v1/feed/events')).toEqual([429, 'QUOTA_EXCEEDED', undefined]);
    feed.append(1);
    for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
    expect((await fetchAs('clear', '/v1/feed', feed)).status).toBe(200);
  });

  test('whose clients go away make room for others after their time', async () => {
    const poll = `/v1/feed?lastEventId=${feed.cursor}&timeout=1000`;
    // Nobody reads these answers, as if the runtime had dropped the requests.
    for (let index = 0; index < FEED_OPEN_MAX; index++) void fetchAs('clear', poll, feed);
    await vi.waitFor(() => expect(feed.waits.length).toBe(FEED_OPEN_MAX), HANG_MS);
    expect((await fetchAs('clear', poll, feed)).status).toBe(429);
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 1_000 + FEED_WAIT_MARGIN_MS);
    const next = fetchAs('clear', poll, feed);
    await vi.waitFor(() => expect(feed.waits.length).toBe(FEED_OPEN_MAX + 1), HANG_MS);
    feed.append(1);
    expect((await next).status).toBe(200);
  });

  test('get unknown parameters, numbers and epochs refused by name', async () => {
    for (const [path, code, field] of [
      ['/v1/feed?after=3', 'FIELD_UNKNOWN', 'after'],
      ['/v1/feed?timeout=soon', 'FIELD_VALUE', 'timeout'],
      ['/v1/feed?timeout=1&timeout=2', 'FIELD_TYPE', 'timeout'],
      ['/v1/feed/events?timeout=1', 'FIELD_UNKNOWN', 'timeout'],
      ['/v1/feed/snapshot?format=xml', 'FIELD_VALUE', 'format'],
      ['/v1/feed/checkpoint?at=1', 'FIELD_UNKNOWN', 'at'],
      ['/v1/feed/epochs/0', 'FIELD_VALUE', 'epoch'],
      ['/v1/feed/epochs/one', 'FIELD_VALUE', 'epoch'],
      ['/v1/decisions/stream?startup=yes', 'FIELD_VALUE', 'startup'],
    ] as const)
      expect([path, await codeAt(path)]).toEqual([path, [400, code, field]]);
    expect(await codeAt('/v1/feed/epochs/2')).toEqual([404, 'FEED_EPOCH_UNKNOWN', undefined]);
  });

  test('get notes as text', async () => {
    const checkpoint = await fetchAs('clear', '/v1/feed/checkpoint', feed);
    expect([checkpoint.headers.get('content-type'), await checkpoint.text()]).toEqual([
      ...['text/plain; charset=utf-8', 'a checkpoint\n'],
    ]);
    feed.failure = fail('NOT_CONFIGURED', 'CHECKPOINT_KEY is not set');
    expect(await codeAt('/v1/feed/checkpoint')).toEqual([503, 'NOT_CONFIGURED', undefined]);
  });

  test('may send their key as X-Api-Key to the decision stream alone', async () => {
    const headers = { 'x-api-key': keyOf('clear') };
    expect((await fetchAs(null, '/v1/decisions/stream', feed, { headers })).status).toBe(200);
    expect(await codeAt('/v1/feed', null, { headers })).toEqual([401, 'UNAUTHENTICATED', undefined]);
    expect(await codeAt('/v1/decisions/stream', null, { headers: { 'x-api-key': 'clear.wrong' } })).toEqual([
      ...[401, 'UNAUTHENTICATED', undefined],
    ]);
  });

  test('may take so many snapshots a minute, not counting those that they have', async () => {
    const first = await fetchAs('clear', '/v1/feed/snapshot', feed);
    const headers = { 'if-none-match': first.headers.get('etag')! };
    for (let taken = 1; taken < FEED_SNAPSHOTS_MAX; taken++) {
      expect((await fetchAs('clear', '/v1/feed/snapshot', feed)).status).toBe(200);
      expect((await fetchAs('clear', '/v1/feed/snapshot', feed, { headers })).status).toBe(304);
    }
    expect(await codeAt('/v1/feed/snapshot')).toEqual([429, 'QUOTA_EXCEEDED', undefined]);
  });
});
