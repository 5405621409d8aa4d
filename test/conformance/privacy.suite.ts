/**
 * No error and no log contains a number. support/send.ts checks every error of every test. This suite adds the
 * places that could echo a number, and the output of the services.
 */
import { describe, expect, it } from 'vitest';
import { NUMBERS } from './support/input-lists.ts';
import { type Request, send } from './support/send.ts';
import { world } from './support/world.ts';

const DIGITS = '01044440001';

describe('errors', () => {
  it.each([
    [`/v1/check/${DIGITS}`, 'the path'],
    [`/v1/check?${DIGITS}=1`, 'the name of a parameter'],
    [`/v1/check?to=112&${DIGITS}=1&${DIGITS}=1`, 'the name of a parameter given twice'],
    [`/v1/check?to=${DIGITS}*`, 'a value'],
  ])('an error contains no number: %s has it in %s', async (path) => {
    const { status, text } = await send(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).not.toContain(DIGITS);
  });

  it.each<[Request, string]>([
    [{ body: `{"to":"${DIGITS}"` }, 'damaged JSON'],
    [{ body: { to: `${DIGITS}~2` } }, 'a value'],
    [{ body: { [DIGITS]: '1' } }, 'the name of a field'],
    [{ body: { to: '112', [`x${DIGITS}`]: '1' } }, 'part of the name of a field'],
  ])('an error contains no number: %j has it in %s', async (request) => {
    const { status, text } = await send('/v1/check', request);
    expect(status).toBe(400);
    expect(text).not.toContain(DIGITS);
  });
});

describe('the output of the services', () => {
  it('the logs contain no number, no key and no bug', () => {
    const logged = world()
      .logged()
      .replace(/^\{"url".*$/m, '');
    const digits = logged.replace(/(?<=\d)[-. ](?=\d)/g, '');
    for (const number of Object.values(NUMBERS)) expect(digits).not.toContain(number.slice(3));
    expect(digits).not.toMatch(/\b0?10\d{8}\b|\b8210\d{8}\b|\+\d{7}/);
    for (const key of [...Object.values(world().keys), ...Object.values(world().tokens)]) {
      expect(logged).not.toContain(key.split('.')[1]);
    }
    expect(logged).not.toMatch(/"event":"bug"|Uncaught|unhandled/i);
  });
});
