/**
 * Third-party software reads the feed of the real service: `cloudevents` parses every page, `eventsource` receives events
 * across restarts, `jose` of npm and of Debian decrypt, and a CrowdSec bouncer blocks and unblocks.
 */
import '../support/workspace.ts';
import { CloudEvent, HTTP } from 'cloudevents';
import { EventSource } from 'eventsource';
import { compactDecrypt, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { skipMissing } from '../../../bench/lib/skip-missing.ts';
import { makeFeed } from '../../../examples/node/client.ts';
import type { FeedCloudEvent, FeedData } from '../../../shared/feed/cloud-event.ts';
import { isPartyEntry, type PartyEntry } from '../../../shared/feed/entry.ts';
import { openFeedKey } from '../../../shared/feed/open-jwe.ts';
import { type ChainPoint, openPage } from '../../../shared/feed/open-page.ts';
import { beginEpoch, openCheckpoint } from '../../../shared/feed/verify-notes.ts';
import { openSigner, openVerifier } from '../../../shared/signed-note.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { numgate } from '../support/command.ts';
import { Bouncer, decryptWithJose, generateWithJose, hasBouncer, hasJose } from '../support/feed-peers.ts';
import { serviceSecrets, startTestService, type TestService } from '../support/service.ts';
import { FOLDER, SECRETS, write } from '../support/workspace.ts';

if (!hasJose) skipMissing('jose', 'the feed is not decrypted by others: jose is not installed');
if (!hasBouncer)
  skipMissing('crowdsec-custom-bouncer', 'no bouncer reads the feed: crowdsec-custom-bouncer is missing');

const reason = 'a test';
/** More than one page. */
const NUMBERS = Array.from({ length: 300 }, (_, index) => `+8210${31_000_000 + index * 7}`);
const EC = hasJose ? generateWithJose({ kty: 'EC', crv: 'P-256' }) : null;
let service: TestService;
const keys: Record<string, string> = {};
let secret: Record<string, string>;

async function addClient(id: string, ...options: string[]): Promise<void> {
  const { code, out, errors } = await numgate('clients', 'add', id, '--rights', 'feed', ...options);
  expect([code, errors]).toEqual([0, '']);
  keys[id] = out.trim();
}

function change(op: 'block' | 'unblock' | 'clear', numbers: readonly string[]): Promise<unknown> {
  const items = numbers.map((number) => ({ number }));
  const subjects = ['from'];
  return service.admin.change('POST', 'entries', { op, items, subjects, reason });
}

async function get(id: string, path: string): Promise<Response> {
  const response = await fetch(`${service.url}${path}`, { headers: { authorization: `Bearer ${keys[id]}` } });
  expect([path, response.status]).toEqual([path, 200]);
  return response;
}

/** This feed contains only numbers. */
function wordsOf({ number, effect }: PartyEntry): string {
  return `${number} ${effect}`;
}

interface Page {
  readonly headers: Headers;
  readonly text: string;
  readonly events: readonly FeedCloudEvent[];
}

/** Reads all pages from the first event on, until they have at least `count` events. */
async function pagesOf(id: string, count: number): Promise<Page[]> {
  const pages: Page[] = [];
  let cursor = '';
  for (let read = 0; read < count; ) {
    const response = await get(id, `/v1/feed?timeout=20000${cursor === '' ? '' : `&lastEventId=${cursor}`}`);
    const text = await response.text();
    const events = JSON.parse(text) as FeedCloudEvent[];
    if (events.length > 0) pages.push({ headers: response.headers, text, events });
    read += events.length;
    cursor = response.headers.get('numgate-cursor')!;
  }
  return pages;
}

beforeAll(async () => {
  service = await startTestService();
  await addClient('reader', '--feed', 'dir');
  secret = JSON.parse((await numgate('clients', 'feed-key', 'reader')).out) as Record<string, string>;
  await addClient('plain', '--feed', 'none');
  if (EC !== null) {
    const { d, key_ops, ...publicJwk } = EC;
    await addClient('curve', '--feed-key', write('curve.jwk', JSON.stringify(publicJwk)));
  }
  await change('block', NUMBERS);
  await change('clear', NUMBERS.slice(0, 3));
  await change('unblock', NUMBERS.slice(3, 5));
});

describe('the feed of the real service', () => {
  const count = NUMBERS.length + 5;

  it('has pages that verify from the first event on, up to the signed checkpoint', async () => {
    const key = await openFeedKey(JSON.stringify(secret));
    if (!key.ok) throw new Error(key.message);
    const { verifierKey } = (await openSigner(SECRETS.CHECKPOINT_KEY))!;
    const verifier = (await openVerifier(verifierKey))!;
    const statement = await (await get('reader', '/v1/feed/epochs/1')).text();
    const begun = await beginEpoch(statement, verifier, null);
    if (!begun.ok) throw new Error(begun.message);
    let at: ChainPoint = begun.value;
    const blocked = new Set<string>();
    for (const { events } of await pagesOf('reader', count)) {
      const opened = await openPage(events, key.value, at);
      if (!opened.ok) throw new Error(opened.message);
      for (const { reference, entry } of opened.value.events) {
        if (entry !== null && isPartyEntry(entry) && entry.effect === 'block') blocked.add(reference);
        else blocked.delete(reference);
      }
      at = opened.value.end;
    }
    expect(blocked.size).toBe(NUMBERS.length - 5);
    const note = await (await get('reader', '/v1/feed/checkpoint')).text();
    const value = { ...at, at: expect.any(String) };
    expect(await openCheckpoint(note, verifier)).toEqual({ ok: true, value });
  });

  it('has pages that cloudevents parses, with the ends as DELETE', async () => {
    const pages = await pagesOf('reader', count);
    expect(pages.length).toBeGreaterThan(1);
    const parsed = pages.flatMap(({ headers, text }) =>
      HTTP.toEvent({ headers: Object.fromEntries(headers), body: text }),
    ) as CloudEvent<string>[];
    expect(parsed.length).toBe(count);
    for (const event of parsed) expect([event instanceof CloudEvent, event.validate()]).toEqual([true, true]);
    expect(parsed.map(({ id }) => id)).toEqual(pages.flatMap(({ events }) => events.map(({ id }) => id)));
    expect(parsed.filter(({ method }) => method === 'DELETE').length).toBe(3);
    expect(parsed.filter(({ type }) => type === 'kr.numgate.sender.unblocked.v1').length).toBe(5);
  });

  it('has data that jose of npm decrypts, and that of Debian', async () => {
    const dirFile = write('dir.jwk', JSON.stringify(secret));
    const consumers: [id: string, jwk: Record<string, string>, file: string][] = [
      ['reader', secret, dirFile],
    ];
    if (EC !== null) consumers.push(['curve', EC, write('curve.private.jwk', JSON.stringify(EC))]);
    for (const [id, jwk, file] of consumers) {
      const [{ events }] = (await pagesOf(id, 1)) as [Page];
      // Only one block, because Debian's jose takes one process per call.
      for (const { data, subject } of events.slice(0, 3)) {
        const key = await importJWK(jwk, id === 'curve' ? 'ECDH-ES' : 'dir');
        const { plaintext } = await compactDecrypt(String(data), key);
        const content = JSON.parse(new TextDecoder().decode(plaintext)) as FeedData;
        expect([content.reference, (content.entry as PartyEntry | null)?.code]).toEqual([
          subject,
          'SENDER_REPORTED',
        ]);
        if (hasJose) expect(JSON.parse(decryptWithJose(String(data), file))).toEqual(content);
      }
      const other = consumers.find(([name]) => name !== id);
      if (hasJose && other !== undefined)
        expect(() => decryptWithJose(String(events[0]!.data), other[2])).toThrow();
    }
  });

  it('is followed by the typed client, from a snapshot or from the first event on', async () => {
    const { url } = service;
    for (const [id, jwk] of [
      ['plain', null],
      ['reader', secret],
      ...(EC === null ? [] : [['curve', EC] as const]),
    ]) {
      const feed = makeFeed({ url, key: keys[id as string]!, jwk: jwk as JsonWebKey | null });
      const { place, entries } = await feed.snapshot();
      const snapshot = new Map<string, string | null>();
      for await (const entry of entries) snapshot.set(entry.reference, wordsOf(entry as PartyEntry));
      const followed = new Map<string, string | null>();
      let last = null;
      for await (const { reference, entry, place: at } of feed.changes(null, { follow: false })) {
        if (entry === null) followed.delete(reference);
        else followed.set(reference, wordsOf(entry as PartyEntry));
        last = at;
      }
      expect([id, last, [...followed].sort()]).toEqual([id, place, [...snapshot].sort()]);
      expect(snapshot.size).toBe(NUMBERS.length - 3);
    }
  });

  it('reaches an event source, which goes on where it was after a restart of the service', async () => {
    const cursor = (await pagesOf('plain', count)).at(-1)!.headers.get('numgate-cursor')!;
    const seen: FeedCloudEvent[] = [];
    const resumed: (string | null)[] = [];
    const source = new EventSource(`${service.url}/v1/feed/events?lastEventId=${cursor}`, {
      fetch: (input, init) => {
        const headers = new Headers(init.headers as Record<string, string>);
        resumed.push(headers.get('last-event-id'));
        headers.set('authorization', `Bearer ${keys.plain}`);
        return fetch(input, { ...init, headers });
      },
    });
    try {
      source.addEventListener('message', ({ data, lastEventId }) => {
        const event = JSON.parse(data as string) as FeedCloudEvent;
        expect(lastEventId).toBe(event.id);
        seen.push(event);
      });
      await change('block', ['+821032000001']);
      await vi.waitFor(() => expect(seen.length).toBe(1), HANG_MS);
      await service.replaceSecrets(await serviceSecrets());
      await change('clear', ['+821032000001']);
      await vi.waitFor(() => expect(seen.length).toBe(2), HANG_MS);
      expect(seen.map(({ method }) => method)).toEqual([undefined, 'DELETE']);
      expect(resumed.slice(0, 1)).toEqual([null]);
      expect(resumed.at(-1)).toBe(seen[0]!.id);
    } finally {
      source.close();
    }
  });

  it('is a snapshot with a place to go on from, compressed if asked to, 304 if it is known', async () => {
    const response = await get('plain', '/v1/feed/snapshot?format=csv');
    const lines = (await response.text()).trim().split('\n');
    expect(lines.length - 1).toBe(NUMBERS.length - 3);
    const headers = { authorization: `Bearer ${keys.plain}`, 'if-none-match': response.headers.get('etag')! };
    const again = await fetch(`${service.url}/v1/feed/snapshot?format=csv`, { headers });
    expect([again.status, await again.text()]).toEqual([304, '']);
    // Node requests gzip.
    expect(response.headers.get('content-encoding')).toBe('gzip');
    const cursor = response.headers.get('numgate-cursor')!;
    expect(await (await get('plain', `/v1/feed?lastEventId=${cursor}`)).json()).toEqual([]);
  });
});

describe.skipIf(!hasBouncer)('a bouncer of CrowdSec', () => {
  let bouncer: Bouncer;
  const left = NUMBERS.slice(5);
  afterAll(() => bouncer.stop());

  it('blocks what is blocked and unblocks what is lifted, over restarts of the service and of its own', async () => {
    await addClient('bouncer', '--feed', 'none');
    // A bouncer exits if its first request fails.
    await vi.waitFor(() => get('bouncer', '/v1/feed/epochs/1'), HANG_MS);
    bouncer = new Bouncer(FOLDER, service.url, keys.bouncer!);
    bouncer.start();
    await vi.waitFor(() => expect(bouncer.blocked).toEqual([...left].sort()), HANG_MS);
    await change('block', ['+821033000001']);
    await change('clear', [left[0]!]);
    const changed = [...left.slice(1), '+821033000001'].sort();
    await vi.waitFor(() => expect(bouncer.blocked).toEqual(changed), HANG_MS);
    // A restarted bouncer may receive earlier events again.
    await bouncer.stop('SIGKILL');
    await service.replaceSecrets(await serviceSecrets());
    await change('unblock', ['+821033000001']);
    await change('block', ['+821033000002']);
    bouncer.start();
    // The bouncer has no state and takes the snapshot. Its script must end earlier blocks by their duration.
    await vi.waitFor(() => expect(bouncer.blocked).toContain('+821033000002'), HANG_MS);
    await change('clear', ['+821033000002', left[1]!]);
    await vi.waitFor(() => {
      expect(bouncer.blocked).not.toContain('+821033000002');
      expect(bouncer.blocked).not.toContain(left[1]);
    }, HANG_MS);
    expect(bouncer.isRunning).toBe(true);
  });
});
