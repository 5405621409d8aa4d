/** The event stream, the snapshot and the decisions of the feed, over a fake store. */
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { csvFields } from '../../../shared/csv.ts';
import type { FeedCloudEvent } from '../../../shared/feed/cloud-event.ts';
import { isPartyEntry, type PartyEntry } from '../../../shared/feed/entry.ts';
import { snapshotColumns } from '../../../shared/feed/snapshot.ts';
import { FEED_STREAM_MS } from '../../../shared/limits/feed-http.ts';
import { resetConsumers } from '../../../workers/feed/consumers.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { FakeFeed } from '../support/fake-feed.ts';
import { addConsumer, fetchAs } from '../support/feed-clients.ts';
import { ANY } from '../support/room.ts';

let feed: FakeFeed;

beforeEach(async () => {
  feed = new FakeFeed(10);
  await addConsumer('clear', { encryption: 'none' });
});

describe('the event stream', () => {
  async function open(headers: Record<string, string> = {}, query = '') {
    const response = await fetchAs('clear', `/v1/feed/events${query}`, feed, { headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const reader = response.body!.getReader();
    /** Reads the next piece; null at the end. */
    const read = async (): Promise<string | null> => {
      const { done, value } = await reader.read();
      return done ? null : new TextDecoder().decode(value);
    };
    return { read, cancel: () => reader.cancel() };
  }

  const idsIn = (text: string | null): string[] =>
    [...(text ?? '').matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);

  test('sends what is there, then each event as it comes, with a comment while there is none', async () => {
    const stream = await open({ 'last-event-id': feed.cursorOf(8) }, `?lastEventId=${feed.cursorOf(1)}`);
    const first = await stream.read();
    expect(first).toMatch(/^retry: 2000\n\nid: /);
    expect(idsIn(first)).toEqual([feed.cursorOf(9), feed.cursorOf(10)]);
    const [, data] = /^data: (.*)$/m.exec(first!)!;
    expect((JSON.parse(data!) as FeedCloudEvent).id).toBe(feed.cursorOf(9));
    const next = stream.read();
    await vi.waitFor(() => expect(feed.waits.length).toBe(2), HANG_MS);
    feed.append(1);
    expect(idsIn(await next)).toEqual([feed.cursorOf(11)]);
    const idle = stream.read();
    await vi.waitFor(() => expect(feed.waits.length).toBe(3), HANG_MS);
    feed.wake();
    expect(await idle).toBe(':\n\n');
    await stream.cancel();
  });

  test('ends when the client is removed, and lets another begin', async () => {
    const streams = [];
    for (let index = 0; index < 8; index++) streams.push(await open({ 'last-event-id': feed.cursor }));
    expect((await fetchAs('clear', '/v1/feed/events', feed)).status).toBe(429);
    unwrap(await coordinator().putClient(asAdmin(), 'clear', null, ANY));
    resetConsumers();
    for (const { read } of streams)
      expect([await read(), await read()]).toEqual(['retry: 2000\n\n:\n\n', null]);
  });

  test('ends when the client gets its data in another way, which the next one has', async () => {
    const { read } = await open({ 'last-event-id': feed.cursor });
    await read();
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    await addConsumer('clear', { encryption: 'ECDH-ES', key: await exportJWK(pair.publicKey) });
    resetConsumers();
    feed.append(1);
    expect(await read()).toBeNull();
  });

  test('ends after its time, so that the consumer reconnects', async () => {
    const stream = await open({ 'last-event-id': feed.cursor });
    await stream.read();
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + FEED_STREAM_MS);
    expect(await stream.read()).toBeNull();
  });

  test('ends where the place of the consumer is gone', async () => {
    const stream = await open({ 'last-event-id': feed.cursor });
    await stream.read();
    feed.gone = 11;
    expect(await stream.read()).toBeNull();
  });
});

describe('the snapshot', () => {
  test('has every entry and the place to go on from, as NDJSON and as CSV', async () => {
    const asLines = await fetchAs('clear', '/v1/feed/snapshot', feed);
    expect(asLines.headers.get('content-type')).toBe('application/x-ndjson');
    const [head, ...lines] = (await asLines.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(head).toEqual({ cursor: feed.cursor, digest: feed.last.digest });
    expect(lines).toEqual(
      feed.current.map(({ reference, position, entry }) => ({ reference, position, ...entry })),
    );
    for (const [path, headers] of [
      ['/v1/feed/snapshot?format=csv', {}],
      ['/v1/feed/snapshot', { accept: 'text/csv' }],
    ] as const) {
      const asCsv = await fetchAs('clear', path, feed, { headers });
      expect([asCsv.headers.get('content-type'), asCsv.headers.get('numgate-cursor')]).toEqual([
        ...['text/csv; charset=utf-8', feed.cursor],
      ]);
      const [columns, ...rows] = (await asCsv.text()).trimEnd().split('\n').map(csvFields);
      expect(columns).toEqual(snapshotColumns);
      const expected = lines.map((line) => snapshotColumns.map((column) => String(line[column] ?? '')));
      expect(rows).toEqual(expected);
    }
  });

  test('reads all pages of the store', async () => {
    feed = new FakeFeed(5_003);
    const lines = (await (await fetchAs('clear', '/v1/feed/snapshot', feed)).text()).trim().split('\n');
    expect(lines.length - 1).toBe(feed.current.length);
    expect(feed.current.length).toBeGreaterThan(4_000);
  });

  test('comes in numbered pieces that only the client decrypts, the last of them marked', async () => {
    feed = new FakeFeed(1_503);
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    await addConsumer('reader', { encryption: 'ECDH-ES', key: await exportJWK(pair.publicKey) });
    resetConsumers();
    for (const format of ['ndjson', 'csv'] as const) {
      const path = `/v1/feed/snapshot?format=${format}`;
      const sent = await (await fetchAs('reader', path, feed)).text();
      const clear = await (await fetchAs('clear', path, feed)).text();
      const lines = sent.trim().split('\n');
      if (format === 'csv') expect(lines.shift()).toBe('data');
      const jwes = lines.map((line) =>
        format === 'csv' ? line : (JSON.parse(line) as { data: string }).data,
      );
      const opened = await Promise.all(jwes.map((jwe) => compactDecrypt(jwe, pair.privateKey)));
      const point = { cursor: feed.cursor, digest: feed.last.digest };
      expect(opened.map(({ protectedHeader }) => protectedHeader.snapshot)).toEqual(
        opened.map((_, piece) => ({ ...point, piece, isLast: piece === opened.length - 1 })),
      );
      expect(opened.length).toBeGreaterThan(2);
      expect(opened.map(({ plaintext }) => new TextDecoder().decode(plaintext)).join('')).toBe(clear);
    }
  });

  test('breaks off, and does not end, if the store fails in the middle', async () => {
    feed = new FakeFeed(5_003);
    const snapshot = feed.snapshot.bind(feed);
    feed.snapshot = (after, limit) =>
      after === 0 ? snapshot(after, limit) : Promise.reject(new Error('gone'));
    const response = await fetchAs('clear', '/v1/feed/snapshot', feed);
    await expect(response.text()).rejects.toThrow();
  });

  test('has an ETag of its place, format, client and key', async () => {
    const etagOf = async (path: string, id = 'clear') => {
      const response = await fetchAs(id, path, feed);
      await response.text();
      return response.headers.get('etag')!;
    };
    await addConsumer('other', { encryption: 'none' });
    resetConsumers();
    const etag = await etagOf('/v1/feed/snapshot');
    const others = [await etagOf('/v1/feed/snapshot?format=csv'), await etagOf('/v1/feed/snapshot', 'other')];
    expect(new Set([etag, ...others]).size).toBe(3);
    const repeat = async (given: string) =>
      (await fetchAs('clear', '/v1/feed/snapshot', feed, { headers: { 'if-none-match': given } })).status;
    expect([await repeat(etag), await repeat(`"x", ${etag}`), await repeat('"x"')]).toEqual([304, 304, 200]);
    feed.append(1);
    expect(await repeat(etag)).toBe(200);
    const before = await etagOf('/v1/feed/snapshot', 'other');
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    await addConsumer('other', { encryption: 'ECDH-ES', key: await exportJWK(pair.publicKey) });
    resetConsumers();
    expect(await etagOf('/v1/feed/snapshot', 'other')).not.toBe(before);
  });
});

interface Decisions {
  readonly new: readonly { readonly scope: string; readonly value: string; readonly duration: string }[];
  readonly deleted: readonly { readonly scope: string; readonly value: string }[];
}

/** Numbers that the feed blocks. */
function blocksIn({ current }: FakeFeed): PartyEntry[] {
  return current.flatMap(({ entry }) => (isPartyEntry(entry) && entry.effect === 'block' ? [entry] : []));
}

describe('decisions', () => {
  const poll = async (query: string): Promise<Decisions> =>
    (await fetchAs('clear', `/v1/decisions/stream${query}`, feed)).json();

  test('are the blocks of senders at the start, and afterwards what has changed', async () => {
    const start = await poll('?startup=true');
    const blocks = blocksIn(feed).filter(({ subject }) => subject === 'from');
    expect(start.new.map(({ value }) => value)).toEqual(blocks.map(({ number }) => number));
    expect([new Set(start.new.map(({ scope }) => scope)), start.deleted]).toEqual([new Set(['phone']), []]);
    expect(await poll('?startup=false')).toEqual({ new: [], deleted: [] });
    const added = feed.append(5);
    const changed = await poll('');
    expect(changed.new.map(({ value }) => value)).toEqual([(added[0]!.entry as PartyEntry).number]);
    // A label, a lift and an end. None of them is a block any more.
    expect(changed.deleted.map(({ scope }) => scope)).toEqual(['sender', 'phone', 'phone']);
  });

  test('last until the block ends, or a year', async () => {
    feed.kept.splice(0, feed.kept.length, ...new FakeFeed(1).kept);
    const soon = new Date(Date.now() + 90_000).toISOString();
    for (const [until, seconds] of [
      [soon, 90],
      [null, 31_536_000],
    ] as const) {
      const entry = feed.kept[0]!.entry as PartyEntry;
      feed.kept[0] = { ...feed.kept[0]!, entry: { ...entry, until } };
      const [decision] = (await poll('?startup=true')).new;
      const lasts = Number(/^(\d+)s$/.exec(decision!.duration)![1]);
      expect([lasts <= seconds, lasts > seconds - 60]).toEqual([true, true]);
    }
  });

  test('are those that the bouncer wants', async () => {
    const values = async (query: string) => (await poll(`?startup=true&${query}`)).new.length;
    const all = blocksIn(feed);
    const bySubject = (of: string) => all.filter(({ subject }) => subject === of).length;
    expect(await values('scopes=recipient')).toBe(bySubject('to'));
    expect(await values('scopes=phone,recipient')).toBe(all.length);
    expect([await values('scopes=ip,range'), await values('origins=crowdsec')]).toEqual([0, 0]);
    resetConsumers();
    expect(await values('scenarios_containing=REPORTED')).toBe(bySubject('from'));
    expect(await values('scenarios_not_containing=REPORTED')).toBe(0);
  });

  test('are refused to clients that get encrypted data', async () => {
    await addConsumer('reader', { encryption: 'dir' });
    resetConsumers();
    const response = await fetchAs('reader', '/v1/decisions/stream', feed);
    expect([response.status, await response.json()]).toMatchObject([403, { code: 'PERMISSION_DENIED' }]);
  });
});
