/**
 * Texts in checks, batches, streams and gateway checks. Equal texts are read once, long texts cost more, many texts leave turns
 * for other requests, and all texts of a request are read with the same release.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { QUOTA_WINDOW_SECONDS } from '../../../shared/limits/requests.ts';
import { TEXT_CHARS_MAX, TEXT_CHARS_PER_NUMBER, TEXT_CHARS_PER_TURN } from '../../../shared/limits/text.ts';
import type { TextAnswer } from '../../../shared/screening/screened-text.ts';
import { TextModel } from '../../../shared/text/model.ts';
import { CAMPAIGN, campaignOf, ORDINARY, SUSPICIOUS } from '../../shared/support/text-world.ts';
import { CLIENTS, client, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { OpenStream } from '../support/open-stream.ts';
import { putTextIndex, putTextRelease, TEXT_KEY } from '../support/published-texts.ts';
import { sendAndSettle, sendHere, summarize, type WireBody, type WireResponse } from '../support/send.ts';
import { orTimer } from '../support/timer.ts';
import { build, LISTED, NEXT_POLL_MS, NOW, NOWHERE, publish, putHead, smallLists } from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const UNTIL = NOW / 1000 + 86_400;
const QUOTA_NUMBERS = 1_000;
const FROM = '+8221234567';

interface Answered extends WireBody {
  readonly text?: TextAnswer;
  readonly error?: { readonly code: string };
  readonly results?: readonly Answered[];
}

let score: ReturnType<typeof vi.spyOn>;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  score = vi.spyOn(TextModel.prototype, 'score');
  await publish(built);
  const labelled = { onSuspiciousText: 'label', quotaNumbers: QUOTA_NUMBERS };
  await publishClients([
    ...CLIENTS,
    await client('labelled', labelled),
    await client('gateway', { rights: ['gateway'] }),
  ]);
  await publishTexts([SUSPICIOUS], 1);
});

async function publishTexts(suspicious: readonly string[], version: number): Promise<void> {
  const { signed } = await putTextRelease({ suspicious, minute: version, model: `kr-${version}` });
  const campaigns = [campaignOf(17, CAMPAIGN, UNTIL)];
  await putHead({ seq: version, ...(await putTextIndex({ version, current: signed, campaigns })) });
}

interface Response extends WireResponse {
  readonly body: Answered;
}

async function post(path: string, body: unknown, by = 'labelled'): Promise<Response> {
  return sendAndSettle({ path, body, client: by }, { TEXT_KEY });
}

/** The remaining numbers of the quota. */
function left({ headers }: WireResponse): number {
  return Number(/r=(\d+)/.exec(headers.get('ratelimit')!)![1]);
}

describe('a batch', () => {
  test('answers in order, each item by its own text or that of the defaults', async () => {
    const items = [
      { id: 'a', to: NOWHERE, text: SUSPICIOUS },
      { id: 'b', to: LISTED },
      { id: 'c', to: NOWHERE, text: ORDINARY },
      { id: 'd', to: NOWHERE, text: '\ud800' },
      { id: 'e', to: NOWHERE },
    ];
    const { body } = await post('/v1/check/batch', { defaults: { from: FROM, text: CAMPAIGN }, items });
    expect(body.results!.map((each) => each.error?.code ?? summarize(each))).toEqual([
      'label TEXT_SUSPICIOUS',
      'block NUMBER_SUSPENDED TEXT_CAMPAIGN',
      'allow',
      'FIELD_VALUE',
      'block TEXT_CAMPAIGN',
    ]);
    expect(body.results![4]!.text).toMatchObject({ campaign: 'c-17', model: 'kr-1' });
  });

  test('reads one text for many recipients once, over all of its chunks', async () => {
    const items = Array.from({ length: 1_200 }, () => ({ to: NOWHERE }));
    const { body } = await post('/v1/check/batch', { defaults: { text: CAMPAIGN }, items }, 'open');
    expect(body.summary).toMatchObject({ total: 1_200, block: 1_200 });
    expect(score).toHaveBeenCalledTimes(1);
  });

  test('reads equal texts once, wherever they are in a chunk', async () => {
    const items = Array.from({ length: 300 }, (_, index) => ({
      to: NOWHERE,
      text: `${ORDINARY} ${index % 7}`,
    }));
    await post('/v1/check/batch', { items }, 'open');
    expect(score).toHaveBeenCalledTimes(7);
  });

  test('leaves turns for other requests while it reads', async () => {
    const text = (index: number): string => `${index} ${'가나다라마'.repeat(200)}`.slice(0, 1_000);
    const items = Array.from({ length: 100 }, (_, index) => ({ to: NOWHERE, text: text(index) }));
    await post('/v1/check', { to: NOWHERE, text: ORDINARY });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await post('/v1/check/batch', { items }, 'open');
    const turns = timers.mock.calls.filter(([, ms]) => ms === 0).length;
    expect(turns).toBe((100 * 1_000) / TEXT_CHARS_PER_TURN);
    expect(score).toHaveBeenCalledTimes(101);
  });
});

describe('a request', () => {
  test('of a gateway has the same layers', async () => {
    const request = { from: '+12025550123', to: NOWHERE, text: CAMPAIGN };
    const { body } = await post('/v1/gateway/check', request, 'gateway');
    expect([body.verdict, body.reasons![0]!.code]).toEqual(['block', 'TEXT_CAMPAIGN']);
    expect(body).toMatchObject({ sip: { status: 603 }, smpp: { commandStatus: 10 } });
    const batch = await post(
      '/v1/gateway/check/batch',
      { defaults: { text: CAMPAIGN }, items: [request] },
      'gateway',
    );
    expect(batch.body.results![0]).toMatchObject({ verdict: 'block', text: { campaign: 'c-17' } });
  });

  test('never has a text in its URL', async () => {
    for (const [path, by] of [
      ['/v1/check', 'open'],
      ['/v1/gateway/check', 'gateway'],
    ] as const) {
      const found = await sendAndSettle({ path: `${path}?to=112&from=112&text=hello`, client: by });
      expect([found.status, found.body]).toMatchObject([400, { code: 'FIELD_UNKNOWN', field: 'text' }]);
      expect(found.body.message).toContain('send it in the body of a POST');
    }
  });

  test('answers one line for gateways, with the reason code alone', async () => {
    const headers = { accept: 'text/plain' };
    const options = { body: { to: NOWHERE, text: CAMPAIGN }, headers };
    const response = await sendHere(options, { TEXT_KEY });
    expect(response.status).toBe(200);
    for (const [name] of response.headers) expect(name).not.toMatch(/^numgate-text/);
  });

  test.each([
    [{ to: NOWHERE, text: 'x' }, 2],
    [{ to: NOWHERE, text: '' }, 1],
    [{ to: NOWHERE, text: 'x'.repeat(TEXT_CHARS_PER_NUMBER) }, 2],
    [{ to: NOWHERE, text: 'x'.repeat(TEXT_CHARS_PER_NUMBER + 1) }, 3],
    [{ from: FROM, to: NOWHERE, text: 'x'.repeat(TEXT_CHARS_MAX) }, 12],
    [{ to: NOWHERE, text: 'x'.repeat(TEXT_CHARS_MAX + 1) }, 11],
    [{ to: NOWHERE, text: 7 }, 1],
  ])('costs by its characters: case %#', async (body, numbers) => {
    expect(left(await post('/v1/check', body))).toBe(QUOTA_NUMBERS - numbers);
  });

  test('of many items costs each text, and that of the defaults once', async () => {
    const text = 'x'.repeat(3 * TEXT_CHARS_PER_NUMBER);
    const items = [{ to: NOWHERE }, { to: NOWHERE, text }, { text: 'x' }];
    const response = await post('/v1/check/batch', { defaults: { text }, items });
    expect(left(response)).toBe(QUOTA_NUMBERS - 3 - 1 - 4 - 1);
  });
});

describe('a stream', () => {
  test('reads all its texts with the release of its first text', async () => {
    const stream = await OpenStream.start('labelled', { TEXT_KEY }, 'application/x-ndjson');
    const check = async (text: string): Promise<Answered> =>
      JSON.parse(await stream.check(JSON.stringify({ to: NOWHERE, text }))) as Answered;
    expect(summarize(await check(SUSPICIOUS))).toBe('label TEXT_SUSPICIOUS');
    await publishTexts([ORDINARY], 2);
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    await post('/v1/check', { to: NOWHERE, text: ORDINARY });
    expect((await post('/v1/check', { to: NOWHERE, text: ORDINARY })).body.text!.model).toBe('kr-2');
    expect(summarize(await check(SUSPICIOUS))).toBe('label TEXT_SUSPICIOUS');
    expect((await check(ORDINARY)).text!.model).toBe('kr-1');
    await stream.close();
  });

  test('reads a text that it had on the line before once', async () => {
    const stream = await OpenStream.start('labelled', { TEXT_KEY }, 'application/x-ndjson');
    const line = JSON.stringify({ to: NOWHERE, text: CAMPAIGN });
    stream.send(line, line, line);
    expect((await stream.read()).split('\n')).toHaveLength(3);
    await stream.check(line);
    expect(score).toHaveBeenCalledTimes(1);
    await stream.close();
  });

  test('waits for the next window if a long text costs more than is left', async () => {
    const stream = await OpenStream.start('small', { TEXT_KEY }, 'application/x-ndjson');
    const line = (text: string): string => JSON.stringify({ to: NOWHERE, text });
    expect(JSON.parse(await stream.check(line(ORDINARY)))).toMatchObject({ verdict: 'allow' });
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
    stream.send(line('x'.repeat(4 * TEXT_CHARS_PER_NUMBER)));
    const next = stream.read();
    expect(await orTimer(next, 'waiting')).toBe('waiting');
    await vi.advanceTimersByTimeAsync(QUOTA_WINDOW_SECONDS * 1000);
    expect(JSON.parse(await next)).toMatchObject({ verdict: 'allow' });
    await stream.close();
  });
});
