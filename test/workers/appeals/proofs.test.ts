/** Proof of work and Turnstile, and keys of references through a rotation of LIST_KEY. */
import { runInDurableObject } from 'cloudflare:test';
import { type Challenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { toBase64 } from '../../../shared/bytes.ts';
import { APPEAL_CHALLENGE_SECONDS, APPEAL_KEYS_MAX } from '../../../shared/limits/appeals.ts';
import { openReference } from '../../../shared/screening/appeal-reference.ts';
import { KeyRing } from '../../../shared/set/key-ring.ts';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { openReferenceKeys } from '../../../workers/appeals/reference-keys.ts';
import { otherKeys } from '../../shared/support/other-keys.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { appealsStub, freshAppeals, people, referenceOf, STATEMENT, stored } from '../support/appeals.ts';
import { NOON } from '../support/room.ts';

freshAppeals();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

const submit = (bindings: object, proof?: string) =>
  people('POST appeals', {
    body: { reference: referenceOf(), statement: STATEMENT, ...(proof === undefined ? {} : { proof }) },
    bindings,
  });
const summary = ({ status, answer }: Awaited<ReturnType<typeof submit>>) =>
  [status, answer.code, answer.field].filter((part) => part !== undefined).join(' ');

/** Number of appeals charged in this hour. */
const charged = () =>
  runInDurableObject(appealsStub() as never, (_: unknown, { storage }: DurableObjectState) => {
    const [row] = storage.sql.exec("SELECT value FROM meta WHERE key = 'hourUsed'").toArray();
    return Number(row?.value ?? 0);
  });

describe('a proof of work', () => {
  const WORK = { APPEAL_PROOF: 'work' };
  const challenge = async () =>
    (await people('GET appeals/challenge', { bindings: WORK })).answer as unknown as Challenge;
  /** The answer that ALTCHA's widget sends. */
  const solved = async (given: Challenge) => {
    const solution = await solveChallenge({ challenge: given, deriveKey });
    return toBase64(new TextEncoder().encode(JSON.stringify({ challenge: given, solution })));
  };

  test('is required, and each is accepted once; a repeat uses up no appeal of the hour', async () => {
    expect(summary(await submit(WORK))).toBe('400 FIELD_MISSING proof');
    const proof = await solved(await challenge());
    expect(summary(await submit(WORK, proof))).toBe('202');
    expect(summary(await submit(WORK, proof))).toBe('400 FIELD_VALUE proof');
    expect([await stored('statements'), await charged()]).toEqual([1, 1]);
  });

  test('ends after ten minutes, and one of them is forgotten then', async () => {
    const [first, second] = [await solved(await challenge()), await solved(await challenge())];
    expect(summary(await submit(WORK, first))).toBe('202');
    vi.setSystemTime(NOON + (APPEAL_CHALLENGE_SECONDS + 1) * 1000);
    expect(summary(await submit(WORK, second))).toBe('400 FIELD_VALUE proof');
    await appealsStub().sweep();
    expect(await stored('proofs')).toBe(0);
  });

  test('for another challenge, for an easier one, or of another service is none', async () => {
    const given = await challenge();
    const solution = await solveChallenge({ challenge: given, deriveKey });
    const easy = { ...given, parameters: { ...given.parameters, cost: 1 } };
    for (const payload of [
      { challenge: await challenge(), solution },
      { challenge: easy, solution: await solveChallenge({ challenge: easy, deriveKey }) },
      { challenge: { ...given, signature: '0'.repeat(64) }, solution },
      { challenge: given, solution: null },
      { challenge: null, solution },
      'nothing',
    ]) {
      const proof = toBase64(new TextEncoder().encode(JSON.stringify(payload)));
      expect(summary(await submit(WORK, proof))).toBe('400 FIELD_VALUE proof');
    }
    expect(summary(await submit(WORK, 'é'))).toBe('400 FIELD_VALUE proof');
    expect(await stored('appeals')).toBe(0);
  });

  test('is not offered where none is required', async () => {
    expect((await people('GET appeals/challenge')).answer).toMatchObject({
      code: 'NOT_FOUND',
      message: 'this service requires no proof of work for appeals',
    });
  });
});

/** Replaces Turnstile according to its documented interface. No request goes to Cloudflare. */
describe('Turnstile', () => {
  const TURNSTILE = { APPEAL_PROOF: 'turnstile', TURNSTILE_SECRET: 'the-secret' };
  const answering = (answer: () => Response | Promise<Response>) =>
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => answer());

  test('verifies the token with the secret, and nothing else of the appeal', async () => {
    const fetched = answering(() => Response.json({ success: true }));
    expect(summary(await submit(TURNSTILE, 'a-token'))).toBe('202');
    const [url, { body } = {}] = fetched.mock.calls[0]!;
    expect(url).toBe('https://challenges.cloudflare.com/turnstile/v0/siteverify');
    expect(JSON.parse(body as string)).toEqual({ secret: 'the-secret', response: 'a-token' });
  });

  test.each([
    ['timeout-or-duplicate', '400 FIELD_VALUE proof'],
    ['invalid-input-response', '400 FIELD_VALUE proof'],
    ['invalid-input-secret', '503 NOT_CONFIGURED'],
    ['internal-error', '503 UNAVAILABLE'],
  ])('answers %s: %s, and nothing is stored', async (code, expected) => {
    answering(() => Response.json({ success: false, 'error-codes': [code] }));
    expect(summary(await submit(TURNSTILE, 'a-token'))).toBe(expected);
    expect(await stored('appeals')).toBe(0);
  });

  test('that does not respond, or not as documented, lets nothing through', async () => {
    const failing = answering(() => {
      throw new TypeError('unreachable');
    });
    expect(summary(await submit(TURNSTILE, 'a-token'))).toBe('503 UNAVAILABLE');
    failing.mockImplementation(async () => new Response('<html>'));
    expect(summary(await submit(TURNSTILE, 'a-token'))).toBe('503 UNAVAILABLE');
    expect(summary(await submit(TURNSTILE))).toBe('400 FIELD_MISSING proof');
  });

  test.each([{ APPEAL_PROOF: 'turnstile' }, { APPEAL_PROOF: 'captcha' }])(
    '%j is not a configuration',
    async (bindings) => expect(summary(await submit(bindings, 'x'))).toBe('503 NOT_CONFIGURED'),
  );
});

describe('keys of references', () => {
  const keysWith = (ring: KeyRing) =>
    runInDurableObject(appealsStub() as never, (_: unknown, { storage }: DurableObjectState) =>
      openReferenceKeys(storage, ring),
    );

  test('outlive the LIST_KEY that they were derived from, sealed with the current one', async () => {
    const reference = referenceOf();
    const opens = async (ring: KeyRing) =>
      (await keysWith(ring)).some((key) => openReference(reference, key) !== null);
    // The store itself started with the key of the tests.
    expect(await opens(new KeyRing([otherKeys, testKeys]))).toBe(true);
    expect(await opens(new KeyRing([otherKeys]))).toBe(true);
    const third = await deriveListKeys(new Uint8Array(32).fill(3));
    expect(await opens(new KeyRing([third, otherKeys]))).toBe(true);
    expect(await opens(new KeyRing([third]))).toBe(true);
    const [first] = await keysWith(new KeyRing([third]));
    expect(first).toEqual(third.appealKey);
  });

  test('are lost with a LIST_KEY that was replaced without a rotation, and bounded', async () => {
    const stranger = await deriveListKeys(new Uint8Array(32).fill(99));
    expect(await keysWith(new KeyRing([stranger]))).toEqual([stranger.appealKey]);
    let last = stranger;
    for (let at = 0; at < APPEAL_KEYS_MAX; at++) {
      const next = await deriveListKeys(new Uint8Array(32).fill(100 + at));
      await keysWith(new KeyRing([next, last]));
      last = next;
    }
    expect(await keysWith(new KeyRing([last]))).toHaveLength(APPEAL_KEYS_MAX);
  });
});
