/**
 * Registered senders: clients that require registration, identity opt-outs, mock clients, and the check of a sender
 * without sending.
 */
import { describe, expect, it } from 'vitest';
import { NUMBERS, SOURCES } from './support/input-lists.ts';
import { type Answer, check, expectRefused, send, stream, streamJson } from './support/send.ts';
import type { ClientName } from './support/world.ts';

async function verdict(from: string, client: ClientName = 'registered'): Promise<unknown[]> {
  const { verdict: found, reasons } = await check({ from }, { client });
  return [found, ...reasons.map(({ code, effect }) => `${code} ${effect}`)];
}

async function checkSender(body: object, client: ClientName = 'registered'): Promise<Answer> {
  const { status, json } = await send('/v1/senders/check', { body, client });
  expect(status).toBe(200);
  return json;
}

const UNREGISTERED = ['block', 'SENDER_NOT_REGISTERED block'];

describe('a client that requires registration', () => {
  it('sends only from its registered numbers and its short codes', async () => {
    for (const from of [NUMBERS.registered, NUMBERS.registeredOwn, '1588-0001', '1335', '010-0000-0024'])
      expect([from, (await verdict(from))[0]]).toEqual([from, 'allow']);
    for (const from of [NUMBERS.free, '1588-9999', '1336'])
      expect(await verdict(from)).toContain(UNREGISTERED[1]);
    const sourceOf = await check({ from: SOURCES.free, to: '+639171111111' }, { client: 'registered' });
    expect(sourceOf).toMatchObject({ verdict: 'block', reasons: [{ list: 'registration', match: 'rule' }] });
    expect(await verdict(NUMBERS.free, 'bulk')).toEqual(['allow']);
  });

  it('is checked in batches and streams too, and not without a sender', async () => {
    const items = [{ from: NUMBERS.registered }, { from: NUMBERS.free }, { to: NUMBERS.free }];
    const { json } = await send('/v1/check/batch', { body: { items }, client: 'registered' });
    expect(json.results!.map((each) => each.verdict)).toEqual(['allow', 'block', 'allow']);
    const text = await stream(`${NUMBERS.registered}\n${NUMBERS.free}\n`, {
      ...{ client: 'registered', query: '?subject=from' },
    });
    expect(text).toEqual([`${NUMBERS.registered},allow,`, `${NUMBERS.free},block,SENDER_NOT_REGISTERED`]);
  });

  it('reaches an emergency number from any sender', async () => {
    const answer = await check({ from: NUMBERS.free, to: '119' }, { client: 'registered' });
    expect(answer).toMatchObject({ verdict: 'allow', reasons: [{ code: 'EMERGENCY_NEVER_BLOCKED' }, {}] });
  });
});

describe('an identity opt-out', () => {
  it('is lifted for the clients of an own registration, and stays a reason', async () => {
    expect(await verdict(NUMBERS.optedOutOwn)).toEqual(['allow', 'SENDER_IDENTITY_OPTOUT shadow']);
    expect(await verdict(NUMBERS.optedOutOwn, 'bulk')).toEqual(['block', 'SENDER_IDENTITY_OPTOUT block']);
    expect(await verdict(NUMBERS.optedOut, 'bulk')).toEqual(['block', 'SENDER_IDENTITY_OPTOUT block']);
  });
});

describe('POST /v1/senders/check', () => {
  it('returns what a check would, and whether the sender is registered', async () => {
    const sent = { from: NUMBERS.free, to: NUMBERS.suspended };
    const { registration, requireRegistration, ...rest } = await checkSender(sent);
    expect([registration, requireRegistration]).toEqual(['none', 'enforce']);
    const { asOf, ...same } = await check(sent, { client: 'registered' });
    expect(rest).toMatchObject(same);
    expect(asOf).not.toBeNull();
    for (const [from, expected] of [
      [NUMBERS.registered, 'registered'],
      [NUMBERS.registeredOwn, 'own'],
      ['1335', 'own'],
      [SOURCES.free, 'none'],
    ] as const)
      expect([from, (await checkSender({ from })).registration]).toEqual([from, expected]);
    const ambiguous = await checkSender({ from: NUMBERS.busan.slice(3) }, 'senders');
    expect(ambiguous).toMatchObject({ verdict: 'indeterminate', registration: null });
    expect(await checkSender({ from: NUMBERS.registered }, 'bulk')).toMatchObject({
      ...{ verdict: 'allow', registration: 'none', requireRegistration: 'off' },
    });
  });

  it('is one line of text for gateways that cannot read JSON', async () => {
    const { text, headers } = await send('/v1/senders/check', {
      ...{ body: { from: NUMBERS.free }, client: 'registered', headers: { accept: 'text/plain' } },
    });
    expect(text).toBe('block SENDER_NOT_REGISTERED from\n');
    expect(headers.get('numgate-release')).toMatch(/^\d{8}T/);
  });

  it('refuses a request without "from", with unknown fields, or by another method', async () => {
    const path = '/v1/senders/check';
    const client = 'registered';
    await expectRefused([path, { body: { to: NUMBERS.free }, client }], [400, 'FIELD_MISSING', 'from']);
    const unknown = { from: NUMBERS.free, client: 'other' };
    await expectRefused([path, { body: unknown, client }], [400, 'FIELD_UNKNOWN', 'client']);
    await expectRefused([path, { client }], [405, 'METHOD_NOT_ALLOWED']);
    await expectRefused([path, { body: { from: NUMBERS.free }, client: null }], [401, 'UNAUTHENTICATED']);
    await expectRefused(
      [path, { body: { from: NUMBERS.free }, client: 'gateway' }],
      [403, 'PERMISSION_DENIED'],
    );
  });
});

describe('a mock client', () => {
  it('is named in each of its responses, and in no other', async () => {
    const client = 'mock';
    const from = NUMBERS.free;
    expect(await check({ from }, { client })).toMatchObject({ mock: true });
    expect(await checkSender({ from }, client)).toMatchObject({ mock: true });
    const { json } = await send('/v1/check/batch', { body: { items: [{ from }] }, client });
    expect(json.mock).toBe(true);
    expect(await streamJson(`${JSON.stringify({ from })}\n`, { client })).toMatchObject([{ mock: true }]);
    const text = await send(`/v1/check?from=${encodeURIComponent(from)}`, {
      ...{ client, headers: { accept: 'text/plain' } },
    });
    expect(text.headers.get('numgate-mock')).toBe('true');
    expect(await check({ from })).not.toHaveProperty('mock');
  });
});
