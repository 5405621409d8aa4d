/**
 * The cost of a check once everything is in memory: no read, no digest, no read of the data centre's cache,
 * and no wait for a poll.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import worker from '../../../workers/edge.ts';
import { publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { type RequestOptions, request, sendAndSettle } from '../support/send.ts';
import { build, LISTED, NEXT_POLL_MS, NOW, publish, smallLists } from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const path = `/v1/check?to=${encodeURIComponent(LISTED)}`;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(built);
  await publishClients();
});

/** @param onResponse called when the response arrives @returns how often the data centre's cache was read */
async function once(options: RequestOptions, onResponse = () => {}): Promise<number> {
  const incoming = request(options) as Parameters<typeof worker.fetch>[0];
  let looks = 0;
  Object.defineProperty(incoming, 'cf', {
    get: () => {
      looks++;
      return { colo: 'ICN' };
    },
  });
  const ctx = createExecutionContext();
  const { status } = await worker.fetch(incoming, { ...env, USAGE: undefined }, ctx);
  expect(status).toBe(200);
  onResponse();
  await waitOnExecutionContext(ctx);
  return looks;
}

/** Whether the request read or verified anything, and how often it read the data centre's cache. */
async function cost(options: RequestOptions): Promise<[worked: boolean, looks: number]> {
  const spies = [
    vi.spyOn(env.LISTS, 'get'),
    vi.spyOn(caches.default, 'match'),
    vi.spyOn(crypto.subtle, 'digest'),
  ];
  const looks = await once(options);
  const worked = spies.some(({ mock }) => mock.calls.length > 0);
  for (const spy of spies) spy.mockRestore();
  return [worked, looks];
}

test('a GET reads and verifies what it needs once, and then nothing', async () => {
  expect((await cost({ path }))[0]).toBe(true);
  expect(await cost({ path })).toEqual([false, 0]);
  expect((await cost({ path, client: 'closed' }))[0]).toBe(true);
  expect(await cost({ path, client: 'closed' })).toEqual([false, 0]);
});

test('a due poll begins behind a response that does not wait, and reads the data centre', async () => {
  await sendAndSettle({ path });
  vi.setSystemTime(NOW + NEXT_POLL_MS);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const looked = vi.spyOn(caches.default, 'match').mockReturnValue(promise);
  const looks = await once({ path }, () => resolve(undefined));
  expect([looked.mock.calls.length > 0, looks > 0]).toEqual([true, true]);
});
