/** Which changes wait for a second person: the settings, the way out of a lockout, and proposals that no person made. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Approvals } from '../../../shared/proposals.ts';
import { stagedKey } from '../../../shared/release/kv-keys.ts';
import { listOf, OTHER, OWN } from '../support/authorities.ts';
import {
  ALL_GUARDS,
  build,
  codeOf,
  coordinator,
  stage,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import {
  ALICE,
  approve,
  BOB,
  by,
  CAROL,
  ERIN,
  putOrganisation,
  putPolicy,
  putToken,
  ROOT,
  settle,
  waiting,
} from '../support/people.ts';
import { ANY, refusalOf } from '../support/room.ts';
import { KTOA_PRIVATE_KEY, ROOT_TOKEN_SHA256 } from '../support/secrets.ts';
import { publishValues } from '../support/world.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});
afterEach(() => vi.useRealTimers());

const put = (approvals: Approvals, author = ROOT) => coordinator().putApprovals(by(author), approvals);
const records = async () => (await coordinator().audit(0, 1_000)).map(({ action, actor }) => [action, actor]);

test('revoking never waits, and giving does', async () => {
  await settle(['tokens']);
  unwrap(await coordinator().putToken(by(ROOT), 'erin', null, ANY));
  unwrap(await putOrganisation('kisa', { state: 'suspended' }));
  unwrap(await putOrganisation('kisa', { state: 'suspended', displayName: 'KISA', roles: [] }));
  waiting(await putOrganisation('kisa', { state: 'active', roles: [] }));
  waiting(await putOrganisation('kisa', { state: 'suspended', roles: ['auditor'] }));
  // A stolen root token cannot create its own second person.
  waiting(await putToken({ ...ALICE, name: 'token:mallory' }));
  waiting(await putToken(ALICE, ROOT, 'f'));
});

test('whose reports decide on blocks, and with how much weight, waits as rules do', async () => {
  const settings = { kind: 'subscriber', weight: 1, slices: 1, reportsPerDay: 1_000, mock: false } as const;
  const put = (id: string, changed: object, more = {}) =>
    putOrganisation(id, { ...more, partner: { ...settings, ...changed } });
  unwrap(await put('skt', {}));
  await settle(['rules']);
  for (const [id, changed] of [
    ['smpa', { kind: 'police' }],
    ['skt', { kind: 'police' }],
    ['skt', { weight: 2 }],
  ] as const)
    waiting(await put(id, changed));
  unwrap(await put('lab', { mock: true }));
  unwrap(await put('skt', { weight: 0.5, reportsPerDay: 2_000 }));
  unwrap(await put('skt', { weight: 0.5 }, { state: 'suspended' }));
});

describe('the settings', () => {
  test('let nothing wait at first, and take more kinds at once, but fewer only with a second person', async () => {
    await settle([]);
    unwrap(await putPolicy(ALICE, '[a]'));
    unwrap(await put({ kinds: ['policy'], waitSeconds: 3_600 }));
    unwrap(await put({ kinds: ['policy', 'guards'], waitSeconds: 3_600 }));
    for (const weaker of [
      { kinds: ['guards' as const], waitSeconds: 3_600 },
      { kinds: ['policy' as const, 'guards' as const], waitSeconds: 604_800 },
    ]) {
      const proposal = waiting(await put(weaker));
      expect(await coordinator().approvals()).toMatchObject({
        kinds: ['policy', 'guards'],
        waitSeconds: 3_600,
      });
      expect(codeOf(await approve(ROOT, proposal))).toBe('APPROVER_REFUSED');
    }
    unwrap(await approve(BOB, waiting(await put({ kinds: [], waitSeconds: 3_600 }))));
    unwrap(await putPolicy(ALICE, '[b]'));
  });

  test('are refused while no second person could approve, as is a change that nobody else could', async () => {
    await putOrganisation('ktoa');
    await putToken(ERIN);
    const refused = refusalOf(await put({ kinds: ['policy'], waitSeconds: 3_600 }));
    expect(refused).toMatchObject({
      ...{ code: 'APPROVAL_IMPOSSIBLE', message: expect.stringContaining('npx numgate tokens add') },
    });
    await settle(['policy']);
    unwrap(await putOrganisation('ktoa', { state: 'suspended' }));
    unwrap(await coordinator().putToken(by(ROOT), 'carol', null, ANY));
    await putOrganisation('ktoa');
    unwrap(await coordinator().putToken(by(ROOT), 'bob', null, ANY));
    await withoutRoot(async () => {
      expect(codeOf(await putPolicy(ALICE, '[new]'))).toBe('APPROVAL_IMPOSSIBLE');
    });
  });
});

/** Runs with a coordinator that has no root token. */
async function withoutRoot(run: () => Promise<void>): Promise<void> {
  const setRoot = (digest: string): Promise<void> =>
    runInDurableObject(stub(), (instance) => {
      Object.assign((instance as unknown as { env: object }).env, { ROOT_TOKEN_SHA256: digest });
    });
  await setRoot('');
  await run().finally(() => setRoot(ROOT_TOKEN_SHA256));
}

test('whoever may set APPROVALS ends a lock-out, and the log shows it', async () => {
  await settle(['tokens', 'policy']);
  const environment = (value: string | undefined): Promise<void> =>
    runInDurableObject(stub(), (instance) => {
      Object.assign((instance as unknown as { env: object }).env, { APPROVALS: value });
    });
  await environment('off');
  await evictDurableObject(stub());
  expect(await coordinator().approvals()).toMatchObject({ kinds: [] });
  expect((await records()).at(-1)).toEqual(['approvals.put', 'numgate']);
  await environment(undefined);
  unwrap(await putPolicy(ALICE, '[new]'));
});

test('a release staged with wrangler waits as one proposal, not one a minute, and anyone may approve it', async () => {
  await settle(['fullShare']);
  const first = await stage({ lists: [OWN, OTHER] });
  const promote = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  unwrap(await approve(BOB, waiting(await coordinator().promote(by(ROOT), first, promote))));
  const lists = [{ ...OWN, sources: [{ ...OWN.sources[0]!, text: 'NEW' }] }, OTHER];
  const built = await build({ lists, base: first, minute: 1 });
  await publishValues(built);
  await env.LISTS.put(stagedKey(built.manifest.release), JSON.stringify(built.signed));
  for (let minute = 0; minute < 3; minute++) await coordinator().sweep(WRANGLER);
  const open = (await coordinator().proposals(10)).filter(({ state }) => state === 'pending');
  expect(open).toMatchObject([{ proposer: 'wrangler', kinds: ['fullShare'], organisation: null }]);
  unwrap(await approve(CAROL, open[0]!));
  expect((await coordinator().status()).current?.release).toBe(built.manifest.release);
});

test('a signing key that is new promotes nothing until a second person approves it', async () => {
  await settle(['signingKeys']);
  unwrap(await putOrganisation('acme', { authority: 'acme' }));
  const all = [...ALL_GUARDS];
  const promote = (release: string, base: string | null) =>
    coordinator().promote(by(ROOT), release, { base, share: 1, overrides: all, reason: 'test' });
  // Keys that existed when the setting was made are trusted.
  const base = await stage({ lists: [OWN, OTHER] });
  unwrap(await promote(base, null));
  await runInDurableObject(stub(), (_, { storage }) => {
    for (const key of ['signers', 'signersApproved']) {
      const [{ value }] = storage.sql
        .exec<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)
        .toArray() as [{ value: string }];
      const old = Object.entries(JSON.parse(value)).filter(([, owner]) => owner !== 'ktoa');
      storage.sql.exec(
        'UPDATE meta SET value = ? WHERE key = ?',
        JSON.stringify(Object.fromEntries(old)),
        key,
      );
    }
  });
  await evictDurableObject(stub());
  const [opened] = await coordinator().proposals(10);
  expect(opened).toMatchObject({ proposer: 'numgate', kinds: ['signingKeys'], state: 'pending' });
  const lists = [listOf('ktoa', { effect: 'label' }), OTHER];
  const release = await stage({ lists, base, minute: 1, signer: KTOA_PRIVATE_KEY });
  expect(codeOf(await promote(release, base))).toBe('SIGNER_UNAPPROVED');
  // Older keys are not affected.
  expect(await coordinator().proposals(10)).toHaveLength(1);
  unwrap(await approve(BOB, opened!));
  unwrap(await promote(release, base));
});
