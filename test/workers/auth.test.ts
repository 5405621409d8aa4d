/**
 * The client key: whatever is wrong with it is a 401 that tells nothing, never a 500.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ask } from './support/ask.ts';
import { keyOf, publishClients } from './support/clients.ts';
import './support/isolate.ts';
import { build, LISTED, publish, smallLists } from './support/world.ts';

const built = await build(smallLists());
const body = { to: LISTED };
const withKey = (authorization: string) => ask({ body, headers: { authorization } });

beforeEach(async () => {
  await publish(built);
  await publishClients();
});

describe('a client key', () => {
  test.each([
    ['as documented', `Bearer ${keyOf('open')}`],
    ['with the scheme in lower case', `bearer ${keyOf('open')}`],
    ['with the scheme in upper case', `BEARER ${keyOf('open')}`],
    ['with the first of two secrets', `Bearer ${keyOf('two')}`],
    ['with the second of two secrets', 'Bearer two.next-secret-of-two'],
  ])('%s is accepted', async (_, authorization) => {
    expect((await withKey(authorization)).status).toBe(200);
  });

  test.each([
    ['of an unknown client', 'Bearer nobody.secret-of-nobody'],
    ['with a wrong secret', 'Bearer open.secret-of-two'],
    ["with another client's secret", 'Bearer two.secret-of-open'],
    ['with an empty secret', 'Bearer open.'],
    ['with a part of the secret', 'Bearer open.secret-of-ope'],
    ['with more than the secret', 'Bearer open.secret-of-open1'],
    ['with the digest for a secret', `Bearer open.${'0'.repeat(64)}`],
    ['of an unknown client with the digest that stands for it', `Bearer nobody.${'0'.repeat(64)}`],
    ['without an id', 'Bearer .secret-of-open'],
    ['without a dot', 'Bearer opensecret'],
    ['named as a property of all objects', 'Bearer constructor.secret-of-open'],
    ['with __proto__ for an id', 'Bearer __proto__.secret-of-open'],
    ['with two spaces', `Bearer  ${keyOf('open')}`],
    ['with a tab', `Bearer\t${keyOf('open')}`],
    ['with another scheme', `Basic ${btoa('open:secret-of-open')}`],
    ['without a scheme', keyOf('open')],
    ['sent twice', `Bearer ${keyOf('open')}, Bearer ${keyOf('open')}`],
    ['of 10 kB', `Bearer open.${'a'.repeat(10_240)}`],
    ['of 10 kB, of an unknown client', `Bearer ${'a'.repeat(10_240)}`],
    ['with 10 kB behind it', `Bearer ${keyOf('open')}${' '.repeat(10_240)}x`],
    ['outside ASCII', 'Bearer öpen.sécret'],
    ['with bytes over 127 only', '\u00ff\u00fe\u0080'],
    ['that is empty', ''],
  ])('%s is refused with 401', async (_, authorization) => {
    const { status, headers, body } = await withKey(authorization);
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="numgate"');
  });

  test('is refused in the same words whether the id or the secret is wrong', async () => {
    const unknown = await withKey('Bearer nobody.secret-of-open');
    const wrong = await withKey('Bearer open.secret-of-nobody');
    expect(unknown.body).toEqual(wrong.body);
  });

  test('without the right is refused with 403', async () => {
    const { status, body } = await ask({ body: { to: LISTED }, client: 'nothing' });
    expect([status, body.code]).toEqual([403, 'PERMISSION_DENIED']);
  });
});

describe('a secret', () => {
  test.each([
    ['known', 'open.secret-of-open', 1],
    ['wrong', 'open.wrong', 1],
    ['of an unknown client', 'nobody.wrong', 1],
    ['of two, the first', 'two.secret-of-two', 2],
    ['of two, the second', 'two.next-secret-of-two', 2],
  ])('%s is compared in constant time, with equal lengths', async (_, key, comparisons) => {
    const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    await withKey(`Bearer ${key}`);
    const lengths = compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength]);
    expect(lengths).toEqual(Array(comparisons).fill([64, 64]));
  });
});
