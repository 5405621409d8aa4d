/**
 * `numgate organisations`, `clients` and `tokens` against the real service: keys are shown once, only their digests
 * are stored, and no admin overwrites the change of another.
 */
import '../support/workspace.ts';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import type { StatusInfo } from '../../../shared/admin.ts';
import type { Client } from '../../../shared/clients.ts';
import { type CommandResult, numgate } from '../support/command.ts';
import { startTestService } from '../support/service.ts';
import { SECRETS } from '../support/workspace.ts';

let admin: Admin;
beforeAll(async () => {
  ({ admin } = await startTestService());
});

const clients = (...args: string[]): Promise<CommandResult> => numgate('clients', ...args);
const organisations = (...args: string[]): Promise<CommandResult> => numgate('organisations', ...args);
const tokens = (...args: string[]): Promise<CommandResult> => numgate('tokens', ...args);
const digestOf = (key: string): string =>
  createHash('sha256')
    .update(key.trim().split('.')[1] ?? '')
    .digest('hex');
const stored = (id: string): Promise<Client> => admin.get(`clients/${id}`);

describe('clients', () => {
  let first = '';

  it('start empty', async () => {
    expect(await clients('list', '--json')).toEqual({ code: 0, out: '{"clients":[]}\n', errors: '' });
  });

  it('get a key that is shown once and stored as a digest', async () => {
    const settings = ['--rights', 'check, gateway', '--fail-policy', 'closed', '--mode', 'label'];
    const more = ['--max-stale-seconds', '600', '--quota-numbers', '1_000', '--short-codes', '1335,114'];
    const added = await clients('add', 'acme-1', ...settings, ...more);
    expect([added.code, added.errors]).toEqual([0, '']);
    expect(added.out).toMatch(/^acme-1\.[\w-]{43}\n$/);
    first = added.out.trim();
    expect(await stored('acme-1')).toMatchObject({
      id: 'acme-1',
      secretSha256: [digestOf(first)],
      rights: ['check', 'gateway'],
      failPolicy: 'closed',
      maxStaleSeconds: 600,
      mode: 'label',
      quotaNumbers: 1_000,
      shortCodes: ['1335', '114'],
    });
  });

  it('cannot be created twice, which would revoke the key in use', async () => {
    const { code, errors } = await clients('add', 'acme-1');
    expect(code).toBe(4);
    expect(errors).toBe('error: client acme-1 already exists: clients rotate gives it another key\n');
  });

  it('rotate to a second key, keep the previous one, and drop the first with a third', async () => {
    const keys = [first];
    for (const round of [1, 2]) {
      const { code, out } = await clients('rotate', 'acme-1', '--json');
      expect(code).toBe(0);
      const { id, key } = JSON.parse(out) as { id: string; key: string };
      expect([id, keys.includes(key)]).toEqual(['acme-1', false]);
      keys.push(key);
      expect((await stored('acme-1')).secretSha256).toEqual(keys.slice(round - 1).map(digestOf));
    }
  });

  it('change the given settings and keep the others', async () => {
    const before = await stored('acme-1');
    const { code, out, errors } = await clients('set', 'acme-1', '--mode', 'enforce', '--wait');
    expect([code, errors]).toEqual([0, expect.stringMatching(/^acme-1 changed \(seq \d+\)\n/)]);
    // The change is visible even though there is no release yet.
    expect(out).toMatch(/^[\d.]+ s {2}http:\S+ shows seq \d+, release none\n$/);
    expect(await stored('acme-1')).toEqual({ ...before, mode: 'enforce' });
  });

  it('are listed without digests', async () => {
    const [{ out: text }, { out }] = await Promise.all([clients('list'), clients('list', '--json')]);
    expect(text).toMatch(
      /acme-1 .* check gateway .* enforce .* closed .* 600 s .* 1,000 .* 2 .* short codes 1335 114/,
    );
    const settings = ['--international-prefix', '00', '--sender-rules', 'none', '--record-blocks'];
    settings.push('--on-enumeration', 'stop', '--restriction', 'stopped');
    expect(await clients('add', 'acme-2', ...settings)).toMatchObject({ code: 0, errors: '' });
    const other = (await clients('list')).out;
    expect(other).toMatch(
      /acme-2 .* international prefix 00, sender rules none, records blocks, on enumeration stop, stopped/,
    );
    expect(
      await clients('set', 'acme-2', '--restriction', 'none', '--international-prefix', 'unknown'),
    ).toMatchObject({ code: 0, errors: '' });
    expect(await stored('acme-2')).toMatchObject({
      ...{ onEnumeration: 'stop', restriction: null, internationalPrefix: null },
    });
    const [client] = (JSON.parse(out) as { clients: object[] }).clients;
    expect(client).toMatchObject({ id: 'acme-1', keys: 2, maxStaleSeconds: 600 });
    expect(out).not.toMatch(/sha256|[0-9a-f]{64}/i);
  });

  it('are not changed without a setting, which would record an empty change', async () => {
    const { seq } = await admin.get<StatusInfo>('status');
    const { code, errors } = await clients('set', 'acme-1', '--reason', 'a test', '--wait');
    expect([code, errors]).toEqual([
      2,
      expect.stringMatching(
        /^error: give at least one setting to change: .* --rights, .*--mode, .*--short-codes\n$/,
      ),
    ]);
    const same = await clients('set', 'acme-1', '--mode', 'enforce');
    expect([same.code, same.out]).toEqual([0, 'acme-1 has these settings already: nothing was changed\n']);
    expect((await admin.get<StatusInfo>('status')).seq).toBe(seq);
  });

  it('are unknown once they are removed', async () => {
    const { code, out } = await clients('remove', 'acme-1', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { id: 'acme-1', removed: true }]);
    for (const command of [['remove'], ['rotate'], ['set', '--mode', 'shadow']]) {
      const again = await clients(...command, 'acme-1');
      expect([again.code, again.errors]).toEqual([1, expect.stringMatching(/^error: CLIENT_UNKNOWN: /)]);
    }
  });
});

describe('organisations', () => {
  it('are added, shown, listed and changed', async () => {
    const settings = ['--display-name', 'KISA', '--authority', 'kisa', '--roles', 'regulator,operator'];
    const added = await organisations('add', 'kisa', ...settings);
    expect([added.code, added.out]).toEqual([0, expect.stringMatching(/^kisa added \(seq \d+\)\n/)]);
    expect((await organisations('set', 'kisa', '--contact', '118', '--declared-numbers', '2000')).code).toBe(
      0,
    );
    expect(await admin.get('organisations/kisa')).toMatchObject({ declaredNumbers: 2_000 });
    expect((await organisations('set', 'kisa', '--declared-numbers', 'none')).code).toBe(0);
    expect(await admin.get('organisations/kisa')).toMatchObject({ declaredNumbers: null, authority: 'kisa' });
    await clients('add', 'kisa-desk', '--organisation', 'kisa');
    const { out: text } = await organisations('show', 'kisa');
    for (const words of ['KISA', 'regulator operator', '118', 'active', 'kisa-desk'])
      expect(text).toContain(words);
    const { out } = await organisations('list', '--json');
    expect(JSON.parse(out)).toMatchObject({
      organisations: [{ id: 'default' }, { id: 'kisa', authority: 'kisa', contact: '118' }],
    });
    expect((await clients('list')).out).toMatch(/kisa-desk .* organisation kisa/);
    expect((await organisations('add', 'kisa')).errors).toMatch(/^error: organisation kisa already exists/);
  });

  it('are suspended and made active again', async () => {
    expect((await organisations('suspend', 'kisa', '--reason', 'a test')).code).toBe(0);
    expect(await admin.get('organisations/kisa')).toMatchObject({ state: 'suspended' });
    expect((await organisations('suspend', 'kisa', '--undo')).code).toBe(0);
    expect(await admin.get('organisations/kisa')).toMatchObject({ state: 'active', authority: 'kisa' });
  });

  it('with members are not removed, and an empty one is', async () => {
    const kept = await organisations('remove', 'kisa');
    expect([kept.code, kept.errors]).toEqual([4, expect.stringMatching(/^error: ORGANISATION_IN_USE: /)]);
    expect((await organisations('add', 'acme')).code).toBe(0);
    expect((await organisations('remove', 'acme')).code).toBe(0);
    expect((await organisations('show', 'acme')).errors).toMatch(/^error: ORGANISATION_UNKNOWN: /);
  });

  it.each([
    [['add', 'Acme'], 'id must have only lower case letters, digits and dashes'],
    [['add', 'acme', '--authority', 'KT!'], 'must have only lower case letters'],
    [['add', 'acme', '--authority', 'root'], 'authority must not be root or numgate'],
    [['add', 'acme', '--roles', 'owner'], 'roles[0] must be one of regulator, '],
    [['add', 'acme', '--display-name', '\u001b[31m'], 'displayName must be one line'],
    [['set', 'kisa'], 'give a setting to change'],
  ])('%j is rejected by its field, with exit code 2', async (args, message) => {
    const { code, errors } = await organisations(...args);
    expect([code, errors]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('an invalid value', () => {
  it.each([
    [['Acme'], 'id must have only lower case letters, digits and dashes'],
    [['a.b'], 'id must have '],
    [['acme', '--rights', 'admin'], 'rights[0] must be one of check, gateway'],
    [['acme', '--max-stale-seconds', '5'], 'maxStaleSeconds must be at least 10 seconds'],
    [['acme', '--max-stale-seconds', 'soon'], "'--max-stale-seconds <seconds>' argument 'soon' is invalid"],
    [['acme', '--quota-numbers', '0'], 'quotaNumbers must be at least 1 number a minute'],
    [['acme', '--quota-numbers', ''], 'must be a whole number'],
    [['acme', '--short-codes', '12,a'], 'shortCodes[0] must be a short code of 3 to 8 digits'],
    [['acme', '--mode', 'off'], 'Allowed choices are enforce, label, shadow'],
    [['acme', '--fail-policy', 'ajar'], 'Allowed choices are open, closed'],
    [[], "missing required argument 'id'"],
  ])('%j is rejected by its field, with exit code 2', async (args, message) => {
    const { code, out, errors } = await clients('add', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(errors).toContain(message);
    expect(errors).not.toMatch(/\n\s+at /);
  });
});

describe('tokens', () => {
  const night = ['night', '--scopes', 'read,entries', '--organisation', 'kisa'];
  const block = (token: string, ...args: string[]): Promise<unknown> =>
    new Admin({ url: admin.url, token }).change('POST', 'entries', {
      ...{ op: 'block', items: [{ number: '010-2000-5036' }], reason: 'a test' },
      ...Object.fromEntries(args.map((arg) => arg.split('='))),
    });
  let first = '';

  it('are created with scopes, work, and are shown once', async () => {
    const { code, out, errors } = await tokens('add', ...night);
    expect([code, errors]).toEqual([0, '']);
    expect(out).toMatch(/^night\.[\w-]{43}\n$/);
    first = out.trim();
    expect(await block(first)).toMatchObject({ changed: 1 });
    const listed = await tokens('list', '--json');
    const [token] = (JSON.parse(listed.out) as { tokens: object[] }).tokens;
    expect(token).toMatchObject({ id: 'night', scopes: ['read', 'entries'], authority: 'kisa', keys: 1 });
    expect(listed.out).not.toContain(digestOf(first));
  });

  it('get the scopes of a role, among those of their organisation, and act for others by name', async () => {
    expect((await tokens('add', 'desk', '--role', 'regulator', '--organisation', 'kisa')).code).toBe(0);
    const { out } = await tokens('list');
    expect(out).toMatch(/desk .* regulator .* read entries releases policy override .* kisa/);
    const refused = await tokens('add', 'desk-2', '--role', 'association', '--organisation', 'kisa');
    expect(refused.errors).toMatch(
      /^error: FIELD_VALUE: "token.role" .*"kisa" has the roles regulator, operator/,
    );
    const rotated = await tokens('rotate', 'desk');
    expect(rotated.code).toBe(0);
    // The token root has blocked the number.
    await admin.change('POST', 'entries', {
      op: 'block',
      items: [{ number: '010-2000-5037' }],
      reason: 'a test',
    });
    process.env.NUMGATE_TOKEN = rotated.out.trim();
    const unblock = ['unblock', '010-2000-5037', '--reason', 'a test'];
    const foreign = await numgate(...unblock);
    const named = await numgate(...unblock, '--override-authority', 'root');
    process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;
    expect([foreign.code, named.code]).toEqual([1, 0]);
    expect(foreign.errors).toMatch(
      /^error: AUTHORITY_FOREIGN: 1 item is of another authority; nothing was changed/,
    );
    expect(foreign.errors).toContain('to act for it: --override-authority root');
    expect((await tokens('remove', 'desk')).code).toBe(0);
  });

  it('cannot be created twice', async () => {
    const { code, errors } = await tokens('add', ...night);
    expect([code, errors]).toEqual([
      4,
      'error: token night already exists: tokens rotate gives it another secret\n',
    ]);
  });

  it('rotate, and the previous secret stays valid until the next rotation', async () => {
    const second = (await tokens('rotate', 'night')).out.trim();
    await Promise.all([block(first), block(second)]);
    const third = (await tokens('rotate', 'night')).out.trim();
    await Promise.all([block(second), block(third)]);
    await expect(block(first)).rejects.toThrow('UNAUTHENTICATED');
  });

  it('can be managed only by root', async () => {
    const token = (await tokens('rotate', 'night')).out.trim();
    process.env.NUMGATE_TOKEN = token;
    const { code, errors } = await tokens('list');
    process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;
    expect([code, errors]).toEqual([1, expect.stringMatching(/^error: PERMISSION_DENIED: .*root/)]);
    expect(errors).not.toContain(token.split('.')[1]);
  });

  it('are unknown once they are removed', async () => {
    expect((await tokens('remove', 'night')).code).toBe(0);
    expect((await tokens('remove', 'night')).errors).toMatch(/^error: TOKEN_UNKNOWN: /);
    expect((await tokens('rotate', 'night')).errors).toMatch(/^error: token night does not exist/);
  });

  it.each([
    [['Night', '--scopes', 'read'], 'id must have '],
    [['day', '--scopes', 'write'], 'scopes[0] must be one of read, '],
    [['day', '--scopes', ''], 'scopes must have at least '],
    [['day', '--scopes', 'read', '--organisation', 'KISA'], 'organisation must have '],
    [['day'], 'give the token a --role, or --scopes'],
    [['day', '--role', 'owner'], 'Allowed choices are regulator, association, operator, relay, auditor'],
    [['day', '--role', 'auditor', '--scopes', 'read'], "cannot be used with option '--role <role>'"],
    [['day', '--role', 'relay'], 'role has no admin token: give the organisation client keys'],
  ])('with an invalid value are rejected by the field: %j', async (args, message) => {
    const { code, errors } = await tokens('add', ...args);
    expect([code, errors]).toEqual([2, expect.stringContaining(message)]);
  });
});
