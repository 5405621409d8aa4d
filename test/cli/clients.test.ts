/**
 * `lists clients` with the real wrangler, on a local KV: keys shown once, and only their digests kept.
 */
import './support/workspace.ts';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Client, type Directory, openDirectory, signDirectory } from '../../shared/clients.ts';
import { CLIENTS_KEY } from '../../shared/release/kv-keys.ts';
import { lists, type Outcome } from './support/command.ts';
import { kvContent, putText, textOf } from './support/kv.ts';
import { FOREIGN_KEY, PUBLIC_KEY } from './support/workspace.ts';

const clients = (...args: string[]): Promise<Outcome> => lists('clients', ...args);

const digestOf = (key: string): string =>
  createHash('sha256')
    .update(key.trim().split('.')[1] ?? '')
    .digest('hex');

async function stored(): Promise<string> {
  return textOf((await kvContent()).get(CLIENTS_KEY));
}

/** What the service finds: nothing where the directory is not signed by the key it trusts. */
async function opened(): Promise<Map<string, Client> | null> {
  return openDirectory(await stored(), [PUBLIC_KEY]);
}

describe('clients', () => {
  let first = '';

  it('are none at first', async () => {
    expect(await clients('list', '--json')).toEqual({ code: 0, out: '{"clients":[]}\n', errors: '' });
  });

  it('get a key that is shown once, and kept as a digest', async () => {
    const wishes = ['--rights', 'check, gateway', '--fail-policy', 'closed', '--mode', 'label'];
    const more = ['--max-stale-seconds', '600', '--quota-items', '1_000', '--short-codes', '1335,114'];
    const added = await clients('add', 'acme-1', ...wishes, ...more);
    expect(added.code).toBe(0);
    expect(added.out).toMatch(/^acme-1\.[\w-]{43}\n$/);
    first = added.out.trim();
    const directory = await stored();
    expect(directory).not.toContain(first.split('.')[1]);
    expect((await opened())?.get('acme-1')).toEqual({
      id: 'acme-1',
      secretSha256: [digestOf(first)],
      rights: ['check', 'gateway'],
      failPolicy: 'closed',
      maxStaleSeconds: 600,
      mode: 'label',
      quotaItems: 1_000,
      shortCodes: ['1335', '114'],
    });
  });

  it('are not made twice: the key in use would end', async () => {
    const { code, errors } = await clients('add', 'acme-1');
    expect(code).toBe(1);
    expect(errors).toBe('error: there is a client acme-1 already: clients rotate gives it another key\n');
  });

  it('rotate to a second key, the one before stays, and a third ends the first', async () => {
    const keys = [first];
    for (const round of [1, 2]) {
      const { code, out } = await clients('rotate', 'acme-1', '--json');
      expect(code).toBe(0);
      const { id, key } = JSON.parse(out) as { id: string; key: string };
      expect([id, keys.includes(key)]).toEqual(['acme-1', false]);
      keys.push(key);
      const digests = (await opened())?.get('acme-1')?.secretSha256;
      expect(digests).toEqual(keys.slice(round - 1).map(digestOf));
    }
  });

  it('are listed without digests', async () => {
    const [{ out: text }, { out }] = await Promise.all([clients('list'), clients('list', '--json')]);
    expect(text).toMatch(/acme-1 .* check gateway .* label .* closed .* 600 s .* 1,000 .* 2/);
    const [client] = (JSON.parse(out) as { clients: object[] }).clients;
    expect(client).toMatchObject({ id: 'acme-1', keys: 2, maxStaleSeconds: 600 });
    expect(out).not.toMatch(/sha256|[0-9a-f]{64}/i);
  });

  it('are removed, and then not known', async () => {
    expect(await clients('remove', 'acme-1', '--json')).toMatchObject({
      code: 0,
      out: '{"id":"acme-1","removed":true}\n',
    });
    expect((await opened())?.size).toBe(0);
    const both = await Promise.all(['remove', 'rotate'].map((command) => clients(command, 'acme-1')));
    for (const { code, errors } of both) {
      expect(code).toBe(1);
      expect(errors).toBe('error: there is no client acme-1: see npm run lists -- clients list\n');
    }
  });

  it('of a directory that is damaged, not signed, or signed by another key, are not overwritten', async () => {
    const nobody: Directory = { format: 1, clients: [] };
    const message = 'error: the client directory in KV is damaged, or signed by another key\n';
    const signed = JSON.stringify(await signDirectory(nobody, FOREIGN_KEY));
    for (const text of ['{"format":1}', JSON.stringify(nobody), signed]) {
      await putText(CLIENTS_KEY, text);
      const { code, errors } = await clients('add', 'acme-2');
      expect([code, errors]).toEqual([1, message]);
      expect(await stored()).toBe(text);
    }
  });
});

describe('a wrong value', () => {
  it.concurrent.each([
    [['Acme'], 'id: lower case letters, digits and dashes'],
    [['a.b'], 'id: '],
    [['acme', '--rights', 'admin'], 'rights.0: '],
    [['acme', '--max-stale-seconds', '5'], 'maxStaleSeconds: '],
    [['acme', '--max-stale-seconds', 'soon'], "'--max-stale-seconds <seconds>' argument 'soon' is invalid"],
    [['acme', '--quota-items', '0'], 'quotaItems: '],
    [['acme', '--quota-items', ''], 'must be a whole number'],
    [['acme', '--short-codes', '12,a'], 'shortCodes.0: '],
    [['acme', '--mode', 'off'], 'Allowed choices are enforce, label, shadow'],
    [['acme', '--fail-policy', 'ajar'], 'Allowed choices are open, closed'],
    [[], "missing required argument 'id'"],
  ])('%j is told by its field, with exit code 2', async (args, message) => {
    const { code, out, errors } = await clients('add', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(errors).toContain(message);
    expect(errors).not.toMatch(/\n\s+at /);
  });
});
