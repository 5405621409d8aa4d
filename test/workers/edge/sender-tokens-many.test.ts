/**
 * Message tokens of many items. Each token is verified once, verifications count against the quota and are limited per second,
 * and no request gets a token into a URL or past a gateway. Test tokens have the result that they name.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { TOKENS_PER_SECOND_MAX, VERIFICATION_NUMBERS } from '../../../shared/limits/credentials.ts';
import { TEST_TOKEN_CODES } from '../../../shared/test-tokens.ts';
import { currentIsolate } from '../../../workers/edge/isolate.ts';
import { messageToken, NOW_S, NUMBER } from '../../shared/support/credential-world.ts';
import { CLIENTS, client, publishClients } from '../support/clients.ts';
import { CHAIN, publishCredentials, ROWS, relay } from '../support/credentials.ts';
import { coldIsolate } from '../support/isolate.ts';
import { OpenStream } from '../support/open-stream.ts';
import { type send, sendAndSettle } from '../support/send.ts';
import { untilTimer } from '../support/timer.ts';
import { build, NOW, publish, putHead, smallLists } from '../support/world.ts';

coldIsolate();

const from = `+${NUMBER}`;
const built = await build(smallLists());
const token = (jti: string | number): Promise<string> => messageToken(relay, CHAIN, { jti: `${jti}` });
const tokens = await Promise.all([token(1), token(2), token(3)]);
const garbage = (index: number): string => `garbage-${index}`;
const verifications = (): number => currentIsolate().tokens.verifications;

/** The quota that allows this many verifications plus this many items. */
const quota = (verified: number, items: number): number => verified * VERIFICATION_NUMBERS + items;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(built);
  await publishClients([
    ...CLIENTS,
    await client('tokens', { requireToken: 'enforce', quotaNumbers: 1_000_000 }),
    await client('registered', { requireRegistration: 'enforce' }),
    // Four items with a token count by their length, some 3,300 characters.
    await client('two-tokens', { quotaNumbers: quota(2, 10) }),
  ]);
  await putHead((await publishCredentials({ rows: ROWS })).head);
});

const batch = (items: readonly object[], name = 'tokens', more: object = {}) =>
  sendAndSettle({ path: '/v1/check/batch', body: { items, ...more }, client: name });

describe('a batch', () => {
  test('verifies each of its tokens once, and has one for all items in its defaults', async () => {
    const items = Array.from({ length: 1_200 }, (_, index) => ({ from, senderToken: tokens[index % 3] }));
    const many = await batch(items);
    expect(many.body.summary).toMatchObject({ total: 1_200, allow: 1_200 });
    expect(verifications()).toBe(3);
    const one = await batch([{ from }, { from }, { from: '+82212345678' }], 'tokens', {
      defaults: { senderToken: tokens[0] },
    });
    expect(one.body.results!.map((item) => item.verdict)).toEqual(['allow', 'allow', 'block']);
    expect(verifications()).toBe(3);
  });

  test('counts its verifications against the quota: further items are errors, but known tokens are not', async () => {
    const items = [...tokens, tokens[0]].map((senderToken, id) => ({ id: `${id}`, from, senderToken }));
    const first = await batch(items, 'two-tokens');
    const codes = first.body.results!.map((item) => item.verdict ?? (item as { error?: object }).error);
    expect(codes).toEqual([
      ...['allow', 'allow'],
      { code: 'QUOTA_EXCEEDED', field: 'senderToken', message: expect.stringContaining('"senderToken"') },
      'allow',
    ]);
    expect(first.body.summary).toMatchObject({ allow: 3, error: 1 });
    expect(verifications()).toBe(2);
  });

  test('counts a token of no valid form too, but another time not', async () => {
    const items = [garbage(1), garbage(1), garbage(2), garbage(3)].map((senderToken) => ({
      from,
      senderToken,
    }));
    const { body } = await batch(items, 'two-tokens');
    expect(body.summary).toMatchObject({ block: 3, error: 1 });
    expect(verifications()).toBe(0);
  });
});

test('a text that is longer than any token is refused like garbage, and counts once', async () => {
  const long = (text: string) => ({ from, senderToken: text.repeat(4_097) });
  const { body } = await batch([{}, long('x'), long('y')], 'two-tokens', { defaults: long('z') });
  expect(body.results!.map((item) => item.reasons?.map(({ code }) => code))).toEqual(
    Array.from({ length: 3 }, () => ['TOKEN_INVALID']),
  );
  expect(body.summary).toMatchObject({ block: 3 });
  const stream = await OpenStream.start('tokens', {}, 'application/x-ndjson');
  stream.send(JSON.stringify(long('x')));
  expect(JSON.parse(await stream.read())).toMatchObject({ reasons: [{ code: 'TOKEN_INVALID' }] });
  await stream.close();
});

test('a client with a small quota can present a token too: it takes half of the quota', async () => {
  const body = { from, senderToken: tokens[0] };
  // The check takes one of the client's five numbers, and the token takes three.
  expect((await sendAndSettle({ body, client: 'small' })).body.verdict).toBe('allow');
  const other = await sendAndSettle({ body: { from, senderToken: tokens[1] }, client: 'small' });
  // The window ends in 51 s.
  expect([other.status, other.body.code, other.headers.get('retry-after')]).toEqual([
    ...[429, 'QUOTA_EXCEEDED', '51'],
  ]);
});

test('in one second, a client has a bounded count of new tokens, and other clients have their own', async () => {
  const items = Array.from({ length: TOKENS_PER_SECOND_MAX + 1 }, (_, index) => ({
    ...{ from, senderToken: garbage(index) },
  }));
  expect((await batch(items)).body.summary).toMatchObject({ block: TOKENS_PER_SECOND_MAX, error: 1 });
  const one = { body: { from, senderToken: tokens[0] }, client: 'tokens' };
  const refused = await sendAndSettle(one);
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
    429,
    'QUOTA_EXCEEDED',
    '1',
  ]);
  expect((await sendAndSettle({ ...one, client: 'most' })).body.verdict).toBe('allow');
  // The token is known now.
  expect((await sendAndSettle(one)).body.verdict).toBe('allow');
  vi.setSystemTime(NOW + 1_000);
  const other = { from, senderToken: tokens[1] };
  expect((await sendAndSettle({ ...one, body: other })).body.verdict).toBe('allow');
});

test('a stream waits for the next second, and answers each line', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: NOW });
  const stream = await OpenStream.start('tokens', {}, 'application/x-ndjson');
  const lines = Array.from({ length: TOKENS_PER_SECOND_MAX + 1 }, (_, index) =>
    JSON.stringify({ from, senderToken: index === 0 ? tokens[0] : garbage(index) }),
  );
  stream.send(...lines);
  const answered = stream.read();
  await untilTimer();
  await vi.advanceTimersByTimeAsync(1_000);
  const verdicts = (await answered).split('\n').map((line) => JSON.parse(line).verdict);
  expect(verdicts).toEqual(['allow', ...Array(TOKENS_PER_SECOND_MAX).fill('block')]);
  expect(verifications()).toBe(1);
  await stream.close();
});

describe('a test token', () => {
  test('has the result that it names, by the setting of the client', async () => {
    for (const code of TEST_TOKEN_CODES) {
      const { body } = await sendAndSettle({ body: { from, senderToken: `test:${code}` }, client: 'open' });
      const isUnknown = code.startsWith('LIST_');
      const verdict = isUnknown ? 'indeterminate' : code === 'SENDER_RATE_REDUCED' ? 'label' : 'block';
      expect(body.verdict, code).toBe(verdict);
      expect(body.reasons, code).toMatchObject([{ subject: 'from', code, match: 'test', effect: verdict }]);
    }
    expect(TEST_TOKEN_CODES).toHaveLength(19);
    expect(verifications()).toBe(0);
  });

  test('never makes anything pass', async () => {
    for (const code of TEST_TOKEN_CODES) {
      const senderToken = `test:${code}`;
      for (const [name, missing] of [
        ['tokens', 'TOKEN_MISSING'],
        ['registered', 'SENDER_NOT_REGISTERED'],
      ]) {
        const { body } = await sendAndSettle({ body: { from, senderToken }, client: name! });
        expect(body.verdict, `${name} ${code}`).toBe('block');
        expect(
          body.reasons!.map((reason) => reason.code),
          `${name} ${code}`,
        ).toContain(missing);
      }
    }
    for (const senderToken of ['test:NUMBER_SUSPENDED', 'test:ALLOW_OVERRIDE', 'test:', 'test:TOKEN_VALID']) {
      const { body } = await sendAndSettle({ body: { from, senderToken }, client: 'open' });
      expect(body, senderToken).toMatchObject({ verdict: 'block', reasons: [{ code: 'TOKEN_INVALID' }] });
    }
  });
});

describe('a request is refused', () => {
  const refused = async (options: Parameters<typeof send>[0]) => {
    const { status, body } = await sendAndSettle(options);
    return [status, body.code, (body as { field?: string }).field];
  };

  test('with a token in its URL', async () => {
    const path = `/v1/check?from=${encodeURIComponent(from)}&senderToken=${tokens[0]}`;
    expect(await refused({ path })).toEqual([400, 'FIELD_UNKNOWN', 'senderToken']);
  });

  test.each([
    ['that is no text', { from, senderToken: 7 }, 'FIELD_TYPE', 'senderToken'],
    ['without a sender', { to: from, senderToken: 'x' }, 'FIELD_MISSING', 'from'],
  ])('with a token %s', async (_what, body, code, field) => {
    expect(await refused({ body })).toEqual([400, code, field]);
  });

  test('at a gateway', async () => {
    await publishClients([await client('gateway', { rights: ['gateway'] })]);
    const options = { path: '/v1/gateway/check', client: 'gateway', body: { from, senderToken: tokens[0] } };
    expect(await refused(options)).toEqual([400, 'FIELD_UNKNOWN', 'senderToken']);
  });
});

test('a sender preview says what a token does', async () => {
  const body = { from, senderToken: await messageToken(relay, CHAIN, { exp: NOW_S + 100 }) };
  const { body: found } = await sendAndSettle({ path: '/v1/senders/check', body, client: 'registered' });
  expect(found).toMatchObject({ verdict: 'allow', registration: 'none', reasons: [] });
});
