/** URLs are read like `URL` and `URLSearchParams` read them, whatever they contain. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestUrl } from '../../../workers/http/request-url.ts';
import { coldIsolate } from '../support/isolate.ts';
import { send } from '../support/send.ts';

coldIsolate();

const ORIGIN = 'https://numgate.test';

function expectAsUrl(href: string): void {
  const ours = new RequestUrl(href);
  const url = new URL(href);
  const parsed = [ours.pathname, [...ours.parameters]];
  expect([href, ...parsed]).toEqual([href, url.pathname, [...url.searchParams]]);
}

const PARTS = [
  ...[
    'to',
    'from',
    'ingress.type',
    '=',
    '&',
    '+',
    '%',
    '%2B',
    '%20',
    '%26',
    '%3D',
    '%00',
    '%E2%82%AC',
    '%e2',
  ],
  ...['%EF%BB%BF', '%ED%A0%80', '%C0%80', '%2', '%zz', '01044440001', '-', '_', '.', '~', '!', "'", '"', '*'],
  ...['(', ')', ';', ':', '@', '$', ',', '/', '?', '#', '\\', '<', '|', '[', '{', '^', '`', ' ', '\t', '\n'],
  ...['€', '한', '\u{1f4de}', '\ud800', '..', '%2e', '//', 'v1', 'check', '__proto__'],
];
const text = fc.array(fc.constantFrom(...PARTS), { maxLength: 12 }).map((parts) => parts.join(''));

describe('a URL', () => {
  test('has the path and the parameters that URL returns', () => {
    fc.assert(
      fc.property(text, text, (path, query) => expectAsUrl(`${ORIGIN}/${path}?${query}`)),
      { numRuns: 5_000 },
    );
  });

  test.each(['http://127.0.0.1:8787', 'http://localhost', 'http://[::1]:8787', 'https://EXAMPLE.com:443'])(
    'is read the same at %s',
    (origin) => {
      for (const rest of ['', '/', '/v1/check', '/v1/check?', '/v1/check?to=%2B821012345678&&from=a=b&c'])
        expectAsUrl(origin + rest);
    },
  );
});

/** An isolate without data answers 503 on a route that needs data. */
describe('a route', () => {
  test.each([
    ['/v1/check', 503],
    ['//v1/check', 404],
    ['/v1//check', 404],
    ['/v1/check/', 404],
    ['/v1/check//', 404],
    ['/v1/../v1/check', 503],
    ['/v1/%2e/check', 503],
    ['/v1/chec%6b', 404],
    ['/V1/check', 404],
    ['/v1/check#to', 503],
    ['/v1/check?to=112#to', 503],
    ['/openapi.json', 200],
    ['/openapixjson', 404],
    ['/healthz?to=112', 503],
  ])('is found at %s as before: %i', async (path, status) => {
    expect((await send({ path, headers: { authorization: '' } })).status).toBe(status);
  });
});
