/** Which checks count as texts of a mobile number, on each route, and what waits while the counts cannot be sent. */
import { beforeEach, expect, test, vi } from 'vitest';
import { JITTER_SHARE, USAGE_FLUSH_MS } from '../../../shared/limits/edge.ts';
import type { UsageFlush } from '../../../shared/usage/flush.ts';
import type { UsageObject, UsageObjects } from '../../../workers/storage/usage-port.ts';
import { client, keyOf, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { sendHere } from '../support/send.ts';
import { build, LISTED, NOW, NOWHERE, publish, smallLists } from '../support/world.ts';

coldIsolate();

const INTERVAL_MS = USAGE_FLUSH_MS * (1 + JITTER_SHARE);
const MOBILE = '+821020001234';
const sent: UsageFlush[] = [];
const USAGE: UsageObjects = {
  getByName: () =>
    ({
      apply: async (flush: UsageFlush) => {
        sent.push(flush);
        return { shards: 1, recordsFull: false };
      },
    }) as Partial<UsageObject> as UsageObject,
};

beforeEach(async () => {
  await publish(await build(smallLists()));
  const rights = ['check', 'gateway'];
  await publishClients([await client('real', { rights }), await client('mock', { rights, mock: true })]);
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
  sent.length = 0;
});

async function post(
  path: string,
  body: object | string,
  id = 'real',
  type = 'application/json',
): Promise<void> {
  const headers = { authorization: `Bearer ${keyOf(id)}`, 'content-type': type };
  const { status } = await sendHere({ path, body, headers }, { USAGE });
  expect(status).toBe(200);
}

test('texts by each route are counted; previews, mock clients and gateways are not', async () => {
  const text = { from: MOBILE, to: NOWHERE };
  await post('/v1/check', text);
  await post('/v1/check/batch', { items: [text, text, { from: MOBILE, to: LISTED }, { from: MOBILE }] });
  await post(
    '/v1/check/stream',
    `${JSON.stringify(text)}\n${JSON.stringify(text)}\n`,
    'real',
    'application/x-ndjson',
  );
  await post('/v1/senders/check', { from: MOBILE });
  await post('/v1/check', text, 'mock');
  await post('/v1/gateway/check', { ...text, channel: 'sms', ingress: { type: 'international' } });
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  const byClient = Object.fromEntries(sent.map(({ client: id, mobile }) => [id, mobile]));
  // A blocked recipient gets no text, and a check of only a sender is not a text.
  expect(byClient).toEqual({ real: [[Number(MOBILE), 5]], mock: undefined });
  await post('/v1/check', text);
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(sent.at(-1)!.mobile).toEqual([[Number(MOBILE), 1]]);
});
