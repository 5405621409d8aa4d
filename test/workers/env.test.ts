/** A Worker with missing or wrong secrets returns 503 with the name of the secret, and reveals nothing of its value. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test } from 'vitest';
import { publishClients } from './support/clients.ts';
import { coldIsolate } from './support/isolate.ts';
import { LIST_KEY, RELEASE_PUBLIC_KEYS } from './support/secrets.ts';
import { sendHere, summarize } from './support/send.ts';
import { build, LISTED, publish, smallLists } from './support/world.ts';

coldIsolate();

const built = await build(smallLists());
const check = { body: { to: LISTED } };

/** A secret that is not set. The types promise that it is set, but the runtime does not. */
const absent = undefined as unknown as string;

const WRONG: readonly (readonly ['LIST_KEY' | 'RELEASE_PUBLIC_KEYS', string, string])[] = [
  ['LIST_KEY', 'is not set', absent],
  ['LIST_KEY', 'is empty', ''],
  ['LIST_KEY', 'is not base64', '!!not base64!!'],
  ['LIST_KEY', 'is too short', btoa('a'.repeat(31))],
  ['LIST_KEY', 'is too long', btoa('a'.repeat(33))],
  ['LIST_KEY', 'has the same key twice', `${LIST_KEY}, ${LIST_KEY}`],
  ['LIST_KEY', 'has three keys', `${LIST_KEY},${btoa('b'.repeat(32))},${btoa('c'.repeat(32))}`],
  ['LIST_KEY', 'has one good and one bad key', `${LIST_KEY},abc`],
  ['LIST_KEY', 'ends with a comma', `${LIST_KEY},`],
  ['RELEASE_PUBLIC_KEYS', 'is not set', absent],
  ['RELEASE_PUBLIC_KEYS', 'is empty', ''],
  ['RELEASE_PUBLIC_KEYS', 'is only a comma', ','],
  ['RELEASE_PUBLIC_KEYS', 'is not base64', '!!not base64!!'],
  ['RELEASE_PUBLIC_KEYS', 'is too short', btoa('a'.repeat(31))],
  ['RELEASE_PUBLIC_KEYS', 'has one good and one bad key', `${RELEASE_PUBLIC_KEYS},abc`],
  ['RELEASE_PUBLIC_KEYS', 'binds a key to what is no name', `KTOA!:${btoa('k'.repeat(32))}`],
  ['RELEASE_PUBLIC_KEYS', 'binds a key to nothing', `:${btoa('k'.repeat(32))}`],
  ['RELEASE_PUBLIC_KEYS', 'binds one key to two', `a:${btoa('k'.repeat(32))},b:${btoa('k'.repeat(32))}`],
];

beforeEach(async () => {
  await publish(built);
  await publishClients();
});

describe('a Worker', () => {
  test.each(WRONG)('whose %s %s answers 503 and names it', async (name, _, value) => {
    for (const options of [check, { path: '/healthz' }]) {
      const { status, body } = await sendHere(options, { [name]: value });
      expect([status, body.code]).toEqual([503, 'NOT_CONFIGURED']);
      expect(body.message).toContain(name);
      if ((value ?? '').length > 1) expect(JSON.stringify(body)).not.toContain(value);
    }
  });

  test.each([
    ['with the key second', `${btoa('k'.repeat(32))},${RELEASE_PUBLIC_KEYS}`],
    ['with spaces and a line break', ` ${RELEASE_PUBLIC_KEYS} , ${btoa('k'.repeat(32))}\n`],
    ['with a comma at the end', `${RELEASE_PUBLIC_KEYS},`],
  ])('accepts two public keys, %s', async (_, keys) => {
    const { body } = await sendHere(check, { RELEASE_PUBLIC_KEYS: keys });
    expect(summarize(body)).toBe('block NUMBER_SUSPENDED');
  });

  test('accepts a LIST_KEY with a line break after it', async () => {
    const { body } = await sendHere(check, { LIST_KEY: `${env.LIST_KEY}\n` });
    expect(summarize(body)).toBe('block NUMBER_SUSPENDED');
  });
});
