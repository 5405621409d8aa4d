/**
 * Logs and errors contain no number, for any request and any failure.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import { logBug, warn } from '../../workers/log.ts';
import { publishClients } from './support/clients.ts';
import { coldIsolate } from './support/isolate.ts';
import { changed, failing, KvWatch } from './support/kv.ts';
import { type RequestOptions, sendAndSettle } from './support/send.ts';
import {
  build,
  filler,
  LISTED,
  largeLists,
  NEXT_POLL_MS,
  NOW,
  publish,
  shardKeyOf,
} from './support/world.ts';

coldIsolate();

const large = await build(largeLists());
const NUMBERS = [
  '+821012345678',
  '010-1234-5678',
  '01012345678',
  '+82 (0)10 1234 5678',
  '821012345678',
  filler(30),
];

const GOOD: readonly RequestOptions[] = [
  ...NUMBERS.map((to) => ({ body: { to } })),
  ...NUMBERS.map((to) => ({ path: `/v1/check?${new URLSearchParams({ to, from: to })}` })),
  { path: '/v1/check/batch', body: { items: NUMBERS.map((to) => ({ id: to, to })) } },
  { path: '/v1/check/stream', body: NUMBERS.join('\n'), headers: { 'content-type': 'text/plain' } },
];
const BAD: readonly RequestOptions[] = NUMBERS.flatMap((to) => [
  { body: { to: `${to}${to}${to}` } },
  { body: { to: `${to}\u0000` } },
  { body: { to: [to] } },
  { body: { [to]: to } },
  { body: `{"to":"${to}"` },
  { body: { to }, client: 'nobody' },
  { body: { to }, headers: { authorization: `Bearer ${to}` } },
  { body: { to }, headers: { 'x-correlator': to } },
  { body: { to }, client: 'nothing' },
  { path: `/v1/check?to=${to}&to=${to}` },
  { path: `/v1/numbers/${to}` },
  { path: '/v1/check/batch', body: { items: [{ to: `${to}x` }, to, null] } },
  { path: '/v1/check/batch', body: { items: to } },
  {
    path: '/v1/check/stream',
    body: `${to}\n{"to":"${to}"`,
    headers: { 'content-type': 'application/x-ndjson' },
  },
]);

/** Seven or more digits of any number of a request, in any written form. */
const NUMBER = /1234\D?5678|12345678|8613\d{9}/;

const written: string[] = [];
beforeEach(async () => {
  written.length = 0;
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  for (const method of ['debug', 'log', 'info', 'warn', 'error', 'trace'] as const) {
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => {
      written.push(`${method} ${values.map(String).join(' ')}`);
    });
  }
  await publish(large);
  await publishClients();
});

async function sendAll(requests: readonly RequestOptions[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const options of requests) statuses.push((await sendAndSettle(options)).status);
  return statuses;
}

test('valid requests log nothing', async () => {
  expect(new Set(await sendAll(GOOD))).toEqual(new Set([200]));
  expect(written).toEqual([]);
});

test('invalid requests log nothing but the first wrong key, without what was sent as its ID', async () => {
  expect(Math.max(...(await sendAll(BAD)))).toBeLessThan(500);
  const failed = { event: 'authenticationFailed', plane: 'edge', id: null, reason: 'secret', failures: 1 };
  expect(written).toEqual([`warn ${JSON.stringify(failed)}`]);
});

test('requests over damaged data log events without a number', async () => {
  const kv = new KvWatch();
  kv.override(
    shardKeyOf(large, LISTED),
    changed((bytes) => bytes.subarray(4)),
  );
  kv.override(shardKeyOf(large, filler(30)), failing);
  await sendAll([...GOOD, ...BAD]);
  await env.LISTS.put(HEAD_KEY, JSON.stringify({ to: LISTED }));
  vi.setSystemTime(NOW + NEXT_POLL_MS);
  await sendAll(GOOD);
  expect(written.join('\n')).toContain('"event":"blobRefused"');
  expect(written.join('\n')).toContain('"event":"valueRefused"');
  expect(written.filter((line) => NUMBER.test(line))).toEqual([]);
});

test('a bug logs its kind and place, and not its message', () => {
  logBug(new TypeError(`no such number: ${LISTED}`), 'correlator-1');
  logBug(`no such number: ${LISTED}`, 'correlator-2');
  for (const correlator of ['8201012345678', '010-1234-5678', 'a_010.1234.5678', 'call:010--1234--5678'])
    logBug(new Error('no'), correlator);
  expect(written).toHaveLength(6);
  expect(written[0]).toContain('"name":"TypeError","correlator":"correlator-1","at":"    at ');
  expect(written.filter((line) => NUMBER.test(line))).toEqual([]);
});

test('each event is one data point with its name, even if the platform accepts no more', () => {
  const counted = vi.spyOn(env.EVENTS!, 'writeDataPoint');
  warn('valueUnavailable', { key: 'shard/1' });
  expect(counted.mock.calls).toEqual([[{ indexes: ['valueUnavailable'], doubles: [1] }]]);
  counted.mockImplementation(() => {
    throw new Error('Analytics Engine write limit exceeded.');
  });
  warn('valueUnavailable', { key: 'shard/2' });
  expect(written).toHaveLength(2);
});
