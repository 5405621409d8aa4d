/** Texts over HTTP, with the test texts, which need no text release: fields, answers, limits, and cost. */
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { type Answer, check, expectRefused, inOneWindow, send, streamJson } from './support/send.ts';

const to = NUMBERS.free;
const EACH = '가나다라'.repeat(50);

function codesOf({ verdict, reasons }: Answer): string {
  return [verdict, ...reasons.map(({ code, match }) => `${code}/${match}`)].join(' ');
}

describe('a text', () => {
  it.each([
    ['test:ordinary', 'allow', { band: 'ordinary', reasons: [], campaign: null }],
    ['test:review', 'allow', { band: 'review', reasons: ['wording'], campaign: null }],
    ['test:TEXT_SUSPICIOUS', 'allow TEXT_SUSPICIOUS/test', { band: 'suspicious', campaign: null }],
    ['test:TEXT_HOST_LISTED', 'block TEXT_HOST_LISTED/test', { band: 'ordinary', campaign: null }],
    ['test:TEXT_CAMPAIGN', 'block TEXT_CAMPAIGN/test', { band: 'ordinary', campaign: 'c-999999999' }],
  ])('%s has the same result in a check, a batch, a stream and at a gateway', async (text, codes, found) => {
    const single = await check({ to, text });
    expect(codesOf(single)).toBe(codes);
    expect(single.text).toMatchObject({ ...found, model: 'test' });
    const batch = await send('/v1/check/batch', {
      body: { defaults: { text }, items: [{ to }, { to, text: EACH }] },
    });
    const [first, other] = batch.json.results;
    expect([codesOf(first!), first!.text]).toEqual([codes, single.text]);
    expect([codesOf(other!), other!.text]).toEqual([
      'allow',
      { score: null, band: null, reasons: [], campaign: null, model: null },
    ]);
    const [line] = await streamJson(`${JSON.stringify({ to, text })}\n`);
    expect([codesOf(line!), line!.text]).toEqual([codes, single.text]);
    const body = { from: '+12025550123', to, text };
    const gateway = (await send('/v1/gateway/check', { client: 'gateway', body })).json;
    expect(codesOf(gateway)).toContain(codes.split(' ').slice(1).join(' '));
    expect(gateway.text).toEqual(single.text);
  });

  it('is only in the answer to a request that has one', async () => {
    expect(await check({ to })).not.toHaveProperty('text');
  });

  it('of 2,000 escaped characters fits a check and a line of a stream, and no longer one does', async () => {
    const escaped = (count: number): string => `{"to":"${to}","text":"${'\\uac00'.repeat(count)}"}`;
    expect((await send('/v1/check', { body: escaped(2_000) })).status).toBe(200);
    const [fits, tooLong] = await streamJson(`${escaped(2_000)}\n${escaped(2_001)}\n`);
    expect(fits!.verdict).toBe('allow');
    expect(tooLong!.error).toMatchObject({ code: 'FIELD_VALUE', field: 'text' });
    const refused = await expectRefused(
      ['/v1/check', { body: escaped(2_001) }],
      [400, 'FIELD_VALUE', 'text'],
    );
    expect(refused.text).not.toMatch(/uac00|가/);
  });

  it.each([
    [{ to, text: 'x\ud83d' }, 'FIELD_VALUE'],
    [{ to, text: ['x'] }, 'FIELD_TYPE'],
    [{ to, text: 'x', channel: 'voice' }, 'FIELD_CONTRADICTION'],
  ])('that is not one of a message is refused: case %#', async (body, code) => {
    await expectRefused(['/v1/check', { body }], [400, code, 'text']);
  });

  it('in a URL is refused', async () => {
    await expectRefused(['/v1/check?to=112&text=hello', {}], [400, 'FIELD_UNKNOWN', 'text']);
  });

  it('costs one number for each 200 characters', async () => {
    await inOneWindow(async () => {
      const left = async (body: object): Promise<number> => {
        const { headers } = await send('/v1/check', { client: 'counted', body });
        return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')![1]);
      };
      const before = await left({ to });
      expect(await left({ to, text: 'x'.repeat(201) })).toBe(before - 3);
      expect(await left({ to, text: 'x' })).toBe(before - 5);
    });
  });
});
