/**
 * Invalid requests to the control plane, and repeated requests.
 */
import { describe, expect, it, vi } from 'vitest';
import { HANG_MS } from '../shared/support/hang.ts';
import { inPieces } from './support/pieces.ts';
import { numbersIn } from './support/send.ts';
import { adminValue, changedState, expectAdminRefused, sendAdmin } from './support/send-admin.ts';
import { world } from './support/world.ts';

const secretSha256 = ['3'.repeat(64)];

/** Every change, with a body that is valid except for the names in it. */
const CHANGES: readonly (readonly [method: string, path: string, body: Record<string, unknown>])[] = [
  ['POST', 'entries', { op: 'clear', items: [{ number: '+821079000001' }], reason: 'a test' }],
  ['POST', 'releases', { signed: '{}', signature: '', reason: 'a test' }],
  ['POST', 'releases/20261124T0312Z-00000000/promote', { base: null, reason: 'a test' }],
  ['POST', 'rollback', { release: '20261124T0312Z-00000000', reason: 'a test' }],
  ['PUT', 'guards', { guards: {}, reason: 'a test' }],
  ['PUT', 'clients/one', { client: { id: 'one', secretSha256, rights: [] }, reason: 'a test' }],
  ['DELETE', 'clients/nobody-there', { reason: 'a test' }],
  [
    'PUT',
    'tokens/one',
    { token: { id: 'one', secretSha256, scopes: ['read'], authority: 'kisa' }, reason: 'a test' },
  ],
  ['DELETE', 'tokens/nobody-there', { reason: 'a test' }],
  ['POST', 'audit/trim', { n: 1, hash: '0'.repeat(64), reason: 'a test' }],
];
const QUESTION = ['POST', 'entries/find', { number: '+821079000001' }] as const;
const DIGITS = '01079000001';

describe('the body of a change', () => {
  it.each([...CHANGES, QUESTION])('the body must be one JSON object: %s %s', async (method, path) => {
    const wrong = (body: unknown, code: string, field?: string) =>
      expectAdminRefused([path, { method, body }], [400, code, field]);
    await expectAdminRefused([path, { method }], [400, 'BODY_MISSING']);
    await wrong(' \n', 'BODY_MISSING');
    for (const body of ['{', '{"reason":"x"}{', `{"x":${DIGITS}`, 'reason=x'])
      await wrong(body, 'JSON_INVALID');
    for (const body of ['"x"', '1', 'null', '[]']) await wrong(body, 'FIELD_TYPE', 'body');
  });

  // With another type, a foreign page could send it with an admin's Cloudflare Access cookie.
  it.each([...CHANGES, QUESTION])('the content type must be JSON: %s %s', async (method, path, body) => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const request = { method, body: JSON.stringify(body), headers: { 'content-type': type } };
      await expectAdminRefused([path, request], [415, 'CONTENT_TYPE_UNSUPPORTED']);
    }
  });

  it.each(CHANGES)('unknown fields and a missing reason are rejected: %s %s', async (method, path, body) => {
    const before = await changedState();
    for (const name of ['force', 'constructor', '__proto__', DIGITS]) {
      const field = name === DIGITS ? '***********' : name;
      const text = `{"${name}":1,${JSON.stringify(body).slice(1)}`;
      await expectAdminRefused([path, { method, body: text }], [400, 'FIELD_UNKNOWN', field]);
    }
    const { reason: _, ...silent } = body;
    if (path !== 'releases')
      await expectAdminRefused([path, { method, body: silent }], [400, 'FIELD_MISSING', 'reason']);
    await expectAdminRefused([path, { method, body: { ...body, reason: 1 } }], [400, 'FIELD_TYPE', 'reason']);
    for (const reason of ['', ' ', 'x'.repeat(501), 'a\nb', 'a\u0007', 'a\u202eb', 'a\u200db', 'a\u2028b'])
      await expectAdminRefused([path, { method, body: { ...body, reason } }], [400, 'FIELD_VALUE', 'reason']);
    expect(await changedState()).toEqual(before);
  });

  it.each([...CHANGES, QUESTION])(
    'a name that occurs twice is rejected: %s %s',
    async (method, path, body) => {
      const before = await changedState();
      const names = Object.keys(body).map((name) => [
        name,
        JSON.stringify(body).replace('{', `{"${name}":1,`),
      ]);
      const escaped = JSON.stringify(body).replace('{', '{"reaso\\u006e":"x",');
      for (const [name, text] of [...names, ...('reason' in body ? [['reason', escaped]] : [])])
        await expectAdminRefused([path, { method, body: text }], [400, 'FIELD_TYPE', name]);
      expect(await changedState()).toEqual(before);
    },
  );

  it.each([...CHANGES, QUESTION])('a body over the bound is rejected: %s %s', async (method, path) => {
    const max = path === 'entries' ? 2_097_152 : 1_048_576;
    const text = `{"reason":"x"${' '.repeat(max)}}`;
    for (const body of [text, inPieces(text, 65_536)]) {
      const { json } = await expectAdminRefused([path, { method, body }], [413, 'BODY_TOO_LARGE']);
      expect(json.message).toContain(String(max));
    }
  });

  it.each([
    ['entries', { op: 'block', items: 'all', reason: 'x' }, 'items'],
    ['rollback', { release: 1, reason: 'x' }, 'release'],
    ['releases/x/promote', { base: 1, reason: 'x' }, 'base'],
    ['releases/x/promote', { base: null, share: '1', reason: 'x' }, 'share'],
    ['releases/x/promote', { base: null, overrides: 'adds', reason: 'x' }, 'overrides'],
    ['releases', { signed: {}, signature: '' }, 'signed'],
  ])('a field of another type is rejected: %s %j', async (path, body, field) => {
    await expectAdminRefused([path, { body }], [400, 'FIELD_TYPE', field]);
  });

  it('an invalid share is rejected', async () => {
    for (const share of [0, -1, 1.1]) {
      const body = { base: null, share, reason: 'x' };
      await expectAdminRefused(['releases/x/promote', { body }], [400, 'FIELD_VALUE', 'share']);
    }
    const body = { reason: 'x' };
    await expectAdminRefused(['releases/x/promote', { body }], [400, 'FIELD_MISSING', 'base']);
  });

  it('invalid guards are rejected', async () => {
    for (const [guards, code, field] of [
      [{ addShare: 2 }, 'FIELD_VALUE', 'guards.addShare'],
      [{ removeShare: '0.2' }, 'FIELD_TYPE', 'guards.removeShare'],
      [{ protectedNumbers: [0] }, 'FIELD_VALUE', 'guards.protectedNumbers.0'],
      [{ operationItems: 10_001 }, 'FIELD_VALUE', 'guards.operationItems'],
      [{ hourlyItems: 100 }, 'FIELD_VALUE', 'guards.hourlyItems'],
      [{ hourlyUnblocks: 30_000 }, 'FIELD_VALUE', 'guards.hourlyUnblocks'],
      [{ operatorRanges: [{ operator: 'kt', from: 2, to: 1 }] }, 'FIELD_VALUE', 'guards.operatorRanges'],
      [{ protectedNumbers: Array(1_001).fill(1) }, 'FIELD_VALUE', 'guards.protectedNumbers'],
      [{ blockShare: 1 }, 'FIELD_UNKNOWN', 'guards.blockShare'],
    ] as const) {
      await expectAdminRefused(
        ['guards', { method: 'PUT', body: { guards, reason: 'x' } }],
        [400, code, field],
      );
    }
  });
});

describe('the query and the path', () => {
  it.each([
    ['entries?number=1', 'FIELD_UNKNOWN', 'number'],
    ['entries?limit=1&limit=2', 'FIELD_TYPE', 'limit'],
    [`entries?${DIGITS}=1`, 'FIELD_UNKNOWN', '***********'],
    ['audit?after=-1', 'FIELD_VALUE', 'after'],
    ['audit?n=1', 'FIELD_UNKNOWN', 'n'],
    ['blocks', 'FIELD_VALUE', 'day'],
    ['blocks?day=today', 'FIELD_VALUE', 'day'],
    ['blocks?day=2026-11-24&day=2026-11-25', 'FIELD_TYPE', 'day'],
  ])('%s is rejected with the name of the parameter', async (path, code, field) => {
    await expectAdminRefused([path, {}], [400, code, field]);
  });

  it('another method is 405, and Allow names the valid ones', async () => {
    for (const [path, method, allow] of [
      ['status', 'POST', 'GET, HEAD'],
      ['entries', 'DELETE', 'GET, HEAD, POST'],
      ['guards', 'POST', 'GET, HEAD, PUT'],
      ['clients/one', 'POST', 'DELETE, GET, HEAD, PUT'],
      ['rollback', 'GET', 'POST'],
      ['organisations/one/registrations/import', 'GET', 'POST'],
    ] as const) {
      const reply = await expectAdminRefused([path, { method }], [405, 'METHOD_NOT_ALLOWED']);
      expect(reply.headers.get('allow')).toBe(allow);
    }
  });

  it('another path is 404, and its numbers are not echoed', async () => {
    for (const path of ['', 'state', `entries/${DIGITS}`, 'releases/x', 'values/head']) {
      const { text } = await expectAdminRefused([path, {}], [404, 'NOT_FOUND']);
      expect(numbersIn(text)).toEqual([]);
    }
  });
});

describe('a repeated request', () => {
  const key = (name: string) => ({ 'idempotency-key': name });
  const block = (number: string, more: object = {}) => ({
    body: { op: 'block', items: [{ number }], reason: 'a test', ...more },
  });

  it('a request with an Idempotency-Key is done once, with the same response', async () => {
    const request = { ...block('+821079000002'), headers: key('twice') };
    const first = await adminValue('entries', request);
    const after = await changedState();
    expect([await adminValue('entries', request), await changedState()]).toEqual([first, after]);
  });

  it('a request without an Idempotency-Key is done twice', async () => {
    const first = await adminValue<{ seq: number }>('entries', block('+821079000003'));
    expect(await adminValue('entries', block('+821079000003'))).toEqual({
      ...{ changed: 1, seq: first.seq + 1, operation: expect.any(Number) },
    });
  });

  it('another request with the same key is rejected', async () => {
    const headers = key('other');
    await adminValue('entries', { ...block('+821079000004'), headers });
    const after = await changedState();
    for (const [path, request] of [
      ['entries', block('+821079000005')],
      ['entries', block('+821079000005', { until: '2020-01-01T00:00:00Z' })],
      ['guards', { method: 'PUT', body: { guards: {}, reason: 'a test' } }],
      ['clients/bulk', { method: 'DELETE', body: { reason: 'a test' } }],
    ] as const) {
      await expectAdminRefused([path, { ...request, headers }], [409, 'IDEMPOTENCY_CONFLICT']);
    }
    expect(await changedState()).toEqual(after);
  });

  it('another admin may use the same key', async () => {
    const request = { ...block('+821079000006'), headers: key('shared') };
    const first = await adminValue<{ seq: number }>('entries', request);
    const other = { ...block('+821079000016'), headers: key('shared') };
    expect(await adminValue('entries', { ...other, token: 'entries' })).toEqual({
      ...{ changed: 1, seq: first.seq + 1, operation: expect.any(Number) },
    });
  });

  it('a rejected request may be repeated with its key', async () => {
    const path = 'clients/late';
    const headers = key('refused');
    const remove = { method: 'DELETE', body: { reason: 'a test' }, headers };
    await expectAdminRefused([path, remove], [404, 'CLIENT_UNKNOWN']);
    const client = { id: 'late', secretSha256: ['2'.repeat(64)], rights: ['check'] };
    await adminValue(path, { method: 'PUT', body: { client, reason: 'a test' } });
    const done = await adminValue(path, remove);
    expect(await adminValue(path, remove)).toEqual(done);
  });

  it.each([
    ['PUT', 'guards', { guards: {}, reason: 'a test' }],
    ['PUT', 'clients/bulk', null],
    ['PUT', 'tokens/one', null],
  ])('every route does a repeated request once: %s %s', async (method, path, given) => {
    const body = given ?? {
      ...(path === 'tokens/one'
        ? { token: { id: 'one', secretSha256, scopes: ['read'], authority: 'kisa' } }
        : { client: await adminValue('clients/bulk') }),
      reason: 'a test',
    };
    const request = { method, body, headers: key(`once ${path}`) };
    const first = await adminValue(path, request);
    // The log may meanwhile receive the end of another chain, so try again.
    await vi.waitFor(async () => {
      const after = await changedState();
      expect([await adminValue(path, request), await changedState()]).toEqual([first, after]);
    }, HANG_MS);
    if (path === 'tokens/one') await adminValue(path, { method: 'DELETE', body: { reason: 'a test' } });
  });

  it('a key has 1 to 128 characters', async () => {
    for (const name of ['', 'k'.repeat(129)]) {
      const request = { ...block('+821079000007'), headers: key(name) };
      await expectAdminRefused(['entries', request], [400, 'FIELD_VALUE', 'Idempotency-Key']);
    }
    await adminValue('entries', { ...block('+821079000007'), headers: key('k'.repeat(128)) });
  });
});

describe('a service without secrets', () => {
  it('every route is 503 NOT_CONFIGURED', async () => {
    const base = world().withoutSecrets;
    const { json } = await expectAdminRefused(['status', { base }], [503, 'NOT_CONFIGURED']);
    expect(json.message).toContain('LIST_KEY');
    expect((await sendAdmin('entries', { base, body: {} })).status).toBe(503);
  });
});

describe('a value in a path', () => {
  it.each([
    ['DELETE', `clients/${DIGITS}`, { reason: 'a test' }],
    ['DELETE', `tokens/${DIGITS}`, { reason: 'a test' }],
    ['DELETE', `organisations/${DIGITS}`, { reason: 'a test' }],
    ['GET', `organisations/${DIGITS}`, undefined],
    ['GET', `releases/${DIGITS}/plan`, undefined],
    ['GET', `releases/${DIGITS}/manifest`, undefined],
    ['GET', `values/shard/${'a'.repeat(600)}`, undefined],
    ['POST', `releases/${DIGITS}/promote`, { base: null, reason: 'a test' }],
  ])('a number in a path is not echoed: %s %s', async (method, path, body) => {
    const { status, text } = await sendAdmin(path, { method, ...(body === undefined ? {} : { body }) });
    expect(status).toBe(404);
    expect(text).not.toContain(DIGITS);
  });
});
