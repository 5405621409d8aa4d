/**
 * Who may do what: admin tokens and their scopes, and the clients and tokens that admins make.
 */
import { describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import { SCOPES, type Scope, type Token } from '../../shared/admin.ts';
import type { Client } from '../../shared/clients.ts';
import { ask, document } from './support/ask.ts';
import { askAdmin, refusedAdmin, told } from './support/ask-admin.ts';
import { world } from './support/world.ts';

interface Operation {
  readonly method: string;
  /** Behind `/v1/admin/`. */
  readonly path: string;
  readonly scope: Scope | 'root';
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];

/** Every operation of the control plane, as the document has it, with something in the place of parameters. */
async function operations(): Promise<Operation[]> {
  const { paths } = (await document()).document as {
    paths: Record<string, Record<string, { readonly 'x-scope'?: Scope | 'root' }>>;
  };
  const admin = Object.entries(paths).filter(([path]) => path.startsWith('/v1/admin/'));
  return admin.flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => {
      const { 'x-scope': scope } = item[method]!;
      if (scope === undefined) throw new Error(`${method} ${path} has no x-scope`);
      return {
        ...{ method: method.toUpperCase(), scope },
        path: path.replace('/v1/admin/', '').replace(/\{\w+\}/g, 'one'),
      };
    }),
  );
}

describe('an admin token', () => {
  it('missing, damaged or unknown is 401 with a challenge, on every route', async () => {
    const all = await operations();
    expect(all.length).toBeGreaterThan(20);
    for (const { method, path } of all) {
      const reply = await refusedAdmin([path, { method, token: null }], [401, 'UNAUTHENTICATED']);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="numgate admin"');
    }
    const { tokens, keys } = world();
    const { read } = tokens;
    for (const key of [
      ...[`${read}x`, read.slice(0, -1), `nobody.${read.split('.')[1]}`, `root.${read.split('.')[1]}`],
      ...[keys.bulk, 'root.', 'root', `only-entries.${read.split('.')[1]}`],
    ]) {
      await refusedAdmin(['status', { token: { key } }], [401, 'UNAUTHENTICATED']);
    }
  });

  it('is worth nothing as a client key', async () => {
    const headers = { authorization: `Bearer ${world().tokens.root}` };
    const reply = await ask('/v1/check', { base: world().admin, client: null, headers, body: { to: '112' } });
    expect(reply.status).toBe(401);
  });

  it('opens the routes of its scopes, and no other: 403', async () => {
    for (const { method, path, scope } of await operations()) {
      for (const token of SCOPES.filter((other) => other !== scope)) {
        await refusedAdmin([path, { method, token }], [403, 'PERMISSION_DENIED']);
      }
      const token = scope === 'root' ? 'root' : scope;
      const { status } = await askAdmin(path, { method, token });
      expect([method, path, [401, 403].includes(status)]).toEqual([method, path, false]);
    }
  });
});

describe('tokens', () => {
  const path = 'tokens/night-shift';
  const tokenOf = (secretSha256: string[]): Token => ({
    ...{ id: 'night-shift', secretSha256, scopes: ['read'], authority: 'kisa' },
  });
  const put = (token: object, headers: Record<string, string> = {}) => ({
    ...{ method: 'PUT', body: { token, reason: 'a test' }, headers },
  });
  const versionNow = async (): Promise<string> => {
    const { tokens } = await told<{ tokens: { id: string; version: string }[] }>('tokens');
    return `"${tokens.find(({ id }) => id === 'night-shift')!.version}"`;
  };

  it('are made, replaced by halves, and end', async () => {
    const [first, second] = [await newKey('night-shift'), await newKey('night-shift')];
    const absent = { 'if-none-match': '*' };
    expect(await told(path, put(tokenOf([first.secretSha256]), absent))).toEqual({ id: 'night-shift' });
    await told('status', { token: { key: first.key } });
    const both = put(tokenOf([first.secretSha256, second.secretSha256]), { 'if-match': await versionNow() });
    await told(path, both);
    for (const { key } of [first, second]) await told('status', { token: { key } });
    await told(path, put(tokenOf([second.secretSha256])));
    await refusedAdmin(['status', { token: { key: first.key } }], [401, 'UNAUTHENTICATED']);
    const stale = put(tokenOf([first.secretSha256]), { 'if-match': '"0123456789abcdef"' });
    await refusedAdmin([path, stale], [412, 'PRECONDITION_FAILED']);
    await refusedAdmin([path, put(tokenOf([first.secretSha256]), absent)], [412, 'PRECONDITION_FAILED']);
    await told(path, { method: 'DELETE', body: { reason: 'a test' } });
    await refusedAdmin(['status', { token: { key: second.key } }], [401, 'UNAUTHENTICATED']);
    await refusedAdmin([path, { method: 'DELETE', body: { reason: 'a test' } }], [404, 'TOKEN_UNKNOWN']);
  });

  it('are listed without their secrets, and root is none of them', async () => {
    const { tokens } = await told<{ tokens: Token[] }>('tokens');
    expect(tokens.map(({ id }) => id)).toEqual(SCOPES.map((scope) => `only-${scope}`).sort());
    const text = JSON.stringify(tokens);
    for (const key of Object.values(world().tokens)) expect(text).not.toContain(key.split('.')[1]);
  });

  it.each([
    ['another id than in the path', { id: 'day-shift' }, 'FIELD_VALUE', 'id'],
    ['no secret', { secretSha256: [] }, 'FIELD_VALUE', 'token.secretSha256'],
    ['three secrets', { secretSha256: Array(3).fill('0'.repeat(64)) }, 'FIELD_VALUE', 'token.secretSha256'],
    ['a secret instead of its digest', { secretSha256: ['secret'] }, 'FIELD_VALUE', 'token.secretSha256.0'],
    ['no scope', { scopes: [] }, 'FIELD_VALUE', 'token.scopes'],
    ['an unknown scope', { scopes: ['write'] }, 'FIELD_VALUE', 'token.scopes.0'],
    ['a coordinator that is no name', { authority: 'KISA!' }, 'FIELD_VALUE', 'token.authority'],
    ['an unknown field', { root: true }, 'FIELD_UNKNOWN', 'token.root'],
  ])('with %s are refused by the name of the field', async (_what, rest, code, field) => {
    await refusedAdmin([path, put({ ...tokenOf(['0'.repeat(64)]), ...rest })], [400, code, field]);
  });

  it('named root are refused: that one is a secret of the Worker', async () => {
    const token = { ...tokenOf(['0'.repeat(64)]), id: 'root' };
    await refusedAdmin(['tokens/root', put(token)], [400, 'FIELD_VALUE', 'id']);
  });
});

describe('clients', () => {
  const path = 'clients/shop-1';
  const clientOf = (secretSha256: string): object => ({
    ...{ id: 'shop-1', secretSha256: [secretSha256], rights: ['check'] },
  });
  const put = (client: object, headers: Record<string, string> = {}) => ({
    ...{ method: 'PUT', body: { client, reason: 'a test' }, headers },
  });
  const askWith = (key: string) =>
    ask('/v1/check', {
      ...{ base: world().admin, client: null, body: { to: '112' } },
      headers: { authorization: `Bearer ${key}` },
    });
  async function untilStatus(key: string, status: number): Promise<void> {
    while ((await askWith(key)).status !== status) await new Promise((resolve) => setTimeout(resolve, 250));
  }

  it('are made with defaults, are let in, and end', async () => {
    const { key, secretSha256 } = await newKey('shop-1');
    const made = await askAdmin(path, { ...put(clientOf(secretSha256)), token: 'clients' });
    expect(made.status).toBe(200);
    const got = await askAdmin(path, { token: 'read' });
    expect(got.headers.get('etag')).toBe(made.headers.get('etag'));
    expect(got.json).toEqual({
      ...clientOf(secretSha256),
      ...{ failPolicy: 'open', maxStaleSeconds: 3_600, mode: 'enforce', recordBlocks: false },
      ...{ quotaNumbers: 60_000, internationalPrefix: null, senderRules: 'kr', shortCodes: [] },
    });
    const { clients } = await told<{ clients: Client[] }>('clients');
    expect(clients.map(({ id }) => id)).toEqual(['bulk', 'careful', 'senders', 'shop-1']);
    await untilStatus(key, 200);
    await told(path, { method: 'DELETE', body: { reason: 'a test' }, token: 'clients' });
    await untilStatus(key, 401);
    await refusedAdmin([path, {}], [404, 'CLIENT_UNKNOWN']);
    await refusedAdmin([path, { method: 'DELETE', body: { reason: 'a test' } }], [404, 'CLIENT_UNKNOWN']);
  });

  it('are changed only as they were read, where that is asked for', async () => {
    const client = clientOf('1'.repeat(64));
    await told(path, put(client, { 'if-none-match': '*' }));
    await refusedAdmin([path, put(client, { 'if-none-match': '*' })], [412, 'PRECONDITION_FAILED']);
    const etag = (await askAdmin(path)).headers.get('etag')!;
    await told(path, put({ ...client, mode: 'shadow' }, { 'if-match': etag }));
    const again = put({ ...client, mode: 'label' }, { 'if-match': etag });
    await refusedAdmin([path, again], [412, 'PRECONDITION_FAILED']);
    const remove = { method: 'DELETE', body: { reason: 'a test' } };
    await refusedAdmin([path, { ...remove, headers: { 'if-match': etag } }], [412, 'PRECONDITION_FAILED']);
    expect(await told(path)).toMatchObject({ mode: 'shadow' });
    await told(path, remove);
    await refusedAdmin([path, put(client, { 'if-match': etag })], [412, 'PRECONDITION_FAILED']);
  });

  it.each([
    ['another id than in the path', { id: 'shop-2' }, 'FIELD_VALUE', 'id'],
    ['an id that is no name', { id: 'Shop 1' }, 'FIELD_VALUE', 'client.id'],
    ['an unknown right', { rights: ['admin'] }, 'FIELD_VALUE', 'client.rights.0'],
    ['a quota of nothing', { quotaNumbers: 0 }, 'FIELD_VALUE', 'client.quotaNumbers'],
    ['a bound for stale data below 10 s', { maxStaleSeconds: 9 }, 'FIELD_VALUE', 'client.maxStaleSeconds'],
    ['a number as a short code', { shortCodes: ['01044440001'] }, 'FIELD_VALUE', 'client.shortCodes.0'],
    ['112 as a short code', { shortCodes: ['1335', '112'] }, 'FIELD_VALUE', 'client.shortCodes'],
    ['another mode', { mode: 'off' }, 'FIELD_VALUE', 'client.mode'],
    ['text for a number', { quotaNumbers: '10' }, 'FIELD_TYPE', 'client.quotaNumbers'],
    ['an unknown field', { key: 'secret' }, 'FIELD_UNKNOWN', 'client.key'],
  ])('with %s are refused by the name of the field', async (_what, rest, code, field) => {
    await refusedAdmin([path, put({ ...clientOf('1'.repeat(64)), ...rest })], [400, code, field]);
  });
});
