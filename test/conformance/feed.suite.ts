/**
 * The feed over HTTP: who may read it and how, the content of each response, and refusals. Third-party consumers are in
 * test/cli/feed/consumers.test.ts.
 */
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import type { FeedKeyInfo } from '../../shared/admin/feed-keys.ts';
import type { Client } from '../../shared/clients.ts';
import type { FeedCloudEvent } from '../../shared/feed/cloud-event.ts';
import { openFeedKey } from '../../shared/feed/open-jwe.ts';
import { openPage } from '../../shared/feed/open-page.ts';
import type { SnapshotEntry } from '../../shared/feed/snapshot.ts';
import { beginEpoch } from '../../shared/feed/verify-notes.ts';
import { expectRefused, openApi, type Request, send } from './support/send.ts';
import { adminValue, changedState, expectAdminRefused } from './support/send-admin.ts';
import { world } from './support/world.ts';

const reason = 'a test';
const PATHS = [
  ...['/v1/feed', '/v1/feed/events', '/v1/feed/snapshot', '/v1/feed/checkpoint', '/v1/feed/epochs/1'],
  '/v1/decisions/stream',
];
const NUMBER = '+821078001234';
const keys: Record<string, string> = {};

async function clientOf(id: string, feed: object | null | undefined): Promise<object> {
  const { key, secretSha256 } = await newKey(id);
  keys[id] = key;
  return { id, secretSha256: [secretSha256], rights: ['feed'], ...(feed === undefined ? {} : { feed }) };
}

async function addConsumer(id: string, feed: object): Promise<void> {
  const client = await clientOf(id, feed);
  await adminValue(`clients/${id}`, { method: 'PUT', body: { client, reason } });
}

/** A request of a consumer. */
function as(id: string): Request {
  return { client: null, base: world().admin, headers: { authorization: `Bearer ${keys[id]}` } };
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 250));
}

/** Schemas of entries that are not numbers, by their subject. */
const SCHEMAS: Readonly<Record<string, string>> = { campaign: 'FeedCampaignEntry', host: 'FeedHostEntry' };

describe('the feed', () => {
  /** The cursor after the end of the block. */
  let cursor = '';
  /** The page that has the block. */
  let own = '';

  beforeAll(async () => {
    await addConsumer('feed-dir', { encryption: 'dir' });
    await addConsumer('feed-clear', { encryption: 'none' });
    for (const op of ['block', 'clear'])
      await adminValue('entries', {
        body: { op, items: [{ number: NUMBER }], subjects: ['from'], reason },
      });
    // A new client is unknown for up to a second, until control has read it.
    while ((await send('/v1/feed/epochs/1', as('feed-clear'))).status === 401) await soon();
    // Other suites have made earlier events.
    for (let next = ''; cursor === ''; ) {
      const path = `/v1/feed?timeout=20000${next === '' ? '' : `&lastEventId=${next}`}`;
      const { headers, json, text } = await send(path, as('feed-clear'));
      const ended = (json as unknown as FeedCloudEvent[]).some(({ method }) => method === 'DELETE');
      next = headers.get('numgate-cursor')!;
      if (text.includes(NUMBER)) own = path;
      if (ended && own !== '') cursor = next;
    }
  });

  it('an admin gives a consumer a key, which decrypts what the consumer then reads', async () => {
    await expectRefused(['/v1/feed', as('feed-dir')], [403, 'FEED_KEY_MISSING']);
    for (const token of ['read', 'entries', null] as const)
      await expectAdminRefused(
        ['clients/feed-dir/feed-key', { token, body: { reason } }],
        token === null ? [401, 'UNAUTHENTICATED'] : [403, 'PERMISSION_DENIED'],
      );
    await expectAdminRefused(
      ['clients/feed-clear/feed-key', { token: 'clients', body: { reason } }],
      [400, 'FIELD_VALUE', 'client.feed'],
    );
    const headers = { 'idempotency-key': 'feed-key-once' };
    const request = { token: 'clients', body: { reason }, headers } as const;
    const { jwk } = await adminValue<FeedKeyInfo>('clients/feed-dir/feed-key', request);
    // Repeating the request shows the same key, and makes no new key.
    expect(await adminValue<FeedKeyInfo>('clients/feed-dir/feed-key', request)).toMatchObject({ jwk });
    const stored = await adminValue<Client>('clients/feed-dir');
    expect(JSON.stringify(stored)).not.toContain(jwk.k);
    expect(jwk.kid).toBe(`feed-dir#${(stored.feed as { keyId: string }).keyId}`);
    const key = await openFeedKey(JSON.stringify(jwk));
    if (!key.ok) throw new Error(key.message);
    // Control reads its clients at intervals.
    for (;;) {
      const page = await send('/v1/feed', as('feed-dir'));
      if (page.json?.code === 'FEED_KEY_MISSING') {
        await soon();
        continue;
      }
      const statement = await send('/v1/feed/epochs/1', as('feed-dir'));
      const begun = await beginEpoch(statement.text, null, null);
      if (!begun.ok) throw new Error(begun.message);
      expect(await openPage(page.json, key.value, begun.value)).toMatchObject({ ok: true });
      expect(page.text).not.toContain(NUMBER);
      return;
    }
  });

  it('changes of clients that would make one without a key, or with a wrong key, are refused by field', async () => {
    const before = await changedState();
    const [ec, ed] = await Promise.all([
      generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true }),
      generateKeyPair('Ed25519', { extractable: true }),
    ]);
    const privateKey = await exportJWK(ec.privateKey);
    const publicKey = await exportJWK(ec.publicKey);
    const put = async (feed: object | null | undefined, code: string, field: string) => {
      const client = await clientOf('feed-wrong', feed);
      await expectAdminRefused(
        ['clients/feed-wrong', { method: 'PUT', body: { client, reason } }],
        [400, code, field],
      );
    };
    await put(undefined, 'FIELD_VALUE', 'client.feed');
    await put(null, 'FIELD_VALUE', 'client.feed');
    await put({ encryption: 'none', key: publicKey }, 'FIELD_UNKNOWN', 'client.feed.key');
    await put({ encryption: 'ECDH-ES' }, 'FIELD_MISSING', 'client.feed.key');
    await put({ encryption: 'ECDH-ES', key: privateKey }, 'FIELD_UNKNOWN', 'client.feed.key.d');
    await put({ encryption: 'dir', keyId: '0'.repeat(24) }, 'FIELD_VALUE', 'client.feed.keyId');
    const wrong = { ...publicKey, y: publicKey.x };
    await put({ encryption: 'ECDH-ES', key: wrong }, 'FIELD_VALUE', 'client.feed.key');
    for (const key of [await exportJWK(ed.publicKey), { ...publicKey, crv: 'P-384' }])
      await put({ encryption: 'ECDH-ES', key }, 'FIELD_VALUE', 'client.feed.key.crv');
    await put({ encryption: 'RSA-OAEP' }, 'FIELD_VALUE', 'client.feed.encryption');
    expect(await changedState()).toEqual(before);
  });

  it('keys of others, unknown parameters and cursors of another place are refused by name', async () => {
    for (const path of PATHS) {
      await expectRefused([path, { client: null, base: world().admin }], [401, 'UNAUTHENTICATED']);
      await expectRefused([path, { client: 'bulk', base: world().admin }], [401, 'UNAUTHENTICATED']);
      await expectRefused(
        [`${path}?from=${encodeURIComponent(NUMBER)}`, as('feed-clear')],
        [...([400, 'FIELD_UNKNOWN', 'from'] as const)],
      );
    }
    const [feed, epoch, position] = cursor.split('.') as [string, string, string];
    for (const [wrong, code] of [
      [NUMBER, 'CURSOR_INVALID'],
      [`${feed.replace(/./g, (digit) => (digit === 'f' ? '0' : 'f'))}.${epoch}.1`, 'CURSOR_FOREIGN'],
      [`${feed}.${epoch}.${Number(position) + 1_000_000}`, 'CURSOR_AHEAD'],
      [`${feed}.${Number(epoch) + 7}.${position}`, 'CURSOR_AHEAD'],
    ] as const)
      for (const path of ['/v1/feed', '/v1/feed/events'])
        await expectRefused(
          [`${path}?lastEventId=${encodeURIComponent(wrong)}`, as('feed-clear')],
          [400, code],
        );
    await expectRefused(['/v1/feed/epochs/99', as('feed-clear')], [404, 'FEED_EPOCH_UNKNOWN']);
    await expectRefused(['/v1/decisions/stream', as('feed-dir')], [403, 'PERMISSION_DENIED']);
    await expectRefused(['/v1/feed', { ...as('feed-clear'), method: 'POST' }], [405, 'METHOD_NOT_ALLOWED']);
  });

  it('each event, entry and decision is as the document says', async () => {
    const openapi = await openApi();
    const page = await send(own, as('feed-clear'));
    const events = page.json as unknown as FeedCloudEvent[];
    expect(openapi.errorsAs('FeedBatch', events)).toBe('');
    for (const { data } of events) expect(openapi.errorsAs('FeedData', data)).toBe('');
    expect(JSON.stringify(events)).toContain(NUMBER);
    const snapshot = await send('/v1/feed/snapshot', as('feed-clear'));
    const [head, ...lines] = snapshot.text.trim().split('\n');
    expect(JSON.parse(head!)).toMatchObject({ cursor: snapshot.headers.get('numgate-cursor') });
    for (const line of lines) {
      const { reference, position, ...entry } = JSON.parse(line) as SnapshotEntry;
      expect([reference, position]).toEqual([expect.stringMatching(/^[\w-]{22}$/), expect.any(Number)]);
      expect(openapi.errorsAs(SCHEMAS[entry.subject] ?? 'FeedEntry', entry)).toBe('');
    }
    expect(snapshot.text).not.toContain(NUMBER);
    const decisions = await send('/v1/decisions/stream?startup=true', as('feed-clear'));
    expect(openapi.errorsAs('Decisions', decisions.json)).toBe('');
    const csv = await send('/v1/feed/snapshot', {
      ...as('feed-clear'),
      headers: { ...as('feed-clear').headers, accept: 'text/csv' },
    });
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    for (const path of ['/v1/feed/checkpoint', '/v1/feed/epochs/1'])
      expect((await send(path, as('feed-clear'))).text).toMatch(/^numgate feed [a-z]+\n[0-9a-f]{16}\n1\n/);
  });
});
