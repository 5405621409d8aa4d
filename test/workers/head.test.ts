/**
 * Which heads an isolate takes: a bad one is refused and the last good one goes on serving, and `seq`
 * never goes back.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { HEAD_FRESH_MS } from '../../shared/limits.ts';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import { ask, askAndSettle, askHere, said } from './support/ask.ts';
import { publishClients } from './support/clients.ts';
import './support/isolate.ts';
import { failing, Gate, KvWatch } from './support/kv.ts';
import { FOREIGN_PRIVATE_KEY } from './support/secrets.ts';
import {
  build,
  headText,
  LISTED,
  NOW,
  NOWHERE,
  publish,
  publishHead,
  publishValues,
  shardKeyOf,
  smallLists,
} from './support/world.ts';

const ours = await build(smallLists(), 1);
const newer = await build(smallLists([NOWHERE]), 2);
const newest = await build(smallLists([LISTED, NOWHERE]), 3);
const good = await headText(newer.manifest, 6);

/** A good head with a part replaced, signature and all as they were. */
function patched(change: (head: { format: number; manifest: Record<string, string> }) => void): string {
  const head = JSON.parse(good) as { format: number; manifest: Record<string, string> };
  change(head);
  return JSON.stringify(head);
}

const BAD_HEADS: Readonly<Record<string, string>> = {
  'is empty': '',
  'is not JSON': '{"format":1,',
  'is null': 'null',
  'is a list': '[]',
  'is cut': good.slice(0, -20),
  'has another format': patched((head) => {
    head.format = 2;
  }),
  'has no signature': patched(({ manifest }) => {
    manifest.signature = '';
  }),
  'has a signature that is not base64': patched(({ manifest }) => {
    manifest.signature = '***';
  }),
  'has a signature of another text': patched(({ manifest }) => {
    manifest.signed += ' ';
  }),
  'is signed by a foreign key': await headText(newer.manifest, 6, FOREIGN_PRIVATE_KEY),
  'was made with a foreign LIST_KEY': await headText({ ...newer.manifest, keyId: '0123456789abcdef' }, 6),
  'has a manifest of another format': await headText({ ...newer.manifest, format: 2 as 1 }, 6),
  'has a manifest that is not one': await headText({ ...newer.manifest, lists: null as never }, 6),
  'has a lower seq': await headText(newer.manifest, 4),
  'has a seq that is no number': await headText(newer.manifest, '6' as never),
};

let warned: MockInstance<typeof console.warn>;
beforeEach(async () => {
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(ours, 5);
  await publishValues(newer);
  await publishClients();
});

describe.each(Object.entries(BAD_HEADS))('a head that %s', (_, text) => {
  test('is refused, and the last good one goes on serving', async () => {
    await askAndSettle({ body: { to: LISTED } });
    await env.LISTS.put(HEAD_KEY, text);
    vi.setSystemTime(NOW + HEAD_FRESH_MS + 1);
    await askAndSettle({ body: { to: LISTED } });
    const { status, body } = await askAndSettle({ body: { to: LISTED } });
    expect([status, said(body)]).toEqual([200, 'block NUMBER_SUSPENDED']);
    expect([body.release, body.seq]).toEqual([ours.manifest.release, 5]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('"event":"headRefused"'));
  });
});

describe.each(Object.entries(BAD_HEADS).filter(([what]) => what !== 'has a lower seq'))(
  'to a cold isolate, a head that %s',
  (_, text) => {
    test('is no data, and it says so', async () => {
      await env.LISTS.put(HEAD_KEY, text);
      const { status, body } = await askAndSettle({ body: { to: LISTED } });
      expect([status, said(body)]).toEqual([200, 'indeterminate LIST_UNAVAILABLE']);
      expect([body.release, body.asOf, body.stale]).toEqual([null, null, true]);
      expect((await ask({ path: '/healthz' })).status).toBe(503);
    });
  },
);

describe('a good head', () => {
  test('replaces ours, in the background', async () => {
    await askAndSettle({ body: { to: LISTED } });
    await env.LISTS.put(HEAD_KEY, good);
    vi.setSystemTime(NOW + HEAD_FRESH_MS + 1);
    expect((await askAndSettle({ body: { to: LISTED } })).body.release).toBe(ours.manifest.release);
    const { body } = await askAndSettle({ body: { to: LISTED } });
    expect([said(body), body.release, body.seq]).toEqual(['allow', newer.manifest.release, 6]);
  });

  test('of the same release brings its seq', async () => {
    await askAndSettle({ body: { to: LISTED } });
    await publishHead(ours.manifest, 9);
    vi.setSystemTime(NOW + HEAD_FRESH_MS + 1);
    await askAndSettle({ body: { to: LISTED } });
    expect((await askAndSettle({ body: { to: LISTED } })).body.seq).toBe(9);
  });

  test('is waited for by a cold isolate, which takes it once KV answers again', async () => {
    const kv = new KvWatch();
    kv.fate(HEAD_KEY, failing);
    const { body } = await askAndSettle({ body: { to: LISTED } });
    expect(said(body)).toBe('indeterminate LIST_UNAVAILABLE');
    kv.heal();
    vi.setSystemTime(NOW + HEAD_FRESH_MS);
    expect(said((await askAndSettle({ body: { to: LISTED } })).body)).toBe('block NUMBER_SUSPENDED');
  });
});

describe('seq', () => {
  test('does not go back when a release is slow and a later one overtakes it', async () => {
    await publishValues(newest);
    await askAndSettle({ body: { to: LISTED } });
    const kv = new KvWatch();
    const slow = new Gate();
    kv.fate(shardKeyOf(newer, NOWHERE), slow.pass);
    await publishHead(newer.manifest, 6);
    vi.setSystemTime(NOW + HEAD_FRESH_MS + 1);
    const first = askAndSettle({ body: { to: LISTED } });
    await kv.begun(shardKeyOf(newer, NOWHERE));
    await publishHead(newest.manifest, 7);
    vi.setSystemTime(NOW + 2 * (HEAD_FRESH_MS + 1));
    await askAndSettle({ body: { to: LISTED } });
    const before = await askHere({ body: { to: LISTED } });
    expect([before.body.seq, before.body.release]).toEqual([7, newest.manifest.release]);
    slow.open();
    await first;
    const after = await askHere({ body: { to: LISTED } });
    expect([after.body.seq, after.body.release]).toEqual([7, newest.manifest.release]);
  });
});
