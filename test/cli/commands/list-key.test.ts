/** `numgate list-key` against the real service: problems of later steps are found before the first step. */
import '../support/workspace.ts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import { needsOf } from '../../../cli/commands/key-rotation.ts';
import type { StatusInfo } from '../../../shared/admin/status.ts';
import { numgate } from '../support/command.ts';
import { startTestService } from '../support/service.ts';
import { FOLDER, SECRETS, write } from '../support/workspace.ts';

const KEY_FILE = join(FOLDER, 'list-key');
const LIST = { name: 'spam', reason: 'SENDER_REPORTED', authority: 'kisa' };

let admin: Admin;
let operator = '';
let catalogue = '';
beforeAll(async () => {
  ({ admin } = await startTestService());
  operator = (await numgate('tokens', 'add', 'desk', '--scopes', 'read,entries')).out.trim();
  write('numbers.txt', '010-2000-5036\n');
  catalogue = write(
    'right.json',
    JSON.stringify({ lists: [LIST], inputs: [{ file: 'numbers.txt', list: 'spam' }] }),
  );
});

const keyFile = ['--key-file', KEY_FILE];
const rotate = (path: string, ...args: string[]) =>
  numgate('list-key', 'rotate', path, ...keyFile, '--reason', 'a test', ...args);

async function expectUnchanged(): Promise<void> {
  expect(existsSync(KEY_FILE)).toBe(false);
  const { listKeys } = await admin.get<StatusInfo>('status');
  expect([listKeys?.ids.length, listKeys?.rotated]).toEqual([1, null]);
}

describe('list-key rotate changes nothing', () => {
  it('without the catalogue, or one of its files', async () => {
    const typo = await rotate('no.json', '--url', admin.url);
    expect([typo.code, typo.errors]).toEqual([1, expect.stringContaining('no.json')]);
    const inputs = [{ file: 'missing.txt', list: 'spam' }];
    const path = write('wrong.json', JSON.stringify({ lists: [LIST], inputs }));
    const missing = await rotate(path, '--url', admin.url);
    expect([missing.code, missing.errors]).toEqual([1, expect.stringContaining('missing.txt')]);
    await expectUnchanged();
  });

  it('without a signing key, or a response of an edge', async () => {
    process.env.RELEASE_SIGNING_KEY = 'AAAA';
    const unsigned = await rotate(catalogue, '--url', admin.url);
    process.env.RELEASE_SIGNING_KEY = SECRETS.RELEASE_SIGNING_KEY;
    expect([unsigned.code, unsigned.errors]).toEqual([1, expect.stringContaining('RELEASE_SIGNING_KEY')]);
    const silent = await rotate(catalogue, '--url', 'http://127.0.0.1:1');
    expect([silent.code, silent.errors]).toEqual([1, expect.stringContaining('no response from')]);
    await expectUnchanged();
  });

  it('with a token that is not root, and neither does finish', async () => {
    process.env.NUMGATE_TOKEN = operator;
    const refused = [
      await rotate(catalogue, '--url', admin.url),
      await numgate('list-key', 'finish', ...keyFile),
    ];
    process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;
    for (const { code, errors } of refused)
      expect([code, errors]).toEqual([1, expect.stringContaining('only the token root may rotate LIST_KEY')]);
    await expectUnchanged();
  });
});

describe('list-key finish', () => {
  const at = '2099-11-24T03:12:09.500Z';
  const [from, to] = ['a'.repeat(16), 'b'.repeat(16)];
  const rotation = { ids: [to, from], current: to, rotated: { from, to, at } };

  it.each([
    ['none', null, false],
    ['newer ones', '2099-11-24T03:12:10Z', false],
    ['older ones', '2099-11-24T03:12:09Z', true],
    ['a service that does not report them', undefined, true],
  ])('waits for block records: %s', (_, oldestRecords, waits) => {
    const known = oldestRecords === undefined ? rotation : { ...rotation, oldestRecords };
    expect(needsOf(to, [], known).recordsUntil !== null).toBe(waits);
  });

  it('waits for segments of registered senders with the old key', () => {
    const needs = (registrations?: string[]) =>
      needsOf(to, [], { ...rotation, ...(registrations === undefined ? {} : { registrations }) })
        .registrations;
    expect([needs([from]), needs([to, from]), needs([to]), needs([]), needs()]).toEqual([
      ...[true, true, false, false, false],
    ]);
  });

  it('waits until the key of reports is sealed with the new key, unless it is lost', () => {
    const needs = (reports?: string[]) => needsOf(to, [], rotation, reports).reports;
    expect([needs([from]), needs([from, to]), needs([to]), needs([]), needs()]).toEqual([
      ...[true, false, false, false, false],
    ]);
  });
});
