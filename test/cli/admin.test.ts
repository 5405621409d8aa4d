/**
 * The client of the admin API against a network and a service that fail: what is asked for again, under
 * which key, and how a refusal ends a command.
 */
import './support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../bench/lib/free-port.ts';
import { Admin, pauseMs, Unreachable } from '../../cli/admin.ts';
import { AdminProblem } from '../../cli/admin-problem.ts';
import { failureOf } from './support/failing.ts';
import { fakeService, problem, type Told } from './support/fake-service.ts';

/** A client of a service that answers with these, the last one from then on; and its pauses. */
async function adminOf(...answers: readonly (Told | null)[]) {
  const service = await fakeService((_asked, count) => answers[Math.min(count, answers.length) - 1]!);
  const pauses: number[] = [];
  const pause = async (ms: number): Promise<void> => void pauses.push(ms);
  return { ...service, pauses, admin: new Admin({ url: `${service.url}/`, token: 'root.secret', pause }) };
}

const DONE: Told = { body: { seq: 7 } };

describe('a change', () => {
  it('carries the token, the body and a key of its own', async () => {
    const { admin, asked } = await adminOf(DONE);
    expect(await admin.change('POST', 'entries', { op: 'block' })).toEqual({ seq: 7 });
    await admin.change('PUT', 'guards', {}, { 'if-match': '"v1"' });
    expect(asked.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/v1/admin/entries', { op: 'block' }],
      ['PUT', '/v1/admin/guards', {}],
    ]);
    const [first, second] = asked.map(({ headers }) => headers);
    expect(first).toMatchObject({ authorization: 'Bearer root.secret', 'content-type': 'application/json' });
    expect(second).toMatchObject({ 'if-match': '"v1"' });
    expect(first!['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(second!['idempotency-key']).not.toBe(first!['idempotency-key']);
  });

  it('is asked for again under the same key, whatever failed on the way', async () => {
    const cut = { body: '{"seq":', cut: true };
    const { admin, asked, pauses } = await adminOf(null, problem(503, 'UNAVAILABLE'), cut, DONE);
    expect(await admin.change('POST', 'entries', { op: 'block' })).toEqual({ seq: 7 });
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(new Set(asked.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect([asked.length, pauses]).toEqual([4, [250, 500, 1000]]);
  });

  it('is given up after some tries, and says that it may have been made', async () => {
    const { admin, asked } = await adminOf(null);
    const failure = await failureOf(() => admin.change('POST', 'rollback', {}));
    expect(failure).toBeInstanceOf(Unreachable);
    expect(failure.message).toMatch(/does not answer: .*\nwhether the change was made is not known/);
    expect(asked).toHaveLength(6);
  });

  it('was not made where nobody listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const nobody = new Admin({ url, token: 'root.x', pause: async () => undefined });
    expect((await failureOf(() => nobody.change('POST', 'entries', {}))).message).toMatch(
      /does not answer: .*\nnothing was changed$/,
    );
  });

  it('may have been made where the service went away behind a try', async () => {
    const service = await fakeService(() => null);
    let tries = 0;
    const pause = async (): Promise<void> => {
      if (++tries === 1) await service.close();
    };
    const admin = new Admin({ url: service.url, token: 'root.x', pause });
    expect((await failureOf(() => admin.change('POST', 'rollback', {}))).message).toMatch(
      /ECONNREFUSED.*\nwhether the change was made is not known/,
    );
  });

  it('is asked for once where the service refuses it', async () => {
    const { admin, asked } = await adminOf(problem(422, 'ENTRY_INVALID'));
    const { message, exitCode } = await failureOf(() => admin.change('POST', 'entries', {}));
    expect([message, exitCode, asked.length]).toEqual(['ENTRY_INVALID: the message of ENTRY_INVALID', 1, 1]);
  });

  it('waits no longer than a bound, though the service asks for more', () => {
    expect([pauseMs(0, null), pauseMs(3, null), pauseMs(30, null)]).toEqual([250, 2_000, 10_000]);
    expect([pauseMs(3, '1'), pauseMs(0, '0'), pauseMs(0, '3600')]).toEqual([1_000, 250, 10_000]);
    expect(pauseMs(0, 'Wed, 25 Nov 2026 02:05:00 GMT')).toBe(250);
  });

  it.each(['RELEASE_INCOMPLETE', 'NOT_CONFIGURED'])('is not repeated here after %s', async (code) => {
    const { admin, asked } = await adminOf(problem(503, code));
    expect((await failureOf(() => admin.change('POST', 'x', {}))) instanceof AdminProblem).toBe(true);
    expect(asked).toHaveLength(1);
  });
});

describe('a question', () => {
  it('has no key, and its parameters in the query', async () => {
    const { admin, asked } = await adminOf({ body: { entries: [] } });
    await admin.get('entries', { after: '1.0.2.3', upTo: null, limit: 10 });
    await admin.find('entries/find', { number: '010-2000-5036' });
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/admin/entries?after=1.0.2.3&limit=10',
      'POST /v1/admin/entries/find',
    ]);
    for (const { headers } of asked) expect(headers).not.toHaveProperty('idempotency-key');
  });

  it('is given up sooner, and no change is spoken of', async () => {
    const { admin, asked } = await adminOf(null);
    const { message } = await failureOf(() => admin.get('status'));
    expect(message).toMatch(/^http:\S+ does not answer: /);
    expect(message).not.toContain('change');
    expect(asked).toHaveLength(3);
  });

  it.each([
    [{ status: 502, body: '<html>' }, 'answered 502, and not as numgate does'],
    [{ status: 404, body: { error: 'no' } }, 'answered 404, and not as numgate does'],
    [{ body: '<html>' }, 'the answer (200) is not JSON'],
    [{ status: 302, headers: { location: '/login' } }, 'does not answer'],
  ])('to something that is not numgate ends with a sentence: %j', async (told, words) => {
    const { admin } = await adminOf(told);
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
    [problem(401, 'UNAUTHENTICATED'), 1, 'the token is NUMGATE_TOKEN'],
    [problem(403, 'PERMISSION_DENIED'), 1, 'PERMISSION_DENIED: '],
  ])('%j has an exit code and the figures', async (told, exitCode, words) => {
    const { admin } = await adminOf(told);
    const failure = await failureOf(() => admin.change('POST', 'x', {}));
    expect(failure.exitCode).toBe(exitCode);
    expect(failure.message).toContain(words);
    expect(failure.message).not.toContain('root.secret');
  });
});
