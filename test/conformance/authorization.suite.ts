/**
 * The authorization matrix of docs/threats.md, cell by cell: every operation with a token of every role, for lists and entries
 * of its own authority and of another authority. Also releases that are signed with the key of an organisation.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import { stagedKey } from '../../shared/release/kv-keys.ts';
import { ROLE_SCOPES, ROLES, type Role } from '../../shared/roles.ts';
import {
  accessOf,
  IDENTITIES,
  type Identity,
  type Operation,
  operationsOf,
} from '../house/support/matrix.ts';
import { EVER, type PlainList, plainList } from '../shared/support/plain-model.ts';
import { current, makeRelease, promote, putValues, type SmallRelease } from './support/releases.ts';
import { openApi } from './support/send.ts';
import { type AdminRequest, adminValue, expectAdminRefused, sendAdmin } from './support/send-admin.ts';
import { world } from './support/world.ts';

/** Organisations that have tokens. `other` stands for all others. */
const HOLDERS = ['regulator', 'association', 'operator', 'relay', 'auditor', 'other'] as const;
const OTHER = 'matrix-other';
const keys: Partial<Record<string, string>> = {};

const put = (path: string, body: object): Promise<unknown> =>
  adminValue(path, { method: 'PUT', body: { ...body, reason: 'a test' } });

function as(identity: Identity | 'other'): Pick<AdminRequest, 'token'> {
  return { token: identity === 'root' ? 'root' : { key: keys[identity]! } };
}

async function addHolders(): Promise<void> {
  for (const holder of HOLDERS) {
    const id = `matrix-${holder}`;
    const role: Role = holder === 'other' ? 'operator' : holder;
    const organisation = { id, displayName: holder, authority: id, roles: [role] };
    await put(`organisations/${id}`, { organisation });
    const { key, secretSha256 } = await newKey(id);
    await put(`tokens/${id}`, { token: { id, secretSha256: [secretSha256], role, organisation: id } });
    keys[holder] = key;
  }
}

async function operations(): Promise<Operation[]> {
  return operationsOf((await openApi()).document);
}

/** One list for each authority. The lists of `changed` authorities have one more number. */
function listsOf(...changed: readonly string[]): PlainList[] {
  return HOLDERS.map((holder, index) => {
    const authority = `matrix-${holder}`;
    const count = changed.includes(authority) ? 2 : 1;
    const numbers = Array.from({ length: count }, (_, at) => ({
      n: 821_071_000_000 + index * 10 + at,
      ...EVER,
    }));
    const list = plainList(authority, { numbers });
    return { ...list, info: { ...list.info, authority } };
  });
}

/** Keys of the values that KV has. */
const stored = new Set<string>();

/** A release on the current one, with its values in KV. @param signer organisation; null for the installation */
async function releaseWith(changed: readonly string[], signer: string | null = null): Promise<SmallRelease> {
  const made = await makeRelease({ blocked: [], lists: listsOf(...changed), base: await current(), signer });
  // Most releases here share their values. The service writes to the same store meanwhile, so write few values.
  const values = new Map([...made.values].filter(([key]) => !stored.has(key)));
  await putValues({ ...made, values });
  for (const key of values.keys()) stored.add(key);
  return made;
}

/** Makes a release with the unchanged lists of all authorities current. */
async function settle(): Promise<void> {
  const { release, signed } = await releaseWith([]);
  await adminValue('releases', { body: signed });
  await promote(release, await current());
}

async function stageWith(changed: readonly string[]): Promise<string> {
  const { release, signed } = await releaseWith(changed);
  await adminValue('releases', { body: signed });
  return release;
}

/** Prepares a request that changes something of an authority. `settle` was called before. */
type Prepare = (authority: string, signer: string) => Promise<[path: string, body: object]>;

let next = 821_072_000_000;
const BOUND: Readonly<Record<string, Prepare>> = {
  'POST /v1/admin/entries': async (authority) => {
    const items = [{ number: `+${next++}` }];
    const holder = HOLDERS.find((each) => `matrix-${each}` === authority);
    const body = { op: 'block', items, reason: 'a test' };
    await adminValue('entries', { body, ...(holder === undefined ? {} : as(holder)) });
    return ['entries', { op: 'unblock', items }];
  },
  'POST /v1/admin/operations/{operation}/undo': async (authority) => {
    const items = [{ number: `+${next++}` }];
    const holder = HOLDERS.find((each) => `matrix-${each}` === authority);
    const body = { op: 'block', items, reason: 'a test' };
    const request = { body, ...(holder === undefined ? {} : as(holder)) };
    const { operation } = await adminValue<{ operation: number }>('entries', request);
    return [`operations/${operation}/undo`, {}];
  },
  'POST /v1/admin/releases': async (authority, signer) => {
    const { signed } = await releaseWith([authority], signer);
    return ['releases', signed];
  },
  'POST /v1/admin/releases/{release}/promote': async (authority) => [
    `releases/${await stageWith([authority])}/promote`,
    { base: await current() },
  ],
  'POST /v1/admin/rollback': async (authority) => {
    await promote(await stageWith([authority]), await current());
    return ['rollback', {}];
  },
};

describe('authorization', () => {
  beforeAll(addHolders);

  describe('the authorization matrix', () => {
    it('a token opens exactly the operations of its role', async () => {
      for (const operation of await operations()) {
        for (const identity of IDENTITIES) {
          const access = accessOf(operation, identity);
          const organisation = access === 'own' ? `matrix-${identity}` : OTHER;
          const path = operation.path
            .replace('/v1/admin/', '')
            .replace('{organisation}', organisation)
            .replace(/\{\w+\}/g, 'one');
          const { status, json } = await sendAdmin(path, { method: operation.method, ...as(identity) });
          const denied = [401, 403].includes(status) ? json.code : 'open';
          const expected = access === 'none' ? 'PERMISSION_DENIED' : 'open';
          expect([operation.method, path, identity, denied]).toEqual([
            ...[operation.method, path, identity, expected],
          ]);
        }
      }
    });

    it('the operations that depend on the authority are those that are tried here', async () => {
      const bound = (await operations()).filter(({ isBound }) => isBound);
      expect(bound.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(Object.keys(BOUND).sort());
    });

    describe.each(Object.entries(BOUND))('%s', (name, prepare) => {
      const holders = IDENTITIES.filter((identity) => identity !== 'relay' && identity !== 'auditor');
      it.each(holders)(
        'of the own authority is open to %s, of another one only as the matrix has it',
        async (identity) => {
          const operation = (await operations()).find(({ method, path }) => `${method} ${path}` === name)!;
          const access = accessOf(operation, identity);
          const send = async (authority: string, fields: object = {}) => {
            await settle();
            const [path, body] = await prepare(authority, authority);
            return [path, { body: { reason: 'a test', ...body, ...fields }, ...as(identity) }] as const;
          };
          if (identity !== 'root') await adminValue(...(await send(`matrix-${identity}`)));
          if (access === 'all') {
            await adminValue(...(await send(OTHER)));
            return;
          }
          const { json } = await expectAdminRefused(await send(OTHER), [403, 'AUTHORITY_FOREIGN']);
          expect(json).toMatchObject({ authorities: [OTHER] });
          const named = await send(OTHER, { overrideAuthorities: [OTHER] });
          if (access === 'named') await adminValue(...named);
          else await expectAdminRefused(named, [403, 'PERMISSION_DENIED']);
        },
      );
    });
  });

  describe('a field with a scope of its own', () => {
    it('guards are overridden only with the scope "guards"', async () => {
      await settle();
      const body = { base: await current(), overrides: ['adds'], reason: 'a test' };
      const path = `releases/${await stageWith(['matrix-operator'])}/promote`;
      await expectAdminRefused([path, { body, ...as('operator') }], [403, 'PERMISSION_DENIED']);
      await expectAdminRefused([path, { body, ...as('regulator') }], [403, 'PERMISSION_DENIED']);
      await adminValue(path, {
        body: { ...body, overrideAuthorities: ['matrix-operator'] },
        ...as('association'),
      });
    });

    it('an authority that nobody has is rejected by its field', async () => {
      const body = { op: 'block', items: [{ number: `+${next++}` }], reason: 'a test' };
      const request = { body: { ...body, overrideAuthorities: ['nobody'] }, ...as('association') };
      await expectAdminRefused(['entries', request], [400, 'FIELD_VALUE', 'overrideAuthorities.0']);
    });
  });

  describe('a release that is signed with the key of an organisation', () => {
    const OWN = 'matrix-operator';

    it('does not become current if it changes lists of another one, by any path', async () => {
      await settle();
      const base = await current();
      for (const changed of [[OTHER], [OWN, OTHER]]) {
        const made = await releaseWith(changed, OWN);
        await adminValue('releases', { body: made.signed });
        for (const fields of [{}, { share: 0.5 }, { overrideAuthorities: [OTHER] }]) {
          const body = { base, reason: 'a test', ...fields };
          const path = `releases/${made.release}/promote`;
          const { json } = await expectAdminRefused([path, { body }], [422, 'RELEASE_REFUSED']);
          expect(json).toMatchObject({ refusal: 'SIGNER_FOREIGN' });
        }
      }
      const staged = await releaseWith([OTHER], OWN);
      await world().kv.admin.put(
        stagedKey(staged.release),
        new TextEncoder().encode(JSON.stringify(staged.signed)),
      );
      await world().runCron();
      const { releases } = await adminValue<{ releases: { release: string; refusal: object }[] }>('releases');
      const refusal = releases.find(({ release }) => release === staged.release)?.refusal;
      expect(refusal).toMatchObject({ code: 'SIGNER_FOREIGN' });
      expect(await current()).toBe(base);
    });

    it('becomes current by the cron if it changes only its own list', async () => {
      await settle();
      const { release, signed } = await releaseWith([OWN], OWN);
      await world().kv.admin.put(stagedKey(release), new TextEncoder().encode(JSON.stringify(signed)));
      await world().runCron();
      expect(await current()).toBe(release);
    });
  });

  describe('a role', () => {
    const token = { id: 'matrix-new', secretSha256: ['0'.repeat(64)], organisation: 'matrix-operator' };
    it.each([
      ['with scopes that contradict it', { role: 'operator', scopes: ['read'] }, 'token.scopes'],
      ['that the organisation does not have', { role: 'association' }, 'token.role'],
      ['missing, as are the scopes', {}, 'token.scopes'],
      ['missing, with a scope that no role of the organisation has', { scopes: ['clients'] }, 'token.scopes'],
      ['unknown', { role: 'owner' }, 'token.role'],
    ])('%s is rejected with the name of the field', async (_what, rest, field) => {
      const body = { token: { ...token, ...rest }, reason: 'a test' };
      await expectAdminRefused(['tokens/matrix-new', { method: 'PUT', body }], [400, 'FIELD_VALUE', field]);
    });

    it('is shown to its token as scopes, with the organisation and its authority', async () => {
      const id = 'matrix-operator';
      expect(await adminValue('me', as('operator'))).toEqual({
        ...{ name: `token:${id}`, organisation: id, authority: id, root: false },
        scopes: ROLE_SCOPES.operator,
      });
      const root = { name: 'token:root', organisation: null, authority: 'root', root: true };
      expect(await adminValue('me')).toMatchObject(root);
    });

    it('that the organisation loses no longer opens anything', async () => {
      const organisation = { id: 'matrix-auditor', displayName: 'auditor', authority: 'matrix-auditor' };
      await put('organisations/matrix-auditor', { organisation: { ...organisation, roles: ROLES } });
      await adminValue('status', as('auditor'));
      await put('organisations/matrix-auditor', { organisation: { ...organisation, roles: ['relay'] } });
      await expectAdminRefused(['status', as('auditor')], [403, 'PERMISSION_DENIED']);
      await put('organisations/matrix-auditor', { organisation: { ...organisation, roles: ['auditor'] } });
      await adminValue('status', as('auditor'));
    });
  });
});
