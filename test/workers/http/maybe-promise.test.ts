/**
 * A check with everything in memory is answered in one turn, by the same code as one that has to wait.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import worker from '../../../workers/edge.ts';
import { after } from '../../../workers/http/maybe-promise.ts';
import { askAndSettle, request } from '../support/ask.ts';
import { publishClients } from '../support/clients.ts';
import '../support/isolate.ts';
import { build, LISTED, NEXT_POLL_MS, NOW, publish, smallLists } from '../support/world.ts';

const built = await build(smallLists());
const path = `/v1/check?to=${encodeURIComponent(LISTED)}`;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(built);
  await publishClients();
});

/** Whether it waited, and how often it looked where it came to. */
async function once(asking: Parameters<typeof request>[0]): Promise<[waited: boolean, looks: number]> {
  const incoming = request(asking) as Parameters<typeof worker.fetch>[0];
  let looks = 0;
  Object.defineProperty(incoming, 'cf', {
    get: () => {
      looks++;
      return { colo: 'ICN' };
    },
  });
  const ctx = createExecutionContext();
  const answer = worker.fetch(incoming, env, ctx);
  expect((await answer).status).toBe(200);
  await waitOnExecutionContext(ctx);
  return [answer instanceof Promise, looks];
}

test('a GET waits while anything is to be loaded or verified, and then no more', async () => {
  expect((await once({ path }))[0]).toBe(true);
  expect(await once({ path })).toEqual([false, 0]);
  expect((await once({ path, client: 'closed' }))[0]).toBe(true);
  expect(await once({ path, client: 'closed' })).toEqual([false, 0]);
});

test('a poll that is due is begun behind an answer that does not wait, and says where it comes from', async () => {
  await askAndSettle({ path });
  vi.setSystemTime(NOW + NEXT_POLL_MS);
  const [waited, looks] = await once({ path });
  expect([waited, looks > 0]).toEqual([false, true]);
});

test('what is there is gone on with at once, what is not behind its promise', async () => {
  expect(after(1, (value) => value + 1)).toBe(2);
  const later = after(Promise.resolve(1), (value) => value + 1);
  expect([later instanceof Promise, await later]).toEqual([true, 2]);
  await expect(after(Promise.reject(new Error('no')), () => 1)).rejects.toThrow('no');
});
