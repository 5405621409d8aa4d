/** The commands of the example issuer, as a carrier runs them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newSigner } from '../support/credential-world.ts';

const MAIN = new URL('../../../examples/issuer/main.ts', import.meta.url).pathname;
const NAMES = ['--iss', 'https://issuer.example', '--status-uri', 'https://issuer.example/status-lists/1'];
const root = mkdtempSync(join(tmpdir(), 'issuer-'));
const folder = join(root, 'issuer');
const keyFile = join(root, 'holder.jwk');

afterAll(() => rmSync(root, { recursive: true }));

function run(...args: string[]): Promise<{ readonly out: string; readonly errors: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args, '--folder', folder], (_error, out, errors) =>
      resolve({ out, errors }),
    );
  });
}

const issue = (numbers: string, ...rest: string[]) =>
  run('issue', '--holder', 'Acme', '--numbers', numbers, '--key', keyFile, ...rest);
const keysNow = async (): Promise<JSONWebKeySet> => JSON.parse((await run('keys')).out) as JSONWebKeySet;

beforeAll(async () => {
  writeFileSync(keyFile, JSON.stringify((await newSigner()).jwk));
  expect((await run('init', ...NAMES)).errors).toBe('');
});

test('init in a folder with another issuer is refused, and once more changes nothing', async () => {
  const keys = await keysNow();
  expect((await run('init', ...NAMES)).errors).toBe('');
  const other = await run('init', '--iss', 'https://other.example', ...NAMES.slice(2));
  expect(other.errors).toContain('has the issuer https://issuer.example with the list');
  expect((await run('init', '--iss', 'kt', ...NAMES.slice(2))).errors).toContain('--iss must be a URL');
  expect(await keysNow()).toEqual(keys);
});

test('a request with a wrong claim is refused by option, and takes no place in the list', async () => {
  for (const [numbers, rest, message] of [
    ['1588-9917', [], 'number 1 must be in E.164'],
    ['+8215881234,+8202221234', [], 'number 2 must be in E.164'],
    ['+8215889917..+8215889916', [], 'number 1 must begin with its lowest number'],
    ['+82221230000..+82221240000', [], 'number 1 must be within one block of 10,000'],
    [Array(33).fill('+8215881234').join(','), [], '--numbers must have 1 to 32'],
    ['+8215881234', ['--holder', 'x'.repeat(65)], '--holder must have 1 to 64 characters'],
  ] as const) {
    const { out, errors } = await issue(numbers, ...rest);
    expect([out, errors]).toEqual(['', expect.stringContaining(message)]);
    expect(errors).not.toMatch(/1588991/);
  }
  expect((await run('list')).out).toBe('');
});

test('a rotated key signs, and the former one verifies what it signed', async () => {
  const before = (await issue('+8215881234')).out.trim();
  expect((await run('rotate')).errors).toBe('');
  const keys = await keysNow();
  expect(keys.keys).toHaveLength(2);
  const after = (await issue('+8215881234')).out.trim();
  expect(decodeProtectedHeader(after).kid).toBe(keys.keys[0]!.kid);
  expect(decodeProtectedHeader(before).kid).toBe(keys.keys[1]!.kid);
  const list = (await run('status-list')).out.trim();
  for (const jws of [before, after, list])
    await expect(jwtVerify(jws, createLocalJWKSet(keys))).resolves.toBeDefined();
  for (const key of keys.keys) expect(key).not.toHaveProperty('d');
  // Those two keys have certificates, and the next two have none. The previous key stays in any case.
  await run('rotate');
  await run('rotate');
  const kids = (await keysNow()).keys.map(({ kid }) => kid);
  expect(kids.slice(-2)).toEqual(keys.keys.map(({ kid }) => kid));
  expect(kids).toHaveLength(4);
  await run('rotate');
  expect((await keysNow()).keys).toHaveLength(4);
});
