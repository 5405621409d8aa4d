/** `/v1/check` with valid requests: its findings, and the forms of requests and responses. */
import { describe, expect, it } from 'vitest';
import { NUMBERS, SOURCES } from './support/input-lists.ts';
import { check, send } from './support/send.ts';
import { world } from './support/world.ts';

describe('POST /v1/check', () => {
  it('a number on no list is allowed, without reasons', async () => {
    const answer = await check({ to: NUMBERS.free });
    expect(answer).toMatchObject({
      verdict: 'allow',
      subject: null,
      from: null,
      to: NUMBERS.free,
      reasons: [],
    });
  });

  it('a suspended recipient is blocked; the response names list, match, authority and release', async () => {
    const answer = await check({ from: '1588-1234', to: '010-4444-0001', channel: 'sms' });
    expect(answer).toMatchObject({
      verdict: 'block',
      subject: 'to',
      from: '+8215881234',
      to: NUMBERS.suspended,
      release: world().release,
      seq: world().seq,
      stale: false,
    });
    expect(answer.reasons).toEqual([
      {
        subject: 'to',
        code: 'NUMBER_SUSPENDED',
        list: 'kr-suspended',
        match: 'exact',
        effect: 'block',
        authority: 'ktoa',
        until: null,
        appeal: expect.any(String),
      },
    ]);
  });

  it.each([
    ['terminated, as recipient', { to: NUMBERS.terminated }, 'block', 'NUMBER_TERMINATED', 'exact'],
    ['suspended, as sender', { from: NUMBERS.suspended }, 'block', 'NUMBER_SUSPENDED', 'exact'],
    ['in an unallocated range', { to: NUMBERS.unallocated }, 'block', 'NUMBER_UNALLOCATED', 'range'],
    ['listed abroad, as sender', { from: NUMBERS.overseas }, 'block', 'OVERSEAS_NUMBER_LISTED', 'exact'],
    ['in a listed range abroad', { from: NUMBERS.overseasRange }, 'block', 'OVERSEAS_RANGE_LISTED', 'range'],
    ['a listed sender ID', { from: SOURCES.listed }, 'block', 'OVERSEAS_SOURCE_LISTED', 'source'],
    ['a listed route', { from: SOURCES.trunk }, 'block', 'OVERSEAS_SOURCE_LISTED', 'source'],
    ['reported, as sender', { from: NUMBERS.reported }, 'label', 'SENDER_REPORTED', 'exact'],
    ['too short to be a number', { to: '+8210123' }, 'block', 'NUMBER_FORMAT_INVALID', 'rule'],
    ['a 011 sender of a text', { from: '011-234-5678' }, 'block', 'SENDER_FORMAT_RULE', 'rule'],
  ])('the verdict and the reason fit a party that is %s', async (_name, question, verdict, code, match) => {
    const answer = await check(question);
    expect(answer.verdict).toBe(verdict);
    expect(answer.reasons[0]).toMatchObject({ code, match });
    // A person can appeal against a block by a list, but not against a rule or a label.
    expect('appeal' in answer.reasons[0]!).toBe(verdict === 'block' && match !== 'rule');
  });

  it('a list applies only to its own subjects', async () => {
    expect((await check({ to: NUMBERS.overseas })).verdict).toBe('allow');
    expect((await check({ to: NUMBERS.reported })).verdict).toBe('allow');
  });

  it('a reason contains the end of its entry; expired and future entries are ignored', async () => {
    const [reason] = (await check({ to: NUMBERS.suspendedUntil2099 })).reasons;
    expect(new Date(reason!.until!).getTime()).toBe(Date.parse('2099-01-01T00:00:00+09:00'));
    expect((await check({ to: NUMBERS.suspensionEnded })).reasons).toEqual([]);
    expect((await check({ to: NUMBERS.suspensionNotBegun })).reasons).toEqual([]);
  });

  it('the default channel is sms, and sender rules apply only to sms', async () => {
    const from = '050-1234-5679';
    expect((await check({ from })).reasons[0]!.list).toBe('personal-050');
    expect((await check({ from, channel: 'sms' })).verdict).toBe('block');
    expect((await check({ from, channel: 'voice' })).verdict).toBe('allow');
  });

  it.each([
    ['+82 10-4444-0001'],
    ['01044440001'],
    ['010.4444.0001'],
    ['+82 (0)10 4444 0001'],
    ['0082-10-4444-0001'],
    ['０１０－４４４４－０００１'],
    ['\u202a+82\u00a010‑4444‑0001\u202c'],
  ])('%s is read as the listed number', async (to) => {
    expect(await check({ to })).toMatchObject({ verdict: 'block', to: NUMBERS.suspended });
  });

  it.each([
    'kr-gov-notice',
    ' KR-GOV-NOTICE ',
    'ＫＲ-ＧＯＶ-ＮＯＴＩＣＥ',
    'KR - GOV - NOTICE',
    'KR–GOV—NOTICE',
  ])('each spelling of a listed sender ID is found: %s', async (from) =>
    expect((await check({ from })).reasons[0]!.code).toBe('OVERSEAS_SOURCE_LISTED'),
  );

  it('a sender ID on no list is allowed', async () => {
    const answer = await check({ from: SOURCES.free }, { client: 'senders' });
    expect(answer).toMatchObject({ verdict: 'allow', from: SOURCES.free });
  });
});

describe('short codes', () => {
  it('anyone may call a short code; only its owner may send texts from it', async () => {
    expect(await check({ to: '1335' })).toMatchObject({ verdict: 'allow', to: '1335' });
    const other = await check({ from: '1335' });
    expect([other.verdict, other.reasons[0]!.list]).toEqual(['block', 'short-code-not-owned']);
    expect((await check({ from: '1335' }, { client: 'careful' })).verdict).toBe('allow');
    expect((await check({ from: '114' }, { client: 'careful' })).verdict).toBe('block');
  });
});

describe('GET /v1/check', () => {
  it.each([
    { from: NUMBERS.suspended },
    { to: NUMBERS.free, channel: 'voice' },
    { from: SOURCES.listed, to: NUMBERS.terminated, channel: 'sms' },
    { from: '1588-1234', to: '112' },
  ])('GET returns the same as POST: $from $to', async (question) => {
    const posted = await check(question);
    const { status, json } = await send(
      `/v1/check?${new URLSearchParams(question as Record<string, string>)}`,
    );
    expect(status).toBe(200);
    expect({ ...json, asOf: null }).toEqual({ ...posted, asOf: null });
  });

  it('an unescaped plus, which arrives as a space, is read as a plus', async () => {
    expect((await send('/v1/check?to=+821044440001')).json.to).toBe(NUMBERS.suspended);
    expect((await send('/v1/check?from=+639171234567')).json.from).toBe(NUMBERS.overseas);
  });
});

describe('Accept: text/plain', () => {
  const text = (question: Record<string, string>, accept = 'text/plain') =>
    send('/v1/check', { body: question, headers: { accept } });

  it('the response is one line: verdict, code, subject', async () => {
    const reply = await text({ from: '1588-1234', to: NUMBERS.suspended });
    expect(reply.text).toBe('block NUMBER_SUSPENDED to\n');
    expect(reply.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect((await text({ to: NUMBERS.free })).text).toBe('allow\n');
    const got = await send(`/v1/check?from=${SOURCES.listed}`, { headers: { accept: 'text/plain' } });
    expect(got.text).toBe('block OVERSEAS_SOURCE_LISTED from\n');
  });

  it('headers name the head, as fields do in JSON', async () => {
    const { headers } = await text({ to: NUMBERS.free });
    const { json } = await send('/v1/check', { body: { to: NUMBERS.free } });
    expect(headers.get('numgate-release')).toBe(json.release);
    expect(headers.get('numgate-seq')).toBe(String(json.seq));
    expect(headers.get('numgate-stale')).toBe('false');
    expect(headers.get('numgate-as-of')).toMatch(/^\d{4}-.*Z$/);
  });

  it('GET has these headers too; JSON responses have none of them', async () => {
    const names = ['numgate-release', 'numgate-seq', 'numgate-as-of', 'numgate-stale'];
    const { headers } = await send('/v1/check?to=112', { headers: { accept: 'text/plain' } });
    expect(names.map((name) => headers.has(name))).toEqual([true, true, true, true]);
    const json = await send('/v1/check?to=112');
    expect(names.map((name) => json.headers.has(name))).toEqual([false, false, false, false]);
  });

  it("the line ends with the client's action only if the verdict is indeterminate", async () => {
    const body = { to: '010-0000-0023' };
    const accept = 'text/plain';
    for (const [client, action] of [
      ['bulk', 'open'],
      ['careful', 'closed'],
    ] as const) {
      const reply = await send('/v1/check', { client, body, headers: { accept } });
      expect(reply.text).toBe(`indeterminate LIST_UNAVAILABLE to ${action}\n`);
    }
  });

  it('a client that accepts both gets JSON', async () => {
    expect((await text({ to: NUMBERS.free }, 'application/json, text/plain')).json.verdict).toBe('allow');
  });
});
