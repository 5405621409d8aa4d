/** `/openapi.json` without a working asset. */

import { expect, test } from 'vitest';
import type { Env } from '../../workers/env.ts';
import { coldIsolate } from './support/isolate.ts';
import { sendHere } from './support/send.ts';

coldIsolate();

const REQUEST = { path: '/openapi.json', headers: { authorization: '' } };

function answering(status: number): Env['ASSETS'] {
  return { fetch: async () => new Response('not the document', { status }) };
}

test.each([
  ['not bound', undefined, 'NOT_CONFIGURED', /deploy/],
  ['without the document', answering(404), 'NOT_CONFIGURED', /deploy/],
  ['failing', answering(500), 'UNAVAILABLE', /try again/],
] as const)(
  'assets that are %s make it a 503 problem that names the way out',
  async (_, ASSETS, code, message) => {
    const { status, headers, body } = await sendHere(REQUEST, { ASSETS } as Partial<Env>);
    expect([status, headers.get('content-type'), body.code]).toEqual([503, 'application/problem+json', code]);
    expect(body.message).toMatch(message);
  },
);

test('the bound assets have the document', async () => {
  const { status, headers, body } = await sendHere(REQUEST);
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
  expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'numgate' } });
});
