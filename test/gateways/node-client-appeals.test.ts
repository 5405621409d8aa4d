/** The appeals of the Node client. They send no key, and send the token of an appeal only to request its own status. */
import { describe, expect, it } from 'vitest';
import { makeAppeals } from '../../examples/node/client.ts';
import { json, problem, type Respond, type SentRequest } from './support/fake-fetch.ts';

function appealsOf(respond: Respond) {
  const sent: SentRequest[] = [];
  const fetched = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const request = { url: String(input), init, body: String(init.body) };
    return respond(request, sent.push(request) - 1);
  };
  const appeals = makeAppeals({
    ...{ url: 'https://control.example', pause: async () => undefined },
    fetch: fetched as typeof fetch,
  });
  return { appeals, sent };
}

const message = { ko: '접수했습니다.', en: 'received' };
const APPEAL = {
  reference: 'AbC-_1',
  statement: 'It is the number of our bank.',
  contact: 'care@example.kr',
};

describe('appeals', () => {
  it('are sent without a key, and followed with their own token', async () => {
    const { appeals, sent } = appealsOf(({ url }, index) => {
      if (index === 0) return problem(429, 'RATE_LIMITED', { 'retry-after': '1' });
      if (url.endsWith('/status')) return json({ state: 'received', message });
      return json({ appeal: 'token', message }, 202);
    });
    const { appeal } = await appeals.appeal(APPEAL);
    expect(await appeals.appealStatus(appeal)).toEqual({ state: 'received', message });
    expect(sent.map(({ url }) => url.replace('https://control.example/v1/', ''))).toEqual([
      'appeals',
      'appeals',
      'appeals/status',
    ]);
    expect(JSON.parse(sent[1]!.body)).toEqual(APPEAL);
    expect(sent[1]!.init.headers).not.toHaveProperty('authorization');
    expect(sent[2]!.init.headers).toMatchObject({ authorization: 'Bearer token' });
    expect(sent[2]!.init.method).toBe('GET');
  });

  it('reject with what the service refuses', async () => {
    const { appeals, sent } = appealsOf(() => problem(400, 'PROOF_MISSING'));
    await expect(appeals.appeal(APPEAL)).rejects.toMatchObject({ code: 'PROOF_MISSING', status: 400 });
    expect(sent).toHaveLength(1);
    await expect(appeals.appealStatus('a token')).rejects.toThrow('"key"');
  });

  it('get a challenge for a proof of work', async () => {
    const { appeals, sent } = appealsOf(() => json({ algorithm: 'PBKDF2/SHA-256' }));
    expect(await appeals.appealChallenge()).toEqual({ algorithm: 'PBKDF2/SHA-256' });
    expect(sent[0]!.url).toBe('https://control.example/v1/appeals/challenge');
  });
});
