/**
 * Parsing of senders and recipients: decoration, ambiguity, and Korea's sender rules.
 */
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { check, send, stream } from './support/send.ts';

/** Either Busan without its 0, which is terminated, or a number of Peru, which is on no list. */
const AMBIGUOUS = '5112345678';
const PERU = '+5112345678';

describe('the spelling of a listed number', () => {
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
  ])('a decorated number is found: %s', async (text) => {
    for (const subject of ['from', 'to'] as const) {
      const answer = await check({ [subject]: text });
      expect(answer.reasons[0]!.code).toBe('NUMBER_SUSPENDED');
      expect(answer[subject]).toBe(NUMBERS.suspended);
    }
  });

  it.each(['008613716965408', '86-137-1696-5408', '0070086 137 1696 5408'])(
    'a foreign number is found without a plus: %s',
    async (from) => {
      const answer = await check({ from }, { client: 'senders' });
      expect(answer.reasons[0]!.code).toBe('OVERSEAS_NUMBER_LISTED');
      expect(answer.from).toBe(NUMBERS.overseasChina);
    },
  );
});

describe('a text with several readings', () => {
  it('the action is closed if one reading is blocked; the detail says what to do', async () => {
    const answer = await check({ to: AMBIGUOUS });
    expect(answer).toMatchObject({
      ...{ verdict: 'indeterminate', action: 'closed', subject: 'to', to: null },
      readings: { to: [NUMBERS.busan, PERU] },
    });
    expect(answer.reasons[0]).toMatchObject({ code: 'NUMBER_AMBIGUOUS', effect: 'indeterminate' });
    expect(answer.reasons[0]!.detail).toContain('with +');
    expect(answer.reasons[1]).toMatchObject({ code: 'NUMBER_TERMINATED' });
  });

  it('readings that agree give one verdict', async () => {
    const answer = await check({ to: '5112345679' });
    expect(answer).toMatchObject({ verdict: 'allow', readings: { to: ['+825112345679', '+5112345679'] } });
  });

  it('a text with a plus has one reading', async () => {
    expect(await check({ to: NUMBERS.busan })).not.toHaveProperty('readings');
    expect((await check({ to: PERU })).verdict).toBe('allow');
  });

  it("a client's international prefix leaves one reading", async () => {
    const to = '00994 12 312 34 56';
    const [azerbaijan, sriLanka] = ['+994123123456', '+94123123456'];
    expect((await check({ to })).readings).toEqual({ to: [azerbaijan, sriLanka] });
    for (const [client, number] of [
      ['zeros', azerbaijan],
      ['carriers', sriLanka],
    ] as const) {
      const answer = await check({ to }, { client });
      expect([client, answer.to, answer.readings]).toEqual([client, number, undefined]);
      const batch = await send('/v1/check/batch', { client, body: { items: [{ to }] } });
      expect(batch.json.results[0]).toMatchObject({ to: number });
      expect(await stream(`${to}\n`, { client })).toEqual([expect.stringMatching(/,allow,$/)]);
    }
  });

  it('batches, streams, text responses and GET return the same', async () => {
    const { json } = await send('/v1/check/batch', { body: { items: [{ id: 'a', to: AMBIGUOUS }] } });
    expect(json.results[0]).toMatchObject({ verdict: 'indeterminate', action: 'closed' });
    expect(json.summary).toMatchObject({ indeterminate: 1 });
    expect(await stream(`${AMBIGUOUS}\n`)).toEqual([`${AMBIGUOUS},indeterminate,NUMBER_AMBIGUOUS`]);
    const type = { 'content-type': 'application/x-ndjson' };
    const lines = await send('/v1/check/stream', { body: `{"to":"${AMBIGUOUS}"}\n`, headers: type });
    expect(JSON.parse(lines.text)).toMatchObject({
      verdict: 'indeterminate',
      readings: { to: expect.anything() },
    });
    const text = await send(`/v1/check?to=${AMBIGUOUS}`, { headers: { accept: 'text/plain' } });
    expect(text.text).toBe('indeterminate NUMBER_AMBIGUOUS to closed\n');
  });

  it('a gateway gets the strongest verdict', async () => {
    const { json } = await send('/v1/gateway/check', { body: { channel: 'voice', from: AMBIGUOUS } });
    expect(json).toMatchObject({ verdict: 'block', from: NUMBERS.busan, sip: { status: 603 } });
    expect(json.readings).toEqual({ from: [NUMBERS.busan, PERU] });
  });

  it('a representative number after a carrier prefix is Korean', async () => {
    const { json } = await send('/v1/gateway/check', { body: { channel: 'voice', from: '0070015881234' } });
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
  ])('the sender %s is blocked by the rule %s', async (from, list) => {
    const answer = await check({ from, to: NUMBERS.free });
    expect(answer).toMatchObject({ verdict: 'block', subject: 'from' });
    expect(answer.reasons[0]).toMatchObject({ code: 'SENDER_FORMAT_RULE', list, match: 'rule' });
  });

  it('any sender may write to a foreign recipient, or for a client without sender rules', async () => {
    expect((await check({ from: 'MYSHOP', to: NUMBERS.free }, { client: 'senders' })).verdict).toBe('allow');
    expect((await check({ from: 'MYSHOP', to: '+12125551234' })).verdict).toBe('allow');
  });
});
