/**
 * The client of the admin API with a failing network and a failing service: retries, their idempotency keys,
 * and how a refusal ends a command.
 */
import './support/workspace.ts';
import { describe, expect, it, vi } from 'vitest';
import { Admin, pauseMs, Unreachable } from '../../cli/admin.ts';
import { hasCode } from '../../cli/failure.ts';
import { freePort } from '../../cli/local/free-port.ts';
import { failureOf } from './support/failing.ts';
import { fakeService, problem, type Reply } from './support/fake-service.ts';

/** A client of a service with these replies, the last of which repeats. Also returns its pauses. */
async function adminOf(...replies: readonly (Reply | null)[]) {
  const service = await fakeService((_request, count) => replies[Math.min(count, replies.length) - 1]!);
  const pauses: number[] = [];
  const pause = async (ms: number): Promise<void> => void pauses.push(ms);
  return { ...service, pauses, admin: new Admin({ url: `${service.url}/`, token: 'root.secret', pause }) };
}

const DONE: Reply = { body: { seq: 7 } };

describe('a change', () => {
  it('carries the token, the body and its own idempotency key', async () => {
    const { admin, requests } = await adminOf(DONE);
    expect(await admin.change('POST', 'entries', { op: 'block' })).toEqual({ seq: 7 });
    await admin.change('PUT', 'guards', {}, { 'if-match': '"v1"' });
    expect(requests.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/v1/admin/entries', { op: 'block' }],
      ['PUT', '/v1/admin/guards', {}],
    ]);
    const [first, second] = requests.map(({ headers }) => headers);
    expect(first).toMatchObject({ authorization: 'Bearer root.secret', 'content-type': 'application/json' });
    expect(second).toMatchObject({ 'if-match': '"v1"' });
    expect(first!['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(second!['idempotency-key']).not.toBe(first!['idempotency-key']);
  });

  it('is retried under the same key after any failure on the way', async () => {
    const cut = { body: '{"seq":', cut: true };
    const { admin, requests, pauses } = await adminOf(null, problem(503, 'UNAVAILABLE'), cut, DONE);
    expect(await admin.change('POST', 'entries', { op: 'block' })).toEqual({ seq: 7 });
    expect(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(new Set(requests.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect([requests.length, pauses]).toEqual([4, [250, 500, 1000]]);
  });

  it('fails after some retries and says that it may have been applied', async () => {
    const { admin, requests } = await adminOf(null);
    const failure = await failureOf(() => admin.change('POST', 'rollback', {}));
    expect(failure).toBeInstanceOf(Unreachable);
    expect(failure.message).toMatch(/does not respond: .*\nthe change may have been applied/);
    expect(requests).toHaveLength(6);
  });

  it('is tried for two minutes if it is an upload, whose service may restart', async () => {
    const { admin, requests, pauses } = await adminOf(null);
    const noted = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const failure = await failureOf(() => admin.upload('import', {}, 'a\n', 'key'));
    expect(failure).toBeInstanceOf(Unreachable);
    expect(pauses.reduce((sum, ms) => sum + ms)).toBeGreaterThanOrEqual(120_000);
    expect([requests.length, pauses.at(-1)]).toEqual([pauses.length + 1, 10_000]);
    expect(noted).toHaveBeenCalledTimes(1);
    noted.mockRestore();
  });

  it('was not applied if nothing listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const nobody = new Admin({ url, token: 'root.x', pause: async () => undefined });
    expect((await failureOf(() => nobody.change('POST', 'entries', {}))).message).toMatch(
      /does not respond: .*\nnothing was changed$/,
    );
  });

  it('may have been applied if the service went away after a try', async () => {
    const service = await fakeService(() => null);
    let tries = 0;
    const pause = async (): Promise<void> => {
      if (++tries === 1) await service.close();
    };
    const admin = new Admin({ url: service.url, token: 'root.x', pause });
    expect((await failureOf(() => admin.change('POST', 'rollback', {}))).message).toMatch(
      /ECONNREFUSED.*\nthe change may have been applied/,
    );
  });

  it('is sent once if the service refuses it', async () => {
    const { admin, requests } = await adminOf(problem(422, 'ENTRY_INVALID'));
    const { message, exitCode } = await failureOf(() => admin.change('POST', 'entries', {}));
    expect([message, exitCode, requests.length]).toEqual([
      'ENTRY_INVALID: the message of ENTRY_INVALID',
      1,
      1,
    ]);
  });

  it('waits no longer than a bound, even if the service asks for more', () => {
    expect([pauseMs(0, null), pauseMs(3, null), pauseMs(30, null)]).toEqual([250, 2_000, 10_000]);
    expect([pauseMs(3, '1'), pauseMs(0, '0'), pauseMs(0, '3600')]).toEqual([1_000, 250, 10_000]);
    expect(pauseMs(0, 'Wed, 25 Nov 2026 02:05:00 GMT')).toBe(250);
  });

  it.each(['RELEASE_INCOMPLETE', 'NOT_CONFIGURED'])('is not retried after %s', async (code) => {
    const { admin, requests } = await adminOf(problem(503, code));
    expect(hasCode(await failureOf(() => admin.change('POST', 'x', {})), code)).toBe(true);
    expect(requests).toHaveLength(1);
  });
});

describe('a read', () => {
  it('has no key and sends its parameters in the query', async () => {
    const { admin, requests } = await adminOf({ body: { entries: [] } });
    await admin.get('entries', { after: '1.0.2.3', upTo: null, limit: 10 });
    await admin.find('entries/find', { number: '010-2000-5036' });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/admin/entries?after=1.0.2.3&limit=10',
      'POST /v1/admin/entries/find',
    ]);
    for (const { headers } of requests) expect(headers).not.toHaveProperty('idempotency-key');
  });

  it('fails after fewer retries and does not mention a change', async () => {
    const { admin, requests } = await adminOf(null);
    const { message } = await failureOf(() => admin.get('status'));
    expect(message).toMatch(/^http:\S+ does not respond: /);
    expect(message).not.toContain('change');
    expect(requests).toHaveLength(3);
  });

  it.each([
    [{ status: 502, body: '<html>' }, 'returned status 502 with a response that is not from numgate'],
    [{ status: 404, body: { error: 'no' } }, 'returned status 404 with a response that is not from numgate'],
    [{ body: '<html>' }, 'the response (200) is not JSON'],
    [{ status: 302, headers: { location: '/login' } }, 'does not respond'],
  ])('fails with a clear message if the service is not numgate: %j', async (reply, words) => {
    const { admin } = await adminOf(reply);
    expect((await failureOf(() => admin.get('status'))).message).toContain(words);
  });
});

describe('a refusal', () => {
  const guards = [{ guard: 'removes', message: 'kr-suspended loses 40 %', override: 'removes' }];
  const since = [
    { release: '20261124T0312Z-9f2c1e4b', by: 'token:root', promotedAt: '2026-11-24T03:12:09Z' },
  ];
  const items = [{ index: 2, code: 'NUMBER_INVALID', message: 'no number' }];
  it.each([
    [problem(422, 'GUARD_HIT', { guards }), 3, '  removes: kr-suspended loses 40 %   --override removes'],
    [
      problem(409, 'BASE_MOVED', { since }),
      4,
      '  since then: 20261124T0312Z-9f2c1e4b, 2026-11-24T03:12:09Z, by token:root',
    ],
    [problem(409, 'PLAN_MOVED'), 4, 'PLAN_MOVED: the message of PLAN_MOVED'],
    [problem(412, 'PRECONDITION_FAILED'), 4, 'PRECONDITION_FAILED: '],
    [problem(422, 'ENTRY_INVALID', { items }), 1, '  item 3: NUMBER_INVALID: no number'],
    [problem(401, 'UNAUTHENTICATED'), 1, 'check the token in NUMGATE_TOKEN'],
    [problem(403, 'PERMISSION_DENIED'), 1, 'PERMISSION_DENIED: '],
  ])('%j sets the exit code and shows the figures', async (reply, exitCode, words) => {
    const { admin } = await adminOf(reply);
    const failure = await failureOf(() => admin.change('POST', 'x', {}));
    expect(failure.exitCode).toBe(exitCode);
    expect(failure.message).toContain(words);
    expect(failure.message).not.toContain('root.secret');
  });
});
