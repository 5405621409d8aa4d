/**
 * Where an isolate gets the head from: the copy of its data centre, the coordinator, or KV. Also which isolate calls the
 * coordinator, and what the others do. A new isolate in this test is another one of the same data centre.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { utf8 } from '../../../../shared/bytes.ts';
import {
  BREAKER_MAX_MS,
  CLAIM_RETRY_MS,
  CLAIM_SECONDS,
  COORDINATOR_WAIT_MS,
  HEAD_FRESH_MS,
  JITTER_SHARE,
} from '../../../../shared/limits/edge.ts';
import { HEAD_KEY } from '../../../../shared/release/kv-keys.ts';
import { deriveListKeys, LIST_KEY_BYTES } from '../../../../shared/set/keys.ts';
import { claim, readCopy, writeCopy } from '../../../../workers/edge/head/head-cache.ts';
import { resetIsolate } from '../../../../workers/edge/isolate.ts';
import { HANG_MS } from '../../../shared/support/hang.ts';
import { testKeys } from '../../../shared/support/test-keys.ts';
import { publishClients } from '../../support/clients.ts';
import type { FakeCoordinator } from '../../support/fake-coordinator.ts';
import { coldIsolate, fakeCoordinator } from '../../support/isolate.ts';
import { failing, KvWatch } from '../../support/kv.ts';
import { sendAndSettle, sendHere, summarize, type WireResponse } from '../../support/send.ts';
import {
  build,
  coordinatorHead,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  publish,
  publishManifest,
  smallLists,
} from '../../support/world.ts';

coldIsolate();
const built = await build(smallLists());
const foreignKeys = await deriveListKeys(new Uint8Array(LIST_KEY_BYTES).fill(7));
const check = { body: { to: LISTED }, dataCentre: 'ICN' };
let coordinator: FakeCoordinator;
let kv: KvWatch;
let warned: MockInstance<typeof console.warn>;

/** The age of the copy in KV, in s. */
const WRITTEN_AGO = 20;

/** KV and the coordinator have the head with `seq` 5. */
beforeEach(async () => {
  warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW - WRITTEN_AGO * 1000 });
  await publish(built, 5);
  await publishManifest(built.manifest);
  await publishClients();
  vi.setSystemTime(NOW);
  coordinator = fakeCoordinator();
  coordinator.setHead(await coordinatorHead());
  kv = new KvWatch();
});

/** Checks LISTED. Returns the `seq` of the head and the age of the data, in s. */
async function checkedHead(): Promise<[seq: number, ageSeconds: number]> {
  const { status, body } = await sendAndSettle(check);
  expect([status, body.verdict]).toEqual([200, 'block']);
  return [body.seq!, Math.floor(Date.now() / 1000) - Date.parse(body.asOf!) / 1000];
}

/** Makes a poll due, and runs the poll after a response. */
async function poll(): Promise<void> {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
  await sendAndSettle(check);
}

function warnings(text: string): number {
  return warned.mock.calls.filter(([line]) => String(line).includes(text)).length;
}

describe('the isolates of one data centre', () => {
  test('query the coordinator once, and share its response', async () => {
    expect(await checkedHead()).toEqual([5, 0]);
    vi.setSystemTime(NOW + HEAD_FRESH_MS - 1000);
    for (let isolate = 0; isolate < 3; isolate++) {
      resetIsolate();
      expect(await checkedHead()).toEqual([5, HEAD_FRESH_MS / 1000 - 1]);
    }
    expect(coordinator.requests).toEqual([{ seq: 0, dataCentre: 'ICN', keyIds: [testKeys.keyId] }]);
    expect(kv.count(HEAD_KEY)).toBe(0);
  });

  test('query it again once the copy is HEAD_FRESH_MS old', async () => {
    await checkedHead();
    resetIsolate();
    vi.setSystemTime(NOW + HEAD_FRESH_MS);
    coordinator.setHead(await coordinatorHead({ seq: 6 }));
    expect(await checkedHead()).toEqual([6, 0]);
    expect(coordinator.requests).toHaveLength(2);
  });

  test('learn from the isolate that queried that nothing has changed', async () => {
    await checkedHead();
    await poll();
    expect(coordinator.requests.at(-1)).toEqual({ seq: 5, dataCentre: 'ICN', keyIds: [testKeys.keyId] });
    resetIsolate();
    expect(await checkedHead()).toEqual([5, 0]);
    expect(coordinator.requests).toHaveLength(2);
  });

  test('answer from memory while another one queries, and read its result soon after', async () => {
    await checkedHead();
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    expect(await claim(testKeys, NOW)).toBe(true);
    const { seq, sealed } = await coordinatorHead({ seq: 6 });
    await sendAndSettle(check);
    await writeCopy({ seq, fetchedAt: Date.now(), asOf: Date.now(), sealed }, testKeys);
    vi.setSystemTime(NOW + NEXT_POLL_MS + CLAIM_RETRY_MS);
    expect((await checkedHead())[0]).toBe(5);
    expect(await checkedHead()).toEqual([6, CLAIM_RETRY_MS / 1000]);
    expect(coordinator.requests).toHaveLength(1);
  });

  test('without data wait for the result of another one', async () => {
    vi.useRealTimers();
    const match = vi.spyOn(caches.default, 'match');
    expect(await claim(testKeys, 0)).toBe(true);
    const answer = sendHere(check);
    // The claim above, then the missing copy, then the existing claim.
    await vi.waitUntil(() => match.mock.calls.length >= 3, HANG_MS);
    const { seq, sealed } = await coordinatorHead({ seq: 6 });
    await writeCopy({ seq, fetchedAt: Date.now(), asOf: Date.now(), sealed }, testKeys);
    expect((await answer).body.seq).toBe(6);
    expect(coordinator.requests).toHaveLength(0);
    expect(kv.count(HEAD_KEY)).toBe(0);
  });

  test('without data read KV when the isolate that queries has died', async () => {
    vi.useRealTimers();
    expect(await claim(testKeys, 0)).toBe(true);
    expect((await checkedHead())[0]).toBe(5);
    expect(coordinator.requests).toHaveLength(0);
    expect(kv.count(HEAD_KEY)).toBe(1);
  });

  test('do not query when no response could arrive in time, and prevent no other isolate from it', async () => {
    vi.setSystemTime(NOW - CLAIM_SECONDS * 500);
    expect(await claim(testKeys, 0)).toBe(true);
    vi.setSystemTime(NOW);
    const match = vi.spyOn(caches.default, 'match');
    const answer = sendHere(check);
    // The missing copy, then the claim, which has ended when it is read again.
    await vi.waitUntil(() => match.mock.calls.length >= 2, HANG_MS);
    vi.setSystemTime(NOW + COORDINATOR_WAIT_MS - 100);
    expect((await answer).body.seq).toBe(5);
    expect([coordinator.requests.length, kv.count(HEAD_KEY)]).toEqual([0, 1]);
    expect(warnings('coordinatorFailed')).toBe(0);
    expect(await claim(testKeys, 0)).toBe(true);
  });

  test('ignore a claim whose query was answered', async () => {
    expect(await claim(testKeys, 0)).toBe(true);
    expect(await claim(testKeys, NOW - 1)).toBe(false);
    expect(await claim(testKeys, NOW)).toBe(true);
  });
});

describe('a coordinator that does not answer', () => {
  test.each(['fail', 'overloaded', 'hang'] as const)('in mode %s is replaced by KV', async (way) => {
    coordinator.behaviour = way;
    expect(await checkedHead()).toEqual([5, WRITTEN_AGO]);
    expect(warnings('coordinatorFailed')).toBe(1);
    expect(warnings(`"overloaded":${way === 'overloaded'}`)).toBe(1);
  });

  test('costs one query of one isolate, and none of the others in the data centre', async () => {
    coordinator.behaviour = 'fail';
    for (let isolate = 0; isolate < 5; isolate++) {
      resetIsolate();
      expect(await checkedHead()).toEqual([5, WRITTEN_AGO]);
    }
    expect([coordinator.requests.length, kv.count(HEAD_KEY)]).toEqual([1, 1]);
  });

  test('leaves the newest available head, from the data centre or from KV', async () => {
    coordinator.setHead(await coordinatorHead({ seq: 7 }));
    await checkedHead();
    coordinator.behaviour = 'fail';
    vi.setSystemTime(NOW + 60_000);
    resetIsolate();
    expect(await checkedHead()).toEqual([7, 60]);
    await publish(built, 8);
    vi.setSystemTime(NOW + 120_000);
    resetIsolate();
    expect(await checkedHead()).toEqual([8, 60]);
  });

  test('leaves an old copy of the data centre when KV fails too', async () => {
    await checkedHead();
    coordinator.behaviour = 'fail';
    kv.override(HEAD_KEY, failing);
    vi.setSystemTime(NOW + 60_000);
    resetIsolate();
    expect(await checkedHead()).toEqual([5, 60]);
    // The next request does not wait: no read precedes its response. One read follows it.
    const looks = vi.spyOn(caches.default, 'match');
    await sendHere(check);
    expect(looks).not.toHaveBeenCalled();
  });

  test('is left alone after two failures, and queried again when the breaker closes', async () => {
    await checkedHead();
    coordinator.behaviour = 'fail';
    await poll();
    await poll();
    const requestCount = coordinator.requests.length;
    await poll();
    expect(coordinator.requests).toHaveLength(requestCount);
    expect(kv.count(HEAD_KEY)).toBe(3);
    coordinator.behaviour = 'answer';
    coordinator.setHead(await coordinatorHead({ seq: 6 }));
    vi.setSystemTime(Date.now() + BREAKER_MAX_MS * (1 + JITTER_SHARE));
    expect(await checkedHead()).toEqual([6, 0]);
  });

  test('is left alone after one query when it is overloaded', async () => {
    await checkedHead();
    coordinator.behaviour = 'overloaded';
    await poll();
    await poll();
    expect(coordinator.requests).toHaveLength(2);
  });
});

describe('a coordinator without a head', () => {
  test('has not failed: it is queried again, and KV is read', async () => {
    coordinator.setHead({ seq: 0, sealed: null });
    expect(await checkedHead()).toEqual([5, WRITTEN_AGO]);
    for (let times = 0; times < 3; times++) await poll();
    expect(coordinator.requests).toHaveLength(4);
    expect(warned).not.toHaveBeenCalled();
  });

  test('leaves a cold isolate without data when KV has none either', async () => {
    coordinator.setHead({ seq: 0, sealed: null });
    await env.LISTS.delete(HEAD_KEY);
    const { status, body }: WireResponse = await sendAndSettle(check);
    expect([status, body.code]).toEqual([503, 'UNAVAILABLE']);
  });
});

describe('a copy of the data centre', () => {
  const copyOf = (seq: number, sealed: Uint8Array<ArrayBuffer>, keys = testKeys): Promise<void> =>
    writeCopy({ seq, fetchedAt: Date.now(), asOf: Date.now(), sealed }, keys);

  test('that is not a head is refused, and the coordinator queried', async () => {
    await copyOf(9, utf8('not a head'));
    expect(await checkedHead()).toEqual([5, 0]);
    expect(warnings('valueRefused')).toBe(1);
    expect((await readCopy(testKeys))!.seq).toBe(5);
  });

  test('that is not a head does not cause a query of a coordinator that is left alone', async () => {
    coordinator.behaviour = 'overloaded';
    await checkedHead();
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await copyOf(9, utf8('not a head'));
    await sendAndSettle(check);
    expect(coordinator.requests).toHaveLength(1);
    expect(kv.count(HEAD_KEY)).toBe(2);
  });

  test('of an installation with another LIST_KEY is another copy', async () => {
    await copyOf(9, utf8('theirs'), foreignKeys);
    expect(await claim(foreignKeys, 0)).toBe(true);
    expect(await checkedHead()).toEqual([5, 0]);
    expect(warned).not.toHaveBeenCalled();
    expect((await readCopy(foreignKeys))!.seq).toBe(9);
  });

  test.each(['match', 'put'] as const)('is not needed when the cache fails to %s', async (method) => {
    vi.spyOn(caches.default, method).mockRejectedValue(new Error('the cache is down'));
    for (let isolate = 1; isolate <= 3; isolate++) {
      resetIsolate();
      expect(await checkedHead()).toEqual([5, 0]);
      expect(coordinator.requests).toHaveLength(isolate);
    }
  });
});

describe('a response', () => {
  test('names the list and the head, whichever source they came from', async () => {
    const { body } = await sendAndSettle(check);
    expect([summarize(body), body.release, body.seq]).toEqual([
      'block NUMBER_SUSPENDED',
      built.manifest.release,
      5,
    ]);
  });
});
