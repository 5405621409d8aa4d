/**
 * `/v1/admin/values`: what a plan reads of the release that is current.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../shared/bytes.ts';
import worker from '../../workers/main.ts';
import { build } from './support/authority.ts';
import './support/fresh.ts';
import { rememberMiss } from './support/kv.ts';
import { publishValues, smallLists } from './support/world.ts';

/** Asks with the token `root`. */
async function askValue(key: string): Promise<Response> {
  const ctx = createExecutionContext();
  const request = new Request(`https://numgate.test/v1/admin/values/${key}`, {
    headers: { authorization: 'Bearer root.s' },
  });
  const bindings = { ...env, ROOT_TOKEN_SHA256: await sha256Hex('s') };
  const response = await worker.fetch(request, bindings as never, ctx);
  await waitOnExecutionContext(ctx);
  return response;
}

test('a value that was asked for too early is there once it is, and not after a day', async () => {
  const built = await build({ lists: smallLists(['+821012345678']) });
  const [key, bytes] = [...built.values][0]!;
  expect((await askValue(key)).status).toBe(404);
  await publishValues(built);
  rememberMiss(key);
  const response = await askValue(key);
  expect([response.status, new Uint8Array(await response.arrayBuffer())]).toEqual([200, bytes]);
});
