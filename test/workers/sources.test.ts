/**
 * Where an isolate gets the head from: the copy of its data centre, the coordinator, KV; who asks, and what
 * becomes of the others. A new isolate in this test is another isolate of the same data centre.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { utf8 } from '../../shared/bytes.ts';
import {
  BREAKER_MAX_MS,
  CLAIM_RETRY_MS,
  CLAIM_SECONDS,
  COORDINATOR_WAIT_MS,
  HEAD_FRESH_MS,
  JITTER_SHARE,
} from '../../shared/limits.ts';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import { deriveListKeys, LIST_KEY_BYTES } from '../../shared/set/keys.ts';
import { claim, readCopy, writeCopy } from '../../workers/edge/head/head-cache.ts';
import { resetIsolate } from '../../workers/edge/isolate.ts';
import { testKeys } from '../shared/support/test-keys.ts';
import { type Answered, askAndSettle, askHere, said } from './support/ask.ts';
import { publishClients } from './support/clients.ts';
import type { FakeAuthority } from './support/fake-coordinator.ts';
import { HANG_MS } from './support/hang.ts';
import { fakeAuthority } from './support/isolate.ts';
import { failing, KvWatch } from './support/kv.ts';
import {
  build,
  decidedHead,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  publish,
  publishManifest,
  smallLists,
} from './support/world.ts';

const built = await build(smallLists());
const foreignKeys = await deriveListKeys(new Uint8Array(LIST_KEY_BYTES).fill(7));
const question = { body: { to: LISTED }, dataCentre: 'ICN' };

let authority: FakeAuthority;
let kv: KvWatch;
let warned: MockInstance<typeof console.warn>;

/** So long ago the copy in KV was written, in s. */
const WRITTEN_AGO = 20;

/** KV and the coordinator have the head with `seq` 5. */
beforeEach(async () => {
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW - WRITTEN_AGO * 1000 });
  await publish(built, 5);
  await publishManifest(built.manifest);
  await publishClients();
  vi.setSystemTime(NOW);
  authority = fakeAuthority();
  authority.decide(await decidedHead());
  kv = new KvWatch();
});

/** Ask, be right about LISTED, and tell the head's `seq` and the age of what was known, in s. */
async function seen(): Promise<[seq: number, ageSeconds: number]> {
  const { status, body } = await askAndSettle(question);
  expect([status, body.verdict]).toEqual([200, 'block']);
  return [body.seq!, Math.floor(Date.now() / 1000) - Date.parse(body.asOf!) / 1000];
}

/** The next poll goes on behind this answer. */
async function poll(): Promise<void> {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
  await askAndSettle(question);
}

function warnings(text: string): number {
  return warned.mock.calls.filter(([line]) => String(line).includes(text)).length;
}

describe('the isolates of one data centre', () => {
  test('ask the coordinator once, and share what it said', async () => {
    expect(await seen()).toEqual([5, 0]);
    vi.setSystemTime(NOW + HEAD_FRESH_MS - 1000);
    for (let isolate = 0; isolate < 3; isolate++) {
      resetIsolate();
      expect(await seen()).toEqual([5, HEAD_FRESH_MS / 1000 - 1]);
    }
    expect(authority.asked).toEqual([{ seq: 0, dataCentre: 'ICN' }]);
    expect(kv.count(HEAD_KEY)).toBe(0);
  });

  test('ask again once the copy is HEAD_FRESH_MS old', async () => {
    await seen();
    resetIsolate();
    vi.setSystemTime(NOW + HEAD_FRESH_MS);
    authority.decide(await decidedHead({ seq: 6 }));
    expect(await seen()).toEqual([6, 0]);
    expect(authority.asked).toHaveLength(2);
  });

  test('hear from the one that asked that nothing has changed', async () => {
    await seen();
    await poll();
    expect(authority.asked.at(-1)).toEqual({ seq: 5, dataCentre: 'ICN' });
    resetIsolate();
    expect(await seen()).toEqual([5, 0]);
    expect(authority.asked).toHaveLength(2);
  });

  test('answer from memory where another one is asking, and come back for what it learnt', async () => {
    await seen();
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    expect(await claim(testKeys, NOW)).toBe(true);
    const { seq, sealed } = await decidedHead({ seq: 6 });
    await askAndSettle(question);
    await writeCopy({ seq, fetchedAt: Date.now(), asOf: Date.now(), sealed }, testKeys);
    vi.setSystemTime(NOW + NEXT_POLL_MS + CLAIM_RETRY_MS);
    expect((await seen())[0]).toBe(5);
    expect(await seen()).toEqual([6, CLAIM_RETRY_MS / 1000]);
    expect(authority.asked).toHaveLength(1);
  });

  test('that have nothing wait for what another one learns', async () => {
    vi.useRealTimers();
    const match = vi.spyOn(caches.default, 'match');
    expect(await claim(testKeys, 0)).toBe(true);
    const answer = askHere(question);
    // The claim above, then a copy that is not there, then the claim that is.
    await vi.waitUntil(() => match.mock.calls.length >= 3, HANG_MS);
    const { seq, sealed } = await decidedHead({ seq: 6 });
    await writeCopy({ seq, fetchedAt: Date.now(), asOf: Date.now(), sealed }, testKeys);
    expect((await answer).body.seq).toBe(6);
    expect(authority.asked).toHaveLength(0);
    expect(kv.count(HEAD_KEY)).toBe(0);
  });

  test('that have nothing read KV where the one that asks has died', async () => {
    vi.useRealTimers();
    expect(await claim(testKeys, 0)).toBe(true);
    expect((await seen())[0]).toBe(5);
    expect(authority.asked).toHaveLength(0);
    expect(kv.count(HEAD_KEY)).toBe(1);
  });

  test('do not ask when no answer could come in time, and keep nobody else from asking', async () => {
    vi.setSystemTime(NOW - CLAIM_SECONDS * 500);
    expect(await claim(testKeys, 0)).toBe(true);
    vi.setSystemTime(NOW);
    const match = vi.spyOn(caches.default, 'match');
    const answer = askHere(question);
    // A copy that is not there, then the claim, which has ended when it is looked at again.
    await vi.waitUntil(() => match.mock.calls.length >= 2, HANG_MS);
    vi.setSystemTime(NOW + COORDINATOR_WAIT_MS - 100);
    expect((await answer).body.seq).toBe(5);
    expect([authority.asked.length, kv.count(HEAD_KEY)]).toEqual([0, 1]);
    expect(warnings('authorityFailed')).toBe(0);
    expect(await claim(testKeys, 0)).toBe(true);
  });

  test('do not keep to a claim whose question was answered', async () => {
    expect(await claim(testKeys, 0)).toBe(true);
    expect(await claim(testKeys, NOW - 1)).toBe(false);
    expect(await claim(testKeys, NOW)).toBe(true);
  });
});

describe('a coordinator that does not answer', () => {
  test.each(['fail', 'overloaded', 'hang'] as const)('by way of %s is replaced by KV', async (way) => {
    authority.way = way;
    expect(await seen()).toEqual([5, WRITTEN_AGO]);
    expect(warnings('authorityFailed')).toBe(1);
    expect(warnings(`"overloaded":${way === 'overloaded'}`)).toBe(1);
  });

  test('costs one isolate a question, and the others of the data centre none', async () => {
    authority.way = 'fail';
    for (let isolate = 0; isolate < 5; isolate++) {
      resetIsolate();
      expect(await seen()).toEqual([5, WRITTEN_AGO]);
    }
    expect([authority.asked.length, kv.count(HEAD_KEY)]).toEqual([1, 1]);
  });

  test('leaves the newest head that is to be had, be it in the data centre or in KV', async () => {
    authority.decide(await decidedHead({ seq: 7 }));
    await seen();
    authority.way = 'fail';
    vi.setSystemTime(NOW + 60_000);
    resetIsolate();
    expect(await seen()).toEqual([7, 60]);
    await publish(built, 8);
    vi.setSystemTime(NOW + 120_000);
    resetIsolate();
    expect(await seen()).toEqual([8, 60]);
  });

  test('leaves an old copy of the data centre where KV fails too', async () => {
    await seen();
    authority.way = 'fail';
    kv.fate(HEAD_KEY, failing);
    vi.setSystemTime(NOW + 60_000);
    resetIsolate();
    expect(await seen()).toEqual([5, 60]);
    // Nobody waits for nothing again: there is no look before this answer, and one behind it.
    const looks = vi.spyOn(caches.default, 'match');
    await askHere(question);
    expect(looks).not.toHaveBeenCalled();
  });

  test('is left alone after two failures, and asked again when the breaker closes', async () => {
    await seen();
    authority.way = 'fail';
    await poll();
    await poll();
    const asked = authority.asked.length;
    await poll();
    expect(authority.asked).toHaveLength(asked);
    expect(kv.count(HEAD_KEY)).toBe(3);
    authority.way = 'answer';
    authority.decide(await decidedHead({ seq: 6 }));
    vi.setSystemTime(Date.now() + BREAKER_MAX_MS * (1 + JITTER_SHARE));
    expect(await seen()).toEqual([6, 0]);
  });

  test('is left alone after one question where it is overloaded', async () => {
    await seen();
    authority.way = 'overloaded';
    await poll();
    await poll();
    expect(authority.asked).toHaveLength(2);
  });
});

describe('a coordinator that has nothing', () => {
  test('has not failed: it is asked again, and KV is read', async () => {
    authority.decide({ seq: 0, sealed: null });
    expect(await seen()).toEqual([5, WRITTEN_AGO]);
    for (let times = 0; times < 3; times++) await poll();
    expect(authority.asked).toHaveLength(4);
    expect(warned).not.toHaveBeenCalled();
  });

  test('and no KV that has anything leave a cold isolate without data', async () => {
    authority.decide({ seq: 0, sealed: null });
    await env.LISTS.delete(HEAD_KEY);
    const { status, body }: Answered = await askAndSettle(question);
    expect([status, body.code]).toEqual([503, 'UNAVAILABLE']);
  });
});

describe('a copy of the data centre', () => {
  const copyOf = (seq: number, sealed: Uint8Array<ArrayBuffer>, keys = testKeys): Promise<void> =>
    writeCopy({ seq, fetchedAt: Date.now(), asOf: Date.now(), sealed }, keys);

  test('that is no head is refused, and the coordinator asked', async () => {
    await copyOf(9, utf8('not a head'));
    expect(await seen()).toEqual([5, 0]);
    expect(warnings('valueRefused')).toBe(1);
    expect((await readCopy(testKeys))!.seq).toBe(5);
  });

  test('that is no head does not make an isolate ask a coordinator that it leaves alone', async () => {
    authority.way = 'overloaded';
    await seen();
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await copyOf(9, utf8('not a head'));
    await askAndSettle(question);
    expect(authority.asked).toHaveLength(1);
    expect(kv.count(HEAD_KEY)).toBe(2);
  });

  test('of an installation with another LIST_KEY is another copy', async () => {
    await copyOf(9, utf8('theirs'), foreignKeys);
    expect(await claim(foreignKeys, 0)).toBe(true);
    expect(await seen()).toEqual([5, 0]);
    expect(warned).not.toHaveBeenCalled();
    expect((await readCopy(foreignKeys))!.seq).toBe(9);
  });

  test.each(['match', 'put'] as const)('is done without where the cache fails to %s', async (method) => {
    vi.spyOn(caches.default, method).mockRejectedValue(new Error('the cache is down'));
    for (let isolate = 1; isolate <= 3; isolate++) {
      resetIsolate();
      expect(await seen()).toEqual([5, 0]);
      expect(authority.asked).toHaveLength(isolate);
    }
  });
});

describe('an answer', () => {
  test('names the list and the head whichever source it came from', async () => {
    const { body } = await askAndSettle(question);
    expect([said(body), body.release, body.seq]).toEqual([
      'block NUMBER_SUSPENDED',
      built.manifest.release,
      5,
    ]);
  });
});
