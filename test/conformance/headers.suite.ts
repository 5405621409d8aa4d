/**
 * Headers: the correlator, caching, and what every answer carries.
 */
import { describe, expect, it } from 'vitest';
import { ask } from './support/ask.ts';
import { NUMBERS } from './support/input-lists.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ROUTES = [
  ['/v1/check?to=010-5555-0000', {}],
  ['/v1/check', { body: { to: NUMBERS.free } }],
  ['/v1/check/batch', { body: { items: [] } }],
  ['/v1/check/stream', { body: '1\n', headers: { 'content-type': 'text/plain' } }],
  ['/healthz', { client: null }],
  ['/openapi.json', { client: null }],
  ['/v1/check', { client: null }],
  ['/nowhere', {}],
  ['/healthz', { method: 'DELETE' }],
] as const;

async function correlatorOf(headers: Record<string, string>): Promise<string> {
  return (await ask('/healthz', { client: null, headers })).headers.get('x-correlator')!;
}

describe('x-correlator', () => {
  it.each(ROUTES)('comes back from %s, whatever is answered: %j', async (path, request) => {
    const given = 'b4333c46:49c0;4f62/80d7<f0>{1}._-';
    const headers = { ...('headers' in request ? request.headers : {}), 'x-correlator': given };
    expect((await ask(path, { ...request, headers })).headers.get('x-correlator')).toBe(given);
  });

  it('is made where there is none, a new one each time', async () => {
    const made = [await correlatorOf({}), await correlatorOf({})];
    expect(made[0]).toMatch(UUID);
    expect(made[1]).toMatch(UUID);
    expect(made[0]).not.toBe(made[1]);
  });

  it('is replaced where it is too long or has other characters than CAMARA allows', async () => {
    expect(await correlatorOf({ 'x-correlator': 'a'.repeat(256) })).toBe('a'.repeat(256));
    for (const bad of ['a'.repeat(257), 'a b', 'a"b', 'a,b', 'ä', '']) {
      expect(await correlatorOf({ 'x-correlator': bad })).toMatch(UUID);
    }
  });
});

describe('every answer', () => {
  it.each(ROUTES)('of %s is not to be stored, and not to be guessed at: %j', async (path, request) => {
    const { headers } = await ask(path, request);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});
