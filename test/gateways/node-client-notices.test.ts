/** The notices of the Node client: it reads page after page, and repeats answers until they are accepted. */
import { describe, expect, it } from 'vitest';
import { makeNotices, verifyWebhook } from '../../examples/node/client.ts';
import { json, problem, type Respond, type SentRequest } from './support/fake-fetch.ts';

function noticesOf(respond: Respond) {
  const sent: SentRequest[] = [];
  const fetched = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const request = { url: String(input), init, body: String(init.body) };
    return respond(request, sent.push(request) - 1);
  };
  const notices = makeNotices({
    ...{ url: 'https://control.example', key: 'acme.secret', pause: async () => undefined },
    fetch: fetched as typeof fetch,
  });
  return { notices, sent };
}

const one = (version: number) => ({ version, type: 'kr.numgate.owner.used.v1', data: {} });

describe('notices', () => {
  it('come page by page, after a version', async () => {
    const { notices, sent } = noticesOf(({ url }) =>
      url.endsWith('after=7')
        ? json({ notices: [one(8), one(9)], next: 9 })
        : json({ notices: [one(10)], next: null }),
    );
    const versions: number[] = [];
    for await (const { version } of notices.notices(7)) versions.push(version);
    expect(versions).toEqual([8, 9, 10]);
    expect(sent.map(({ url }) => new URL(url).search)).toEqual(['?after=7', '?after=9']);
    expect(sent[0]!.init.headers).toMatchObject({ authorization: 'Bearer acme.secret' });
  });

  it('are answered, again after a failure, and not after a refusal', async () => {
    const answer = { informed: 3, at: '2026-11-26T05:00:00Z' };
    const { notices, sent } = noticesOf((_request, index) =>
      index === 0 ? problem(503, 'UNAVAILABLE') : json({ ...one(17), acknowledgement: answer }),
    );
    expect(await notices.acknowledge(17, answer)).toMatchObject({ version: 17 });
    expect(sent.map(({ url, body }) => [new URL(url).pathname, JSON.parse(body)])).toEqual(
      Array(2).fill(['/v1/notices/17/acknowledge', answer]),
    );
    const refused = noticesOf(() => problem(409, 'NOTICE_ANSWERED'));
    await expect(refused.notices.acknowledge(17, answer)).rejects.toMatchObject({ code: 'NOTICE_ANSWERED' });
    expect(refused.sent).toHaveLength(1);
  });
});

describe('webhooks', () => {
  it('need keys in the form of Standard Webhooks', async () => {
    const headers = { 'webhook-id': 'a-1', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AA==' };
    const options = { now: 1000 };
    await expect(verifyWebhook('{}', headers, 'secret', options)).rejects.toThrow(TypeError);
    await expect(verifyWebhook('{}', {}, 'whsec_AAAA', options)).rejects.toThrow('is missing');
    await expect(
      verifyWebhook('{}', { ...headers, 'webhook-timestamp': '1e9' }, 'whsec_AAAA'),
    ).rejects.toThrow('too old');
  });

  it('verify the vector of Standard Webhooks', async () => {
    // From the tests of the reference libraries.
    const body = '{"test": 2432232314}';
    const headers = new Headers({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
    const options = { now: 1_614_265_330_000 };
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    expect(await verifyWebhook(body, headers, ['whsec_AAAA', secret], options)).toEqual({ test: 2432232314 });
  });
});
