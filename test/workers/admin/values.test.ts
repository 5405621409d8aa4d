/**
 * `/v1/admin/values`: the values of the current release, as a plan reads them.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import { SHARD_BYTES_MAX } from '../../../shared/limits/lists.ts';
import worker from '../../../workers/main.ts';
import { EVER, plainList } from '../../shared/support/plain-model.ts';
import { build } from '../support/coordinator.ts';
import { cacheAbsence } from '../support/kv.ts';
import { publishValues, smallLists } from '../support/world.ts';

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

test('a table of ranges that is larger than any shard arrives whole', async () => {
  const ranges = (base: number) =>
    Array.from({ length: 12_000 }, (_, i) => ({ from: base + i * 10, to: base + i * 10 + 3, ...EVER }));
  const lists = [
    plainList('one', { ranges: ranges(821_033_330_000) }),
    plainList('two', { ranges: ranges(821_044_330_000) }),
  ];
  const built = await build({ lists });
  await publishValues(built);
  const { key, bytes } = built.manifest.ranges!;
  expect(bytes).toBeGreaterThan(SHARD_BYTES_MAX);
  expect((await (await fetchValue(key)).arrayBuffer()).byteLength).toBe(bytes);
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
