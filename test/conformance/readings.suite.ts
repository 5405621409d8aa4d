/**
 * How senders and recipients are read: decoration, ambiguity, and Korea's rules for senders.
 */
import { describe, expect, it } from 'vitest';
import { ask, check, stream } from './support/ask.ts';
import { NUMBERS } from './support/input-lists.ts';

/** Busan without its 0, which is terminated, or a number of Peru, which is on no list. */
const AMBIGUOUS = '5112345678';
const PERU = '+5112345678';

describe('a listed number', () => {
  it.each([
    'tel:+82-10-4444-0001',
    'sip:+821044440001@example.com;user=phone',
    '010-4444-0001 (대표)',
    '010ㆍ4444ㆍ0001',
    '010_4444_0001',
    '010~4444~0001',
    "'010-4444-0001",
    '☎ 010-4444-0001',
    '010-4444-0001 내선 12',
    '010-4444-0001x',
    '1044440001.0',
  ])('is found however it is decorated: %s', async (text) => {
    for (const subject of ['from', 'to'] as const) {
      const answer = await check({ [subject]: text });
      expect(answer.reasons[0]!.code).toBe('NUMBER_SUSPENDED');
      expect(answer[subject]).toBe(NUMBERS.suspended);
    }
  });

  it.each(['008613716965408', '86-137-1696-5408', '0070086 137 1696 5408'])(
    'abroad is found without a plus: %s',
    async (from) => {
      const answer = await check({ from }, { client: 'senders' });
      expect(answer.reasons[0]!.code).toBe('OVERSEAS_NUMBER_LISTED');
      expect(answer.from).toBe(NUMBERS.overseasChina);
    },
  );
});

describe('a text that can mean several numbers', () => {
  it('is not open while one of them is blocked, and says what to do', async () => {
    const answer = await check({ to: AMBIGUOUS });
    expect(answer).toMatchObject({
      ...{ verdict: 'indeterminate', action: 'closed', subject: 'to', to: null },
      readings: { to: [NUMBERS.busan, PERU] },
    });
    expect(answer.reasons[0]).toMatchObject({ code: 'NUMBER_AMBIGUOUS', effect: 'indeterminate' });
    expect(answer.reasons[0]!.detail).toContain('with +');
    expect(answer.reasons[1]).toMatchObject({ code: 'NUMBER_TERMINATED' });
  });

  it('is answered for all of them if they agree', async () => {
    const answer = await check({ to: '5112345679' });
    expect(answer).toMatchObject({ verdict: 'allow', readings: { to: ['+825112345679', '+5112345679'] } });
  });

  it('is one number with a plus', async () => {
    expect(await check({ to: NUMBERS.busan })).not.toHaveProperty('readings');
    expect((await check({ to: PERU })).verdict).toBe('allow');
  });

  it('is one number for a client with a setting for international prefixes', async () => {
    const to = '00994 12 312 34 56';
    const [azerbaijan, sriLanka] = ['+994123123456', '+94123123456'];
    expect((await check({ to })).readings).toEqual({ to: [azerbaijan, sriLanka] });
    for (const [client, number] of [
      ['zeros', azerbaijan],
      ['carriers', sriLanka],
    ] as const) {
      const answer = await check({ to }, { client });
      expect([client, answer.to, answer.readings]).toEqual([client, number, undefined]);
      const batch = await ask('/v1/check/batch', { client, body: { items: [{ to }] } });
      expect(batch.json.results[0]).toMatchObject({ to: number });
      expect(await stream(`${to}\n`, { client })).toEqual([expect.stringMatching(/,allow,$/)]);
    }
  });

  it('is the same in a batch, in both streams, in text and with GET', async () => {
    const { json } = await ask('/v1/check/batch', { body: { items: [{ id: 'a', to: AMBIGUOUS }] } });
    expect(json.results[0]).toMatchObject({ verdict: 'indeterminate', action: 'closed' });
    expect(json.summary).toMatchObject({ indeterminate: 1 });
    expect(await stream(`${AMBIGUOUS}\n`)).toEqual([`${AMBIGUOUS},indeterminate,NUMBER_AMBIGUOUS`]);
    const type = { 'content-type': 'application/x-ndjson' };
    const lines = await ask('/v1/check/stream', { body: `{"to":"${AMBIGUOUS}"}\n`, headers: type });
    expect(JSON.parse(lines.text)).toMatchObject({
      verdict: 'indeterminate',
      readings: { to: expect.anything() },
    });
    const text = await ask(`/v1/check?to=${AMBIGUOUS}`, { headers: { accept: 'text/plain' } });
    expect(text.text).toBe('indeterminate NUMBER_AMBIGUOUS to closed\n');
  });

  it('gets the strongest verdict at a gateway', async () => {
    const { json } = await ask('/v1/gateway/check', { body: { channel: 'voice', from: AMBIGUOUS } });
    expect(json).toMatchObject({ verdict: 'block', from: NUMBERS.busan, sip: { status: 603 } });
    expect(json.readings).toEqual({ from: [NUMBERS.busan, PERU] });
  });

  it('is Korean where a carrier prefix is displayed before a representative number', async () => {
    const { json } = await ask('/v1/gateway/check', { body: { channel: 'voice', from: '0070015881234' } });
    expect(json).toMatchObject({ verdict: 'block', from: '+8215881234' });
    expect(json.reasons[0]!.code).toBe('DOMESTIC_CLI_FROM_ABROAD');
  });
});

describe('the sender of a domestic text', () => {
  it.each([
    ['MYSHOP', 'alphanumeric-sender'],
    ['+12125551234', 'foreign-number'],
    ['2123-4567', 'area-code-required'],
    ['02-120', 'digits-8-to-11'],
    ['02-1588-1234', 'representative-behind-area-code'],
  ])('may not be %s: %s', async (from, list) => {
    const answer = await check({ from, to: NUMBERS.free });
    expect(answer).toMatchObject({ verdict: 'block', subject: 'from' });
    expect(answer.reasons[0]).toMatchObject({ code: 'SENDER_FORMAT_RULE', list, match: 'rule' });
  });

  it('may be anything for a client without these rules, and for a recipient abroad', async () => {
    expect((await check({ from: 'MYSHOP', to: NUMBERS.free }, { client: 'senders' })).verdict).toBe('allow');
    expect((await check({ from: 'MYSHOP', to: '+12125551234' })).verdict).toBe('allow');
  });
});
