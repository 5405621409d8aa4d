/**
 * Without data nobody is told `allow`: a store without a release, a service without secrets, and data
 * that is older than a client takes.
 */
import { describe, expect, it } from 'vitest';
import { ask, check, refused, stream, streamJson } from './support/ask.ts';
import { NUMBERS } from './support/input-lists.ts';
import { world } from './support/world.ts';

describe('a service without a release', () => {
  it('answers indeterminate LIST_UNAVAILABLE, with the action of the client', async () => {
    const base = world().withoutRelease;
    for (const [client, action] of [
      ['bulk', 'open'],
      ['careful', 'closed'],
    ] as const) {
      const answer = await check({ to: NUMBERS.free }, { base, client });
      expect(answer).toMatchObject({
        verdict: 'indeterminate',
        action,
        release: null,
        asOf: null,
        stale: true,
      });
      expect(answer.reasons[0]).toMatchObject({ code: 'LIST_UNAVAILABLE', match: 'data', subject: 'to' });
    }
  });

  it('says so in batches and streams too', async () => {
    const base = world().withoutRelease;
    const batch = await ask('/v1/check/batch', { base, body: { items: [{ to: NUMBERS.free }] } });
    expect(batch.json.summary).toMatchObject({ indeterminate: 1, allow: 0 });
    expect(await stream(NUMBERS.free, { base })).toEqual([`${NUMBERS.free},indeterminate,LIST_UNAVAILABLE`]);
    expect((await streamJson('{"to":"010-5555-0000"}', { base }))[0]!.verdict).toBe('indeterminate');
  });

  it('still answers what needs no list: test numbers, emergencies, rules on senders', async () => {
    const base = world().withoutRelease;
    expect((await check({ to: '010-0000-0003' }, { base })).reasons[0]!.code).toBe('NUMBER_SUSPENDED');
    expect((await check({ from: NUMBERS.free, to: '112' }, { base })).verdict).toBe('allow');
    expect((await check({ from: '112' }, { base })).reasons[0]!.code).toBe('SENDER_FORMAT_RULE');
  });

  it('is not healthy: 503 UNAVAILABLE', async () => {
    await refused(['/healthz', { base: world().withoutRelease, client: null }], [503, 'UNAVAILABLE']);
  });
});

describe('a service without secrets', () => {
  it('answers 503 NOT_CONFIGURED, and names the secret', async () => {
    const request = { base: world().withoutSecrets, client: null } as const;
    for (const path of ['/healthz', '/v1/check?to=112']) {
      const { json } = await refused([path, request], [503, 'NOT_CONFIGURED']);
      expect(json.message).toContain('LIST_KEY');
    }
  });

  it('still tells what the API is', async () => {
    expect((await ask('/openapi.json', { base: world().withoutSecrets, client: null })).status).toBe(200);
  });
});

describe('data older than maxStaleSeconds', () => {
  it('is loaded again before a client is told that it is stale', async () => {
    await check({ to: NUMBERS.free }, { client: 'careful' });
    // The only way to an idle service is to leave it alone, longer than the 10 s that this client takes.
    await new Promise((resolve) => setTimeout(resolve, 11_500));
    const { verdict, reasons } = await check({ to: NUMBERS.free }, { client: 'careful' });
    expect([verdict, reasons.map(({ code }) => code)]).toEqual(['allow', []]);
  });
});
