/**
 * `/v1/admin/values`: the values of the current release, as a plan reads them.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../shared/bytes.ts';
import worker from '../../workers/main.ts';
import { build } from './support/coordinator.ts';
import './support/fresh.ts';
import { cacheAbsence } from './support/kv.ts';
import { publishValues, smallLists } from './support/world.ts';

/** Sends the request with the token `root` by default. */
async function fetchValue(
  key: string,
  headers: Record<string, string> = { authorization: 'Bearer root.s' },
  more: object = {},
): Promise<Response> {
  const ctx = createExecutionContext();
  const request = new Request(`https://numgate.test/v1/admin/values/${key}`, { headers });
  const bindings = { ...env, ROOT_TOKEN_SHA256: await sha256Hex('s'), ...more };
  const response = await worker.fetch(request, bindings as never, ctx);
  await waitOnExecutionContext(ctx);
  return response;
}

test('a value that was requested too early is found once it exists, not a day later', async () => {
  const built = await build({ lists: smallLists(['+821012345678']) });
  const [key, bytes] = [...built.values][0]!;
  expect((await fetchValue(key)).status).toBe(404);
  await publishValues(built);
  cacheAbsence(key);
  const response = await fetchValue(key);
  expect([response.status, new Uint8Array(await response.arrayBuffer())]).toEqual([200, bytes]);
});

const KEY = `shard/${'0'.repeat(32)}`;

test('a request without a plausible token does not reach the coordinator', async () => {
  let calls = 0;
  const token = async (): Promise<object> => {
    calls++;
    return { ok: true, value: null };
  };
  const more = { COORDINATOR: { getByName: () => ({ token }) } };
  for (const headers of [
    {},
    { authorization: 'Basic cm9vdDpz' },
    { authorization: 'Bearer root.wrong' },
    { 'cf-access-jwt-assertion': 'a.b.c' },
  ]) {
    expect((await fetchValue(KEY, headers, more)).status).toBe(401);
  }
  expect(calls).toBe(0);
  expect((await fetchValue(KEY, { authorization: 'Bearer someone.s' }, more)).status).toBe(401);
  expect(calls).toBe(1);
});
