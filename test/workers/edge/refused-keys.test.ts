/**
 * The cost of refused keys. A repeated key causes no check for a newer head, and different keys share one
 * check per second. A key that was used too early works a few seconds later.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  HEAD_FRESH_MS,
  JITTER_SHARE,
  KEY_FRESH_MS,
  KEY_REFUSED_MS,
  KEYS_REFUSED_MAX,
} from '../../../shared/limits/edge.ts';
import { AUTHORIZATION_CHARS_MAX } from '../../../shared/limits/requests.ts';
import { RefusedKeys } from '../../../workers/http/client-authentication.ts';
import { CLIENTS, publishClients } from '../support/clients.ts';
import { coldIsolate, fakeCoordinator } from '../support/isolate.ts';
import { failing, KvWatch } from '../support/kv.ts';
import { type RequestOptions, sendAndSettle, sendHere, type WireResponse } from '../support/send.ts';
import {
  build,
  coordinatorHead,
  LISTED,
  NOW,
  publish,
  publishManifest,
  smallLists,
} from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const check = { body: { to: LISTED } };
/** No poll is due before this time, in ms. */
const NO_POLL_MS = HEAD_FRESH_MS * (1 - JITTER_SHARE);
const STEP_MS = 100;

const withKey = (key: string): RequestOptions => ({ ...check, headers: { authorization: `Bearer ${key}` } });

/** Sends a request every STEP_MS from `start` on, until a poll is due. */
async function sendRepeatedly(
  start: number,
  options: (index: number) => RequestOptions,
): Promise<WireResponse[]> {
  const answers: WireResponse[] = [];
  for (let index = 0; index * STEP_MS < NO_POLL_MS; index++) {
    vi.setSystemTime(start + index * STEP_MS);
    answers.push(await sendAndSettle(options(index)));
  }
  return answers;
}

const [, ...others] = CLIENTS;

/** The isolate knows all clients except `open`; the coordinator knows all. */
beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(built);
  await publishManifest(built.manifest);
  await publishClients(others);
  fakeCoordinator().setHead(await coordinatorHead({ seq: 1 }));
  await sendAndSettle({ ...check, client: 'closed' });
  fakeCoordinator().requests.length = 0;
});

describe('a key that is refused', () => {
  test.each([
    ['of an unknown client', () => withKey('nobody.secret-of-nobody'), 401],
    ['of a known client, with a wrong secret', () => withKey('closed.secret-of-open'), 401],
    ['without the right', () => ({ ...check, client: 'nothing' }), 403],
  ])('%s causes one check of the head, and none when it is repeated', async (_, options, status) => {
    const reads = vi.spyOn(caches.default, 'match');
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await sendAndSettle(options())).status).toBe(status);
    expect(fakeCoordinator().requests).toHaveLength(1);
    const lookCount = reads.mock.calls.length;
    const answers = await sendRepeatedly(NOW + KEY_FRESH_MS + 2, options);
    expect(new Set(answers.map((answered) => answered.status))).toEqual(new Set([status]));
    expect([fakeCoordinator().requests.length, reads.mock.calls.length]).toEqual([1, lookCount]);
  });

  test('causes another check after KEY_REFUSED_MS', async () => {
    for (const at of [KEY_FRESH_MS + 1, KEY_FRESH_MS + KEY_REFUSED_MS + 2]) {
      vi.setSystemTime(NOW + at);
      await sendAndSettle(withKey('nobody.secret-of-nobody'));
    }
    expect(fakeCoordinator().requests).toHaveLength(2);
  });

  test('works a few seconds later when it was only used too early', async () => {
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await sendAndSettle(check)).status).toBe(401);
    await publishClients();
    fakeCoordinator().setHead(await coordinatorHead({ seq: 2 }));
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1 + KEY_REFUSED_MS);
    expect((await sendAndSettle(check)).status).toBe(200);
  });

  test('works immediately when a poll finds it', async () => {
    await sendAndSettle(check);
    await publishClients();
    fakeCoordinator().setHead(await coordinatorHead({ seq: 2 }));
    vi.setSystemTime(NOW + KEY_REFUSED_MS - 1);
    // This request causes the check that KEY_FRESH_MS allows. The refused key alone would cause none.
    await sendAndSettle(withKey('nobody.secret-of-nobody'));
    expect((await sendAndSettle(check)).status).toBe(200);
  });
});

describe('a new key', () => {
  beforeEach(async () => {
    await publishClients();
    fakeCoordinator().setHead(await coordinatorHead({ seq: 2 }));
  });

  test('works immediately for a crowd, with one request to the coordinator', async () => {
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    const crowd = await Promise.all(Array.from({ length: 20 }, () => sendHere(check)));
    expect(crowd.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(fakeCoordinator().requests).toHaveLength(1);
  });

  test('works within KEY_FRESH_MS while others send endless keys', async () => {
    const start = NOW + 2 * KEY_FRESH_MS;
    await sendRepeatedly(start, (index) => withKey(`nobody.secret-${index}`));
    vi.setSystemTime(Date.now() + KEY_FRESH_MS + 1);
    expect((await sendAndSettle(check)).status).toBe(200);
  });
});

describe('endless different keys', () => {
  const endless = (index: number): RequestOptions => withKey(`nobody-${index}.secret-${index}`);
  const seconds = NO_POLL_MS / 1000;

  test('share one check in KEY_FRESH_MS', async () => {
    await sendRepeatedly(NOW + KEY_FRESH_MS + 1, endless);
    expect(fakeCoordinator().requests.length).toBeGreaterThan(0);
    expect(fakeCoordinator().requests.length).toBeLessThanOrEqual(seconds);
  });

  test('share it when neither the coordinator nor KV answers, and only an old copy is left', async () => {
    // After one request the isolate leaves the coordinator alone. Each check then reads the copy, and then KV.
    fakeCoordinator().behaviour = 'overloaded';
    const kv = new KvWatch();
    kv.overrideOthers(failing);
    const start = NOW + 60_000;
    vi.setSystemTime(start);
    await sendAndSettle({ ...check, client: 'closed' });
    const reads = vi.spyOn(caches.default, 'match');
    const got = kv.count();
    const answers = await sendRepeatedly(start + KEY_FRESH_MS + 1, endless);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(reads.mock.calls.length).toBeLessThanOrEqual(seconds);
    expect(kv.count() - got).toBeLessThanOrEqual(seconds);
  });
});

describe('the memory for refused keys', () => {
  test('has a bound, and forgets all when it is full', () => {
    const refused = new RefusedKeys();
    for (let index = 0; index < KEYS_REFUSED_MAX; index++) refused.add(`k.${index}`, NOW);
    expect([refused.has('k.0', NOW), refused.size]).toEqual([true, KEYS_REFUSED_MAX]);
    refused.add('one.more', NOW);
    expect([refused.has('k.0', NOW), refused.has('one.more', NOW), refused.size]).toEqual([false, true, 1]);
  });

  test('ignores a header that is longer than a key: nothing is checked', async () => {
    vi.setSystemTime(NOW + KEY_FRESH_MS + 1);
    expect((await sendAndSettle(withKey(`open.${'a'.repeat(AUTHORIZATION_CHARS_MAX)}`))).status).toBe(401);
    expect(fakeCoordinator().requests).toHaveLength(0);
  });
});
