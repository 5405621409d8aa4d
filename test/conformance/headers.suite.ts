/**
 * Headers of every response: the correlator and caching.
 */
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { send } from './support/send.ts';

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
  return (await send('/healthz', { client: null, headers })).headers.get('x-correlator')!;
}

describe('x-correlator', () => {
  it.each(ROUTES)('every response of %s returns the correlator of the request: %j', async (path, request) => {
    const given = 'b4333c46:49c0;4f62/80d7<f0>{1}._-';
    const headers = { ...('headers' in request ? request.headers : {}), 'x-correlator': given };
    expect((await send(path, { ...request, headers })).headers.get('x-correlator')).toBe(given);
  });

  it('a request without a correlator gets a new one', async () => {
    const made = [await correlatorOf({}), await correlatorOf({})];
    expect(made[0]).toMatch(UUID);
    expect(made[1]).toMatch(UUID);
    expect(made[0]).not.toBe(made[1]);
  });

  it('a correlator that CAMARA does not allow is replaced', async () => {
    expect(await correlatorOf({ 'x-correlator': 'a'.repeat(256) })).toBe('a'.repeat(256));
    for (const bad of ['a'.repeat(257), 'a b', 'a"b', 'a,b', 'ä', '']) {
      expect(await correlatorOf({ 'x-correlator': bad })).toMatch(UUID);
    }
  });
});

describe('every response', () => {
  it.each(ROUTES)('%s has no-store and nosniff: %j', async (path, request) => {
    const { headers } = await send(path, request);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});
