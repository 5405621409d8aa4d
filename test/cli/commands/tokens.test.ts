/** `numgate tokens` against the real service. A token is shown once, and only its digest is stored. */
import '../support/workspace.ts';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { ROLE_SCOPES } from '../../../shared/roles.ts';
import { type CommandResult, numgate } from '../support/command.ts';
import { startTestService } from '../support/service.ts';
import { SECRETS } from '../support/workspace.ts';

let admin: Admin;
beforeAll(async () => {
  ({ admin } = await startTestService());
  const roles = ['--authority', 'kisa', '--roles', 'regulator,operator'];
  expect((await numgate('organisations', 'add', 'kisa', ...roles)).code).toBe(0);
});

const tokens = (...args: string[]): Promise<CommandResult> => numgate('tokens', ...args);
const digestOf = (key: string): string =>
  createHash('sha256')
    .update(key.trim().split('.')[1] ?? '')
    .digest('hex');

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
      'error: token night already exists: use tokens rotate to give it another secret\n',
    ]);
  });

  it('rotate, and both secrets stay valid until a rotation replaces the older one', async () => {
    const second = (await tokens('rotate', 'night')).out.trim();
    await Promise.all([block(first), block(second)]);
    const refused = await tokens('rotate', 'night');
    expect(refused.code).toBe(2);
    expect(refused.errors).toMatch(
      /night already has two secrets: .*tokens rotate night --finish.* --replace/,
    );
    await Promise.all([block(first), block(second)]);
    const third = (await tokens('rotate', 'night', '--replace')).out.trim();
    await Promise.all([block(second), block(third)]);
    await expect(block(first)).rejects.toThrow('UNAUTHENTICATED');
  });

  it('finish a rotation, after which only the newest secret is left', async () => {
    const newest = (await tokens('rotate', 'night', '--replace')).out.trim();
    const { code, out } = await tokens('rotate', 'night', '--finish');
    expect([code, out]).toEqual([0, 'night now has one secret\n']);
    await block(newest);
    const again = await tokens('rotate', 'night', '--finish');
    expect([again.code, again.out]).toEqual([0, 'night has only one secret: nothing was changed\n']);
  });

  it('change the given settings and keep the others', async () => {
    const token = async (): Promise<object> => {
      const { out } = await tokens('list', '--json');
      const { version, ...shown } = (JSON.parse(out) as { tokens: { version: string }[] }).tokens[0]!;
      return shown;
    };
    const before = await token();
    expect(before).toMatchObject({ scopes: ['read', 'entries'], keys: 1 });
    expect(before).toMatchObject({ lastUsedAt: expect.stringMatching(/T\d\d:00:00\.000Z$/) });
    expect((await tokens('set', 'night', '--expires', '10d', '--scopes', 'read')).code).toBe(0);
    expect(await token()).toMatchObject({ role: null, scopes: ['read'], expires: expect.any(String) });
    expect((await tokens('list')).out).toMatch(/night .*T\d\d:00:00\.000Z.* expires soon: \d{4}-/);
    expect((await numgate('status')).out).toContain('token night expires soon: ');
    expect((await tokens('set', 'night', '--role', 'operator', '--expires', 'none')).code).toBe(0);
    expect(await token()).toMatchObject({
      role: 'operator',
      scopes: ROLE_SCOPES.operator,
    });
    const same = await tokens('set', 'night', '--role', 'operator');
    expect([same.code, same.out]).toEqual([0, 'night already has these settings: nothing was changed\n']);
    expect((await tokens('set', 'night', '--scopes', 'read,entries')).code).toBe(0);
    expect(await token()).toEqual(before);
    const nothing = await tokens('set', 'night');
    expect([nothing.code, nothing.errors]).toEqual([
      2,
      expect.stringMatching(
        /^error: give at least one setting to change: npx numgate tokens set <id> with .*--role/,
      ),
    ]);
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
  ])('with an invalid value are rejected by the field: %j', async (args, message) => {
    const { code, errors } = await tokens('add', ...args);
    expect([code, errors]).toEqual([2, expect.stringContaining(message)]);
  });
});
