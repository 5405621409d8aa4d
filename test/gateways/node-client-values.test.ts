/** How the Node client handles values that it does not know, and the content of its errors. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, LABEL, makeClient, NumgateError } from '../../examples/node/client.ts';
import { answer, clientOf, HEAD, json, KEY, problem, type Respond, streamed } from './support/fake-fetch.ts';

const NUMBER = '010-9876-5432';
const ITEM = { from: NUMBER, to: NUMBER };
const FOUND = { subject: 'to', list: null, authority: null, until: null };
const RESULT = { id: null, subject: 'to', from: null, to: null, reasons: [] as object[], label: null };

/** Makes every kind of check with a service that always responds with the same result. */
async function checkAll(result: object, options: Partial<ClientOptions> = {}): Promise<object[]> {
  const { client } = clientOf(({ url }) => {
    if (url.endsWith('/batch')) return json({ ...HEAD, results: [result], summary: {} });
    return url.endsWith('/stream') ? streamed([{ ...result, ...HEAD }]) : json({ ...result, ...HEAD });
  }, options);
  const streamedResult = await client.checkStream([ITEM]).next();
  return [
    await client.check(ITEM),
    ...(await client.checkBatch([ITEM])),
    streamedResult.value!,
    await client.checkGateway(ITEM),
    ...(await client.checkGatewayBatch([ITEM])),
  ];
}

describe('the Node client', () => {
  it('returns codes, effects and kinds of match that it does not know', async () => {
    const reason = { ...FOUND, code: 'A_CODE_OF_NEXT_YEAR', match: 'moon', effect: 'delay', extra: 1 };
    const result = { ...RESULT, verdict: 'block', reasons: [reason] };
    for (const answer of await checkAll(result)) expect(answer).toEqual({ ...result, ...HEAD });
  });

  it.each([
    ['of the service', { action: 'closed' }, 'open', 'closed'],
    ['of the fail policy without one', {}, 'closed', 'closed'],
    ['of the fail policy instead of an unknown one', { action: 'perhaps' }, 'closed', 'closed'],
    ['of the fail policy, which is open by default', {}, undefined, 'open'],
  ] as const)(
    'treats an unknown verdict as indeterminate, with the action %s',
    async (_, more, policy, action) => {
      const answers = await checkAll({ ...RESULT, verdict: 'quarantine', ...more }, { failPolicy: policy! });
      const expected = { verdict: 'indeterminate', action, unknownVerdict: 'quarantine' };
      expect(answers).toMatchObject([expected, expected, expected, expected, expected]);
      // At a gateway, traffic that passes without a known verdict is labelled, as without a response.
      const label = action === 'open' ? LABEL : null;
      expect(answers.map((answer) => 'label' in answer && answer.label)).toEqual([
        null,
        null,
        null,
        label,
        label,
      ]);
    },
  );

  it.each([
    ['source', 'live'],
    ['unknownVerdict', 'allow'],
    ['error', null],
    ['retryAfterMs', 0],
    ['failure', {}],
    ['ok', false],
    ['__proto__', { verdict: 'allow', action: 'open' }],
  ])('takes no result with a new field %s for one of its own', async (name, value) => {
    const found = { ...RESULT, verdict: 'block' };
    const result = JSON.parse(JSON.stringify(found).replace('{', `{"${name}":${JSON.stringify(value)},`));
    for (const answer of await checkAll(result as object)) {
      expect(answer).toMatchObject({ ...found, ...HEAD });
      for (const own of ['source', 'unknownVerdict', 'error']) expect(own in answer).toBe(false);
    }
  });

  it('gives every indeterminate result an action', async () => {
    const answers = await checkAll({ ...RESULT, verdict: 'indeterminate' }, { failPolicy: 'closed' });
    const expected = { verdict: 'indeterminate', action: 'closed' };
    expect(answers).toMatchObject([expected, expected, expected, expected, expected]);
    for (const answer of answers) expect(answer).not.toHaveProperty('unknownVerdict');
  });

  it.each<[string, () => Response]>([
    ['no verdict', () => json({ reasons: [] })],
    ['a verdict that is not text', () => json({ verdict: true })],
    ['null', () => new Response('null')],
    ['a page', () => new Response(`<html>${NUMBER}`)],
    ['nothing', () => new Response('')],
    ['an error in place of a result', () => json({ id: null, error: { code: 'X' } })],
  ])('does not accept a response with %s', async (_what, respond) => {
    const { client, sent } = clientOf(respond, { retries: 1 });
    const local = { verdict: 'indeterminate', source: 'local', problem: { code: 'RESPONSE_INVALID' } };
    expect(await client.check(ITEM)).toMatchObject(local);
    expect(await client.checkBatch([ITEM])).toMatchObject([local]);
    expect(sent).toHaveLength(4);
  });
});

describe('an error of the Node client', () => {
  it('has the code, status, field and correlator of the response', async () => {
    const { client, sent } = clientOf(() =>
      json(
        {
          ...{ type: 'urn:numgate:problem:field-value', status: 400, code: 'FIELD_VALUE' },
          ...{ message: '"from" is wrong', field: 'from' },
        },
        400,
        { 'x-correlator': 'c-1' },
      ),
    );
    const answer = await client.check(ITEM, { correlator: 'mine' });
    const { problem: error } = answer as { problem: NumgateError };
    expect(error).toBeInstanceOf(NumgateError);
    const { code, status, field, correlator, message } = error;
    expect([code, status, field, correlator]).toEqual(['FIELD_VALUE', 400, 'from', 'c-1']);
    expect(message).toBe('"from" is wrong');
    expect(new Headers(sent[0]!.init.headers).get('x-correlator')).toBe('mine');
  });

  it.each(['call\n1', '통화', 'a b', 'a'.repeat(257), ''])(
    'is not caused by the correlator %j, which the service would replace',
    async (correlator) => {
      const { client, sent } = clientOf((request) => answer(request));
      expect(await client.check(ITEM, { correlator })).toMatchObject({ verdict: 'allow' });
      expect(await client.checkBatch([ITEM], { correlator })).toMatchObject([{ verdict: 'allow' }]);
      const { value } = await client.checkStream([ITEM], { correlator }).next();
      expect(value).toMatchObject({ verdict: 'allow' });
      for (const { init } of sent) expect(new Headers(init.headers).has('x-correlator')).toBe(false);
    },
  );

  it('is that of the status, also if the connection breaks after it', async () => {
    const broken = () => new ReadableStream({ start: (body) => body.error(new TypeError('reset')) });
    const { client, sent } = clientOf(() => new Response(broken(), { status: 403 }));
    expect(await client.check(ITEM)).toMatchObject({ action: 'closed', problem: { code: 'HTTP_ERROR' } });
    expect(sent).toHaveLength(1);
  });

  it.each<[string, string, Respond]>([
    ['nothing but a rejection', 'UNREACHABLE', () => Promise.reject(null)],
    ['a lost connection', 'UNREACHABLE', () => Promise.reject(new TypeError(`no way to ${NUMBER}`))],
    ['a page of something else', 'HTTP_ERROR', () => new Response(`<html>${NUMBER}`, { status: 404 })],
    ['a problem that is none', 'HTTP_ERROR', () => json([NUMBER], 403)],
    ['the problem of something else', 'HTTP_ERROR', () => json({ code: 'OTHER', message: NUMBER }, 400)],
    ['a redirect', 'HTTP_ERROR', () => Response.redirect(`https://other.example/${NUMBER}`)],
    ['a truncated response', 'RESPONSE_INVALID', () => new Response(`{"to":"${NUMBER}"`)],
    ['a used-up quota', 'QUOTA_EXCEEDED', () => problem(429, 'QUOTA_EXCEEDED')],
  ])('never contains a number or the key: %s', async (_what, code, respond) => {
    const { client, sent } = clientOf(respond, { retries: 1 });
    const answer = await client.check(ITEM, { correlator: 'mine' });
    expect(answer).toMatchObject({ problem: { code, correlator: 'mine' } });
    const [batched] = await client.checkGatewayBatch([ITEM]);
    const thrown: unknown = await client
      .checkStream([ITEM], { deadlineMs: 1 })
      .next()
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'NumgateError', code });
    for (const shown of [answer, batched, thrown]) {
      expect(inspect(shown, { depth: 9 }) + JSON.stringify(shown)).not.toMatch(/9876|0123456789abcdef/);
    }
    for (const { url, init } of sent) expect([url.includes('9876'), init.method]).toEqual([false, 'POST']);
  });

  it.each([
    ['a URL without a protocol', { url: 'numgate.example' }],
    ['another protocol', { url: 'file:///etc/numgate' }],
    ['credentials in the URL', { url: 'https://me:secret@numgate.example' }],
    ['a password in the URL', { url: 'https://:secret@numgate.example' }],
    ['a query in the URL', { url: 'https://numgate.example/?a=1' }],
    ['an empty query in the URL', { url: 'https://numgate.example/?' }],
    ['an empty fragment in the URL', { url: 'https://numgate.example#' }],
    ['a time that is no number', { timeoutMs: Number('500 ms') }],
    ['a deadline that is text', { deadlineMs: '1000' as unknown as number }],
    ['no time at all', { timeoutMs: 0 }],
    ['less than no retries', { retries: -1 }],
    ['no key', { key: undefined as unknown as string }],
    ['an unknown fail policy', { failPolicy: 'Closed' as 'closed' }],
    ['an empty key', { key: '' }],
    ['a key with a line end', { key: `${KEY}\n` }],
  ])('is thrown at once for %s, without the key', (_what, wrong) => {
    const make = () => makeClient({ url: 'https://numgate.example', key: KEY, ...wrong });
    expect(make).toThrow(TypeError);
    expect(make).not.toThrow(/0123456789abcdef|secret/);
  });
});

it('of the Node client can have any space around its URL, and any time', async () => {
  const options = { url: ' https://numgate.example/base/ ', timeoutMs: Number.POSITIVE_INFINITY };
  const { client, sent } = clientOf(async (request) => {
    // A timer that fired at once would be faster.
    await new Promise((resolve) => setTimeout(resolve, 5));
    request.init.signal!.throwIfAborted();
    return answer(request);
  }, options);
  const call = { deadlineMs: Number.POSITIVE_INFINITY };
  expect(await client.check(ITEM, call)).toMatchObject({ verdict: 'allow' });
  expect(sent[0]!.url).toBe('https://numgate.example/base/v1/check');
});

describe('a signal of the caller', () => {
  const reason = new Error('the caller hung up');
  const hang: Respond = ({ init }) =>
    new Promise((_, reject) => {
      init.signal!.addEventListener('abort', () => reject(init.signal!.reason));
    });

  it('ends each kind of check while it waits for a response, with its reason', async () => {
    for (const kind of ['check', 'checkBatch', 'checkStream', 'checkGateway', 'checkGatewayBatch'] as const) {
      const controller = new AbortController();
      const { client } = clientOf((request, index) => {
        queueMicrotask(() => controller.abort(reason));
        return hang(request, index);
      });
      const options = { signal: controller.signal };
      const calls = {
        check: () => client.check(ITEM, options),
        checkBatch: () => client.checkBatch([ITEM], options),
        checkStream: () => client.checkStream([ITEM], options).next(),
        checkGateway: () => client.checkGateway(ITEM, options),
        checkGatewayBatch: () => client.checkGatewayBatch([ITEM], options),
      };
      await expect(calls[kind]()).rejects.toBe(reason);
    }
  });

  it('ends the last attempt while an error arrives', async () => {
    const controller = new AbortController();
    const { client } = clientOf(
      ({ init }) => {
        const start = (body: ReadableStreamDefaultController): void => {
          init.signal!.addEventListener('abort', () => body.error(init.signal!.reason));
          queueMicrotask(() => controller.abort(reason));
        };
        const headers = { 'content-type': 'application/problem+json' };
        return new Response(new ReadableStream({ start }), { status: 500, headers });
      },
      { retries: 0 },
    );
    await expect(client.check(ITEM, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('ends a stream whose source never gives an item, and one whose results have arrived', async () => {
    const waiting = new AbortController();
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    const { client } = clientOf(answer);
    const first = client.checkStream(never, { signal: waiting.signal }).next();
    waiting.abort(reason);
    await expect(first).rejects.toBe(reason);

    const reading = new AbortController();
    const results = clientOf(({ body }) => new Response(body.replaceAll('}', ',"verdict":"allow"}')));
    const stream = results.client.checkStream([ITEM, ITEM], { signal: reading.signal });
    expect(await stream.next()).toMatchObject({ value: { verdict: 'allow' } });
    reading.abort(reason);
    await expect(stream.next()).rejects.toBe(reason);
  });

  it('ends a pause, and prevents a request', async () => {
    const controller = new AbortController();
    const { client, sent } = clientOf(
      () => {
        setTimeout(() => controller.abort(reason), 0);
        return problem(503, 'UNAVAILABLE', { 'retry-after': '600' });
      },
      { pause: undefined! },
    );
    await expect(client.check(ITEM, { signal: controller.signal })).rejects.toBe(reason);
    await expect(client.checkBatch([ITEM], { signal: controller.signal })).rejects.toBe(reason);
    await expect(client.checkStream([ITEM], { signal: controller.signal }).next()).rejects.toBe(reason);
    expect(sent).toHaveLength(1);
  });
});
