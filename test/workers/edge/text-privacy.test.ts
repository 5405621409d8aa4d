/**
 * No part of a text is kept anywhere. The text passes every kind of check, with every kind of error, and no piece of it appears
 * in an answer, a log, an event, a value in KV, a table of an object, a count or a block record.
 */
import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { CHECK_BODY_BYTES_MAX, STREAM_LINE_CHARS_MAX } from '../../../shared/limits/requests.ts';
import { TEXT_CHARS_MAX } from '../../../shared/limits/text.ts';
import { openRecords } from '../../../shared/screening/block-record.ts';
import { TextModel } from '../../../shared/text/model.ts';
import { currentIsolate } from '../../../workers/edge/isolate.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { campaignOf } from '../../shared/support/text-world.ts';
import { CLIENTS, client, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { putTextIndex, putTextRelease, TEXT_KEY } from '../support/published-texts.ts';
import { fetchHere, type RequestOptions, request } from '../support/send.ts';
import { build, NOW, NOWHERE, publish, putHead, smallLists } from '../support/world.ts';

coldIsolate();

/** Its words appear nowhere else, and no piece of eight characters occurs twice in it. */
const TEXT =
  'Quokka-Zebrafink 수달너구리 왈라비여우원숭이 https://kinkajou-vaquita.example/Wobbegong?axolotl=7319 Pangolin! 듀공바다코끼리도롱뇽';
const HOST = 'kinkajou-vaquita.example';
const PIECE = 8;

const pieces = Array.from({ length: TEXT.length - PIECE + 1 }, (_, at) => TEXT.slice(at, at + PIECE));
/** The ways to write it: unchanged, in lower case, decomposed, as JSON with escapes, and as part of a URL. */
const WRITTEN = new Set(
  pieces.flatMap((piece) => [
    ...[piece, piece.toLowerCase(), piece.normalize('NFD'), encodeURIComponent(piece)],
    piece.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ]),
);

/** The pieces of the text that something written contains. */
function leaks(found: string): string[] {
  return [...WRITTEN].filter((piece) => found.includes(piece) || found.normalize('NFD').includes(piece));
}

const built = await build(smallLists());
const logged: string[] = [];
let bindings: object;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  logged.length = 0;
  const keep = (...values: unknown[]): void => {
    logged.push(values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' '));
  };
  for (const level of ['debug', 'error', 'info', 'log', 'warn'] as const)
    vi.spyOn(console, level).mockImplementation(keep);
  const EVENTS = { writeDataPoint: (point: unknown) => keep('point', point) };
  vi.spyOn(env.EVENTS!, 'writeDataPoint').mockImplementation(EVENTS.writeDataPoint);
  bindings = { TEXT_KEY };
  await publish(built);
  await publishClients([
    ...CLIENTS,
    await client('recording', { recordBlocks: true, onSuspiciousText: 'label' }),
    await client('gateway', { rights: ['gateway'], recordBlocks: true }),
    await client('impatient', { maxStaleSeconds: 10 }),
  ]);
  const hosts = { phishing: ['block', HOST] } as const;
  const { signed } = await putTextRelease({ suspicious: [TEXT], hosts });
  const campaigns = [campaignOf(17, TEXT, NOW / 1000 + 86_400)];
  await putHead({ seq: 2, ...(await putTextIndex({ current: signed, campaigns })) });
});

/** The whole answer: status, headers and body. */
async function send(options: RequestOptions, method?: string): Promise<{ status: number; all: string }> {
  const sent = request(options);
  const response = await fetchHere(method === undefined ? sent : new Request(sent, { method }), bindings);
  const body = new TextDecoder().decode(await response.arrayBuffer());
  return { status: response.status, all: [...response.headers].join('\n') + body };
}

const item = { to: NOWHERE, text: TEXT };
const ndjson = { 'content-type': 'application/x-ndjson' };
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const by = 'recording';
const gateway = { client: 'gateway', path: '/v1/gateway/check' };

/** The requests that are sent, with their expected status. Each one contains the text. */
const REQUESTS: readonly (readonly [string, number, RequestOptions])[] = [
  ['a check', 200, { client: by, body: item }],
  ['a check for a line of text', 200, { client: by, body: item, headers: { accept: 'text/plain' } }],
  [
    'a batch',
    200,
    {
      client: by,
      path: '/v1/check/batch',
      body: { defaults: { text: TEXT }, items: [item, {}, { to: 'JOHN' }] },
    },
  ],
  ['a stream', 200, { client: by, path: '/v1/check/stream', headers: ndjson, body: line(item).repeat(3) }],
  ['a gateway check', 200, { ...gateway, body: { from: '+12025550123', ...item } }],
  [
    'a gateway batch',
    200,
    { ...gateway, path: '/v1/gateway/check/batch', body: { items: [{ from: '+12025550123', ...item }] } },
  ],
  ['a stale check', 200, { client: 'impatient', body: item }],
  [
    'a text that is too long',
    400,
    { body: { to: NOWHERE, text: TEXT.repeat(40).slice(0, TEXT_CHARS_MAX + 1) } },
  ],
  ['half a character', 400, { body: { to: NOWHERE, text: `${TEXT}\ud83d` } }],
  ['a text in a list', 400, { body: { to: NOWHERE, text: [TEXT] } }],
  ['a text in an object', 400, { body: { to: NOWHERE, text: { body: TEXT } } }],
  ['a text for a call', 400, { body: { ...item, channel: 'voice' } }],
  ['a text as channel', 400, { body: { to: NOWHERE, channel: TEXT } }],
  ['a text as recipient', 400, { body: { to: TEXT } }],
  ['a text with an unknown field', 400, { body: { ...item, colour: 'red' } }],
  ['a text without a number', 400, { body: { text: TEXT } }],
  ['damaged JSON', 400, { body: `{"to":"${NOWHERE}","text":"${TEXT}` }],
  ['a text as body', 400, { body: TEXT }],
  ['a text in a query', 400, { path: `/v1/check?to=112&text=${encodeURIComponent(TEXT)}` }],
  ['a text in the query of a POST', 400, { path: `/v1/check?text=${encodeURIComponent(TEXT)}`, body: item }],
  ['a text for a preview', 400, { path: '/v1/senders/check', body: { from: NOWHERE, text: TEXT } }],
  [
    'a text in defaults that are wrong',
    400,
    { path: '/v1/check/batch', body: { defaults: { text: TEXT, to: 'JOHN' }, items: [] } },
  ],
  [
    'a text in damaged lines',
    200,
    { path: '/v1/check/stream', headers: ndjson, body: `{"text":"${TEXT}\n${TEXT}\n${line({ text: TEXT })}` },
  ],
  [
    'a text in a line that is too long',
    200,
    {
      path: '/v1/check/stream',
      headers: ndjson,
      body: line({ to: NOWHERE, text: TEXT.repeat(STREAM_LINE_CHARS_MAX / 50) }),
    },
  ],
  ['a body that is too large', 413, { body: { to: NOWHERE, text: TEXT.repeat(CHECK_BODY_BYTES_MAX / 50) } }],
  ['another content type', 415, { body: item, headers: { 'content-type': 'text/csv' } }],
  ['a key that is wrong', 401, { client: 'nobody', body: item }],
  ['a key without the right', 403, { client: 'nothing', body: item }],
  [
    'more than the quota',
    429,
    { client: 'small', body: { to: NOWHERE, text: TEXT.repeat(20).slice(0, 1_900) } },
  ],
  ['a client that is stopped', 429, { client: 'stopped', body: item }],
  ['a path that does not exist', 404, { path: `/v1/check/${encodeURIComponent('x')}`, body: item }],
];

/** All contents of KV and of the tables of all objects. */
async function stored(): Promise<string> {
  const parts: string[] = [];
  const { keys } = await env.LISTS.list();
  for (const { name } of keys) {
    const bytes = new Uint8Array((await env.LISTS.get(name, 'arrayBuffer'))!);
    parts.push(name, new TextDecoder().decode(bytes));
    const records = await openRecords(bytes, testKeys, name).catch(() => null);
    if (records !== null) parts.push(JSON.stringify(records));
  }
  for (const value of Object.values(env)) {
    if ((value as object | null)?.constructor.name !== 'DurableObjectNamespace') continue;
    const namespace = value as DurableObjectNamespace;
    for (const id of await listDurableObjectIds(namespace))
      parts.push(
        await runInDurableObject(namespace.get(id), async (_, { storage }) => {
          const tables = storage.sql
            .exec<{ name: string }>(
              "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
            )
            .toArray();
          const rows = tables.map(({ name }) => storage.sql.exec(`SELECT * FROM "${name}"`).toArray());
          return JSON.stringify([...rows, ...(await storage.list())]);
        }),
      );
  }
  return parts.join('\n');
}

test('nothing of a text is in any answer, log, event, value, table, count or record', async () => {
  expect(leaks(`"${TEXT.slice(20, 30)}"`).length).toBeGreaterThan(0);
  expect(leaks(JSON.stringify(Object.fromEntries([[HOST.slice(0, 9), 1]])))).toHaveLength(2);
  const answers: Record<string, string> = {};
  for (const [name, status, options] of REQUESTS) {
    if (options.client === 'impatient') vi.setSystemTime(NOW + 12_000);
    const answer = await send(options);
    expect([name, answer.status]).toEqual([name, status]);
    answers[name] = answer.all;
  }
  // Simulates a bug whose message quotes the text.
  const score = vi.spyOn(TextModel.prototype, 'score').mockImplementation(() => {
    throw new Error(TEXT);
  });
  const bug = await send({ client: by, body: item });
  expect(bug.status).toBe(500);
  answers['a bug'] = bug.all;
  score.mockRestore();
  for (const [name, all] of Object.entries(answers)) expect([name, leaks(all)]).toEqual([name, []]);
  // The layers found something in the text.
  expect(answers['a check']).toContain('TEXT_HOST_LISTED');
  expect(answers['a check']).toContain('c-17');
  expect(logged.join('\n')).toContain('"event":"bug"');
  expect(leaks(logged.join('\n'))).toEqual([]);
  const { usage } = currentIsolate();
  for (const each of [by, 'gateway', 'open']) {
    const flush = usage.of(each, NOW).usage.nextFlush(NOW);
    expect(flush).not.toBeNull();
    expect(leaks(JSON.stringify(flush))).toEqual([]);
  }
  const kept = await vi.waitUntil(
    async () => {
      const all = await stored();
      return all.includes('"TEXT_') ? all : null;
    },
    { timeout: HANG_MS, interval: 200 },
  );
  expect(leaks(kept)).toEqual([]);
});
