/** Admin tokens and their scopes, and the clients and tokens that admins create. */

import { describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import type { Client } from '../../shared/clients.ts';
import type { Organisation } from '../../shared/organisations.ts';
import { SCOPES } from '../../shared/roles.ts';
import type { Token } from '../../shared/tokens.ts';
import { type Operation, operationsOf } from '../house/support/matrix.ts';
import { openApi, send } from './support/send.ts';
import { adminValue, expectAdminRefused, sendAdmin } from './support/send-admin.ts';
import { world } from './support/world.ts';

/** Every operation of the control plane, with parameters replaced by `one` or by the organisation of the tokens. */
async function operations(): Promise<Operation[]> {
  return operationsOf((await openApi()).document).map(({ path, ...operation }) => ({
    ...operation,
    path: path
      .replace('/v1/admin/', '')
      .replace('{organisation}', 'default')
      .replace(/\{\w+\}/g, 'one'),
  }));
}

/** Sends checks with a client key until they have this status. */
async function untilStatus(key: string, status: number): Promise<void> {
  const sendWith = () =>
    send('/v1/check', {
      ...{ base: world().admin, client: null, body: { to: '112' } },
      headers: { authorization: `Bearer ${key}` },
    });
  while ((await sendWith()).status !== status) await new Promise((resolve) => setTimeout(resolve, 250));
}

describe('an admin token', () => {
  it('a missing, damaged or unknown token is 401 with a challenge on every route', async () => {
    const all = await operations();
    expect(all.length).toBeGreaterThan(20);
    for (const { method, path } of all) {
      const reply = await expectAdminRefused([path, { method, token: null }], [401, 'UNAUTHENTICATED']);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="numgate admin"');
    }
    const { tokens, keys } = world();
    const { read } = tokens;
    for (const key of [
      ...[`${read}x`, read.slice(0, -1), `nobody.${read.split('.')[1]}`, `root.${read.split('.')[1]}`],
      ...[keys.bulk, 'root.', 'root', `only-entries.${read.split('.')[1]}`],
    ]) {
      await expectAdminRefused(['status', { token: { key } }], [401, 'UNAUTHENTICATED']);
    }
  });

  it('an admin token is not a client key', async () => {
    const headers = { authorization: `Bearer ${world().tokens.root}` };
    const reply = await send('/v1/check', {
      base: world().admin,
      client: null,
      headers,
      body: { to: '112' },
    });
    expect(reply.status).toBe(401);
  });

  it('a token opens only the routes of its scopes; others are 403', async () => {
    for (const { method, path, scope } of await operations()) {
      for (const token of SCOPES.filter((other) => ![scope].flat().includes(other))) {
        await expectAdminRefused([path, { method, token }], [403, 'PERMISSION_DENIED']);
      }
      for (const token of [scope].flat()) {
        const { status } = await sendAdmin(path, { method, token });
        expect([method, path, token, [401, 403].includes(status)]).toEqual([method, path, token, false]);
      }
    }
  });
});

describe('tokens', () => {
  const path = 'tokens/night-shift';
  const tokenOf = (secretSha256: string[]): Token => ({
    ...{ id: 'night-shift', secretSha256, role: null, scopes: ['read'], organisation: 'default' },
  });
  const put = (token: object, headers: Record<string, string> = {}) => ({
    ...{ method: 'PUT', body: { token, reason: 'a test' }, headers },
  });
  const versionNow = async (): Promise<string> => {
    const { tokens } = await adminValue<{ tokens: { id: string; version: string }[] }>('tokens');
    return `"${tokens.find(({ id }) => id === 'night-shift')!.version}"`;
  };

  it('a token is created, its secret replaced in two steps, and revoked', async () => {
    const [first, second] = [await newKey('night-shift'), await newKey('night-shift')];
    const absent = { 'if-none-match': '*' };
    expect(await adminValue(path, put(tokenOf([first.secretSha256]), absent))).toEqual({ id: 'night-shift' });
    await adminValue('status', { token: { key: first.key } });
    const both = put(tokenOf([first.secretSha256, second.secretSha256]), { 'if-match': await versionNow() });
    await adminValue(path, both);
    for (const { key } of [first, second]) await adminValue('status', { token: { key } });
    await adminValue(path, put(tokenOf([second.secretSha256])));
    await expectAdminRefused(['status', { token: { key: first.key } }], [401, 'UNAUTHENTICATED']);
    const stale = put(tokenOf([first.secretSha256]), { 'if-match': '"0123456789abcdef"' });
    await expectAdminRefused([path, stale], [412, 'PRECONDITION_FAILED']);
    await expectAdminRefused(
      [path, put(tokenOf([first.secretSha256]), absent)],
      [412, 'PRECONDITION_FAILED'],
    );
    await adminValue(path, { method: 'DELETE', body: { reason: 'a test' } });
    await expectAdminRefused(['status', { token: { key: second.key } }], [401, 'UNAUTHENTICATED']);
    await expectAdminRefused(
      [path, { method: 'DELETE', body: { reason: 'a test' } }],
      [404, 'TOKEN_UNKNOWN'],
    );
  });

  it('tokens are listed without secrets and without root', async () => {
    const { tokens } = await adminValue<{ tokens: Token[] }>('tokens');
    expect(tokens.map(({ id }) => id)).toEqual(SCOPES.map((scope) => `only-${scope.toLowerCase()}`).sort());
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
    ['an invalid authority', { authority: 'KISA!' }, 'FIELD_VALUE', 'token.authority'],
    ['the authority of another organisation', { authority: 'ktoa' }, 'FIELD_VALUE', 'token.authority'],
    ['an unknown organisation', { organisation: 'nobody' }, 'FIELD_VALUE', 'token.organisation'],
    ['an unknown field', { root: true }, 'FIELD_UNKNOWN', 'token.root'],
  ])('a token with %s is rejected with the name of the field', async (_what, rest, code, field) => {
    await expectAdminRefused([path, put({ ...tokenOf(['0'.repeat(64)]), ...rest })], [400, code, field]);
  });

  it('a token named root is rejected, because root is a secret of the Worker', async () => {
    const token = { ...tokenOf(['0'.repeat(64)]), id: 'root' };
    await expectAdminRefused(['tokens/root', put(token)], [400, 'FIELD_VALUE', 'id']);
  });
});

describe('organisations', () => {
  const path = 'organisations/acme';
  const organisation = { id: 'acme', displayName: 'Acme' };
  const put = (settings: object, headers: Record<string, string> = {}) => ({
    ...{ method: 'PUT', headers },
    body: { organisation: { ...organisation, ...settings }, reason: 'a test' },
  });
  const remove = { method: 'DELETE', body: { reason: 'a test' } };

  it('an organisation is created with defaults, changed by version, and removed', async () => {
    const made = await sendAdmin(path, put({}, { 'if-none-match': '*' }));
    expect(made.status).toBe(200);
    const got = await sendAdmin(path, { token: 'read' });
    expect(got.json).toEqual({
      ...{ ...organisation, authority: null, roles: [], contact: '', state: 'active' },
      ...{
        senderCode: null,
        reseller: false,
        webhookHosts: [],
        certificateApproval: 'review',
        declaredNumbers: null,
        partner: null,
      },
    });
    const etag = got.headers.get('etag')!;
    expect(etag).toBe(made.headers.get('etag'));
    await adminValue(path, put({ contact: 'desk@acme.example' }, { 'if-match': etag }));
    await expectAdminRefused([path, put({}, { 'if-match': etag })], [412, 'PRECONDITION_FAILED']);
    await expectAdminRefused([path, put({}, { 'if-none-match': '*' })], [412, 'PRECONDITION_FAILED']);
    const { organisations } = await adminValue<{ organisations: Organisation[] }>('organisations');
    expect(organisations.map(({ id }) => id)).toEqual(['acme', 'default']);
    await expectAdminRefused([path, put({ authority: 'kisa' })], [409, 'AUTHORITY_TAKEN']);
    await adminValue(path, remove);
    await expectAdminRefused([path, {}], [404, 'ORGANISATION_UNKNOWN']);
    await expectAdminRefused([path, remove], [404, 'ORGANISATION_UNKNOWN']);
    await expectAdminRefused(['organisations/default', remove], [409, 'ORGANISATION_IN_USE']);
  });

  it('a suspended organisation stops its tokens and client keys, until it is active again', async () => {
    const roles = ['auditor'];
    await adminValue(path, put({ roles }));
    const [token, client] = [await newKey('acme-token'), await newKey('acme-client')];
    const made = { id: 'acme-token', secretSha256: [token.secretSha256], scopes: ['read'] };
    await adminValue('tokens/acme-token', {
      ...{ method: 'PUT', body: { token: { ...made, organisation: 'acme' }, reason: 'a test' } },
    });
    const shop = { id: 'acme-client', secretSha256: [client.secretSha256], rights: ['check'] };
    await adminValue('clients/acme-client', {
      ...{ method: 'PUT', body: { client: { ...shop, organisation: 'acme' }, reason: 'a test' } },
    });
    await untilStatus(client.key, 200);
    await adminValue('status', { token: { key: token.key } });
    await expectAdminRefused([path, remove], [409, 'ORGANISATION_IN_USE']);
    await adminValue(path, put({ roles, state: 'suspended' }));
    const refused = [403, 'ORGANISATION_SUSPENDED'] as const;
    await expectAdminRefused(['status', { token: { key: token.key } }], refused);
    await untilStatus(client.key, 401);
    await adminValue(path, put({ roles }));
    await adminValue('status', { token: { key: token.key } });
    await untilStatus(client.key, 200);
    for (const each of ['tokens/acme-token', 'clients/acme-client', path]) await adminValue(each, remove);
  });

  it.each([
    ['another id than in the path', { id: 'acme-2' }, 'FIELD_VALUE', 'id'],
    ['no name', { displayName: ' ' }, 'FIELD_VALUE', 'organisation.displayName'],
    ['a name of two lines', { displayName: 'a\nb' }, 'FIELD_VALUE', 'organisation.displayName'],
    ['a reserved authority', { authority: 'root' }, 'FIELD_VALUE', 'organisation.authority'],
    ['an unknown role', { roles: ['owner'] }, 'FIELD_VALUE', 'organisation.roles.0'],
    ['an unknown state', { state: 'gone' }, 'FIELD_VALUE', 'organisation.state'],
    ['an unknown field', { root: true }, 'FIELD_UNKNOWN', 'organisation.root'],
  ])('an organisation with %s is rejected with the name of the field', async (_what, rest, code, field) => {
    await expectAdminRefused([path, put(rest)], [400, code, field]);
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

  it('a client is created with defaults, accepted, and removed', async () => {
    const { key, secretSha256 } = await newKey('shop-1');
    const made = await sendAdmin(path, { ...put(clientOf(secretSha256)), token: 'clients' });
    expect(made.status).toBe(200);
    const got = await sendAdmin(path, { token: 'read' });
    expect(got.headers.get('etag')).toBe(made.headers.get('etag'));
    expect(got.json).toEqual({
      ...{ ...clientOf(secretSha256), organisation: 'default' },
      ...{ failPolicy: 'open', maxStaleSeconds: 3_600, mode: 'enforce', recordBlocks: false },
      ...{ onEnumeration: 'report', restriction: null },
      ...{ quotaNumbers: 60_000, internationalPrefix: null, senderRules: 'kr', shortCodes: [] },
      ...{ requireRegistration: 'off', requireQualification: 'off', mock: false },
      ...{ requireToken: 'off', requireIdentity: 'off', onSuspiciousText: 'shadow' },
    });
    const { clients } = await adminValue<{ clients: Client[] }>('clients');
    expect(clients.map(({ id }) => id)).toEqual(['bulk', 'careful', 'senders', 'shop-1']);
    await untilStatus(key, 200);
    await adminValue(path, { method: 'DELETE', body: { reason: 'a test' }, token: 'clients' });
    await untilStatus(key, 401);
    await expectAdminRefused([path, {}], [404, 'CLIENT_UNKNOWN']);
    await expectAdminRefused(
      [path, { method: 'DELETE', body: { reason: 'a test' } }],
      [404, 'CLIENT_UNKNOWN'],
    );
  });

  it('If-Match and If-None-Match bind a change to the version that was read', async () => {
    const client = clientOf('1'.repeat(64));
    await adminValue(path, put(client, { 'if-none-match': '*' }));
    await expectAdminRefused([path, put(client, { 'if-none-match': '*' })], [412, 'PRECONDITION_FAILED']);
    const etag = (await sendAdmin(path)).headers.get('etag')!;
    await adminValue(path, put({ ...client, mode: 'shadow' }, { 'if-match': etag }));
    const again = put({ ...client, mode: 'label' }, { 'if-match': etag });
    await expectAdminRefused([path, again], [412, 'PRECONDITION_FAILED']);
    const remove = { method: 'DELETE', body: { reason: 'a test' } };
    await expectAdminRefused(
      [path, { ...remove, headers: { 'if-match': etag } }],
      [412, 'PRECONDITION_FAILED'],
    );
    expect(await adminValue(path)).toMatchObject({ mode: 'shadow' });
    await adminValue(path, remove);
    await expectAdminRefused([path, put(client, { 'if-match': etag })], [412, 'PRECONDITION_FAILED']);
  });

  it.each([
    ['another id than in the path', { id: 'shop-2' }, 'FIELD_VALUE', 'id'],
    ['an id that is no name', { id: 'Shop 1' }, 'FIELD_VALUE', 'client.id'],
    ['an unknown organisation', { organisation: 'nobody' }, 'FIELD_VALUE', 'client.organisation'],
    ['an end in the past', { expires: '2020-01-01T00:00:00Z' }, 'FIELD_VALUE', 'client.expires'],
    ['an end on no day', { expires: '2099-02-30T00:00:00Z' }, 'FIELD_VALUE', 'client.expires'],
    ['a range of all addresses', { addresses: ['::/0'] }, 'FIELD_VALUE', 'client.addresses.0'],
    ['addresses without Cloudflare', { addresses: ['203.0.113.0/24'] }, 'FIELD_VALUE', 'client.addresses'],
    ['an unknown right', { rights: ['admin'] }, 'FIELD_VALUE', 'client.rights.0'],
    ['a quota of nothing', { quotaNumbers: 0 }, 'FIELD_VALUE', 'client.quotaNumbers'],
    ['a bound for stale data below 10 s', { maxStaleSeconds: 9 }, 'FIELD_VALUE', 'client.maxStaleSeconds'],
    ['a number as a short code', { shortCodes: ['01044440001'] }, 'FIELD_VALUE', 'client.shortCodes.0'],
    ['112 as a short code', { shortCodes: ['1335', '112'] }, 'FIELD_VALUE', 'client.shortCodes'],
    ['another mode', { mode: 'off' }, 'FIELD_VALUE', 'client.mode'],
    ['text for a number', { quotaNumbers: '10' }, 'FIELD_TYPE', 'client.quotaNumbers'],
    ['an unknown field', { key: 'secret' }, 'FIELD_UNKNOWN', 'client.key'],
  ])('a client with %s is rejected with the name of the field', async (_what, rest, code, field) => {
    await expectAdminRefused([path, put({ ...clientOf('1'.repeat(64)), ...rest })], [400, code, field]);
  });
});
