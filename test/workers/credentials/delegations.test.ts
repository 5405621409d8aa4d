/** Delegations: chains from the owner to the relay, their moves compared with a plain model, and their status in the head. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProposedDelegation } from '../../../shared/admin/credentials.ts';
import { DELEGATION_MOVES } from '../../../shared/credentials/delegation-states.ts';
import type { PublicJwk } from '../../../shared/credentials/keys.ts';
import { StatusList, statusListClaim } from '../../../shared/credentials/status-list.ts';
import { STATUS_ENTRIES_MAX } from '../../../shared/limits/credentials.ts';
import { CredentialStore } from '../../../workers/credentials/credential-store.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { newSigner } from '../../shared/support/credential-world.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  asToken,
  credentials,
  credentialsStub,
  readCredentials,
  statusList,
} from '../support/credential-store.ts';
import { accept, active, DAY_MS, linked, move, proposal, propose, signed } from '../support/delegations.ts';
import { accepted, store } from '../support/registrations.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

test('a chain of an owner, a reseller and a relay is in the head, each with its own status', async () => {
  const { world, link } = await linked();
  const [reseller, relay] = await Promise.all([newSigner(), newSigner('EdDSA')]);
  const first = await active('acme', world.holder, link, 'reseller', reseller);
  expect(first).toMatchObject({ state: 'active', chain: ['acme', 'reseller'], key: reseller.kid });
  const second = await active('reseller', reseller, first.digest!, 'relay', relay);
  expect(second.chain).toEqual(['acme', 'reseller', 'relay']);
  await vi.waitFor(async () => {
    const { rows } = await readCredentials();
    expect(rows.find(({ digest }) => digest === second.digest)).toMatchObject({
      ...{ kind: 'delegation', organisation: 'relay', principal: first.digest, scope: ['sms'] },
      ...{ spans: [{ from: 8_215_880_001, to: 8_215_880_001 }], statusIndex: 2 },
    });
  }, HANG_MS);
  for (const [each, status] of [
    ['suspend', 'suspended'],
    ['resume', 'valid'],
    ['revoke', 'revoked'],
  ] as const) {
    accepted(await move('acme', first, each));
    await vi.waitFor(async () => {
      const { statusOf } = await readCredentials();
      expect([await statusOf(first.digest!), await statusOf(second.digest!)]).toEqual([status, 'valid']);
    }, HANG_MS);
  }
  const list = new StatusList(2, await credentials().delegationStatuses());
  expect([list.at(0), list.at(1), list.at(2)]).toEqual(['suspended', 'revoked', 'valid']);
  expect((await statusListClaim(list)).bits).toBe(2);
  await evictDurableObject(credentialsStub());
  expect((await credentials().delegations('reseller', 0, 10)).map(({ id, state }) => [id, state])).toEqual([
    ['1', 'revoked'],
    ['2', 'active'],
  ]);
});

describe('a proposal is refused', () => {
  test('over numbers, scope, dates or links that the principal does not have', async () => {
    const { world, link } = await linked();
    const reseller = await newSigner();
    const { digest } = await active('acme', world.holder, link, 'reseller', reseller);
    for (const [principal, own, rest, code] of [
      ['acme', link, { numbers: ['+8215880002'] }, 'DELEGATION_MISMATCH'],
      ['acme', link, { numbers: ['15880001'] }, 'FIELD_VALUE'],
      ['acme', link, { expires: new Date().toISOString() }, 'FIELD_VALUE'],
      ['acme', link, { expires: new Date(Date.now() + 1_000 * DAY_MS).toISOString() }, 'FIELD_VALUE'],
      ['beta', link, {}, 'FIELD_VALUE'],
      ['acme', 'A'.repeat(43), {}, 'FIELD_VALUE'],
      ['acme', link, { agent: 'acme' }, 'DELEGATION_LOOP'],
      ['reseller', digest!, { agent: 'acme' }, 'DELEGATION_LOOP'],
      ['reseller', digest!, { agent: 'relay', scope: ['sms', 'voice'] }, 'DELEGATION_MISMATCH'],
    ] as const) {
      const done = await propose(principal, own, rest as Partial<ProposedDelegation>);
      expect([rest, done.ok ? 'ok' : done.code]).toEqual([rest, code]);
    }
    expect(await credentials().delegations('acme', 0, 10)).toHaveLength(1);
  });

  test('beyond five organisations, and on a link that is not in force', async () => {
    const { world, link } = await linked();
    let [key, digest, principal] = [world.holder, link, 'acme'];
    for (const agent of ['b', 'c', 'd', 'e']) {
      const next = await newSigner();
      digest = (await active(principal, key, digest, agent, next)).digest!;
      [key, principal] = [next, agent];
    }
    expect(await propose('e', digest, { agent: 'f' })).toMatchObject({ code: 'DELEGATION_TOO_LONG' });
    accepted(
      await credentials().pushStatusList(asToken(), await statusList(world.issuer, { 1: 'suspended' })),
    );
    expect(await propose('d', digest, { agent: 'f' })).toMatchObject({ code: 'FIELD_VALUE' });
    expect(await propose('acme', link, { agent: 'f' })).toMatchObject({ code: 'DELEGATION_MISMATCH' });
    await suspended();
  });
});

/** Waits until the registration follows its certificate, because a test must not end while its objects still work. */
const suspended = () =>
  vi.waitFor(async () => expect((await store().get(1))!.state).toBe('suspended'), HANG_MS);

test('only the accepted claims, signed by the principal, confirm a delegation', async () => {
  const { world, link } = await linked();
  const reseller = await newSigner();
  const ready = await accept('reseller', accepted(await propose('acme', link)), reseller);
  for (const [some, code] of [
    [{ nums: ['+8215880001..+8215880002'] }, 'DELEGATION_MISMATCH'],
    [{ exp: 4_000_000_000 }, 'DELEGATION_INVALID'],
    [{ jti: '2' }, 'DELEGATION_INVALID'],
    [{ scope: ['sms', 'voice'] }, 'DELEGATION_INVALID'],
    [{ cnf: { jkt: world.holder.kid } }, 'DELEGATION_INVALID'],
    [
      { status: { status_list: { idx: 9, uri: 'https://numgate.example/v1/status-lists/delegations' } } },
      'DELEGATION_INVALID',
    ],
  ] as const) {
    const delegation = await signed(world.holder, ready, some);
    expect(await move('acme', ready, 'confirm', { delegation })).toMatchObject({ ok: false, code });
  }
  const foreign = await signed(reseller, ready);
  expect(await move('acme', ready, 'confirm', { delegation: foreign })).toMatchObject({
    code: 'DELEGATION_INVALID',
  });
  expect(await move('other', ready, 'confirm', { delegation: foreign })).toMatchObject({
    code: 'DELEGATION_UNKNOWN',
  });
  const delegation = await signed(world.holder, ready);
  expect(accepted(await move('acme', ready, 'confirm', { delegation }))).toMatchObject({
    state: 'active',
    delegation,
  });
});

/** The moves of a delegation, repeated on purpose. */
const MODEL: Readonly<Record<string, readonly [by: string, to: string]>> = {
  ...{ 'proposed accept': ['reseller', 'accepted'], 'proposed reject': ['reseller', 'rejected'] },
  ...{ 'proposed withdraw': ['acme', 'withdrawn'], 'accepted reject': ['reseller', 'rejected'] },
  ...{ 'accepted withdraw': ['acme', 'withdrawn'], 'accepted confirm': ['acme', 'active'] },
  ...{ 'active suspend': ['acme', 'suspended'], 'suspended resume': ['acme', 'active'] },
  ...{ 'active revoke': ['acme', 'revoked'], 'suspended revoke': ['acme', 'revoked'] },
};

test('a confirmation that is sent again gets the same answer', async () => {
  const { world, link } = await linked();
  const agentKey = await newSigner();
  const ready = await accept('reseller', accepted(await propose('acme', link)), agentKey);
  const delegation = await signed(world.holder, ready);
  const confirm = (key: string) =>
    credentials().moveDelegation(asToken('acme', key), 'acme', Number(ready.id), 'confirm', { delegation });
  const first = accepted(await confirm('once'));
  expect(accepted(await confirm('once'))).toEqual(first);
  expect(await confirm('twice')).toMatchObject({
    code: 'DELEGATION_STATE',
    extras: { state: 'active', possible: ['suspend', 'revoke'] },
  });
});

test('the last delegation that there can be has its place in the status list', async () => {
  const { world, link } = await linked();
  const id = STATUS_ENTRIES_MAX - 1;
  await active('acme', world.holder, link, 'reseller', await newSigner());
  await runInDurableObject(credentialsStub(), (_, { storage }) =>
    storage.sql.exec("UPDATE delegations SET id = ?, state = 'revoked'", id),
  );
  const list = new StatusList(2, await credentials().delegationStatuses());
  expect([list.size, list.at(id)]).toEqual([STATUS_ENTRIES_MAX, 'revoked']);
  expect(await propose('acme', link)).toMatchObject({ code: 'CREDENTIALS_TOO_MANY' });
});

test('there are none if nobody could read their status list', async () => {
  for (const PUBLIC_URL of ['', 'https://numgate.example/?a=b', 'ftp://numgate.example']) {
    const proposed = await runInDurableObject(credentialsStub(), (_, state) => {
      const store = new CredentialStore(state, { ...env, PUBLIC_URL } as unknown as ControlEnv);
      return store.proposeDelegation(asToken('acme'), 'acme', proposal('x'.repeat(43)));
    });
    expect(proposed).toMatchObject({
      code: 'NOT_CONFIGURED',
      message: expect.stringContaining('PUBLIC_URL'),
    });
  }
});

test('whoever has a part in what has not ended is counted', async () => {
  const { world, link } = await linked();
  const agentKey = await newSigner();
  const { id } = await active('acme', world.holder, link, 'reseller', agentKey);
  const counts = async () => {
    const [acme, reseller] = await Promise.all(
      ['acme', 'reseller'].map((each) => credentials().openCount(each)),
    );
    return [acme!.certificates, acme!.delegations, reseller!.certificates, reseller!.delegations];
  };
  expect(await counts()).toEqual([1, 1, 0, 1]);
  accepted(await move('acme', { id }, 'revoke'));
  expect(await counts()).toEqual([1, 0, 0, 0]);
});

test('any moves of any organisation leave the state of the model', async () => {
  const { world, link } = await linked();
  const reseller = await newSigner();
  const step = fc.record({
    by: fc.constantFrom('acme', 'reseller', 'other'),
    each: fc.constantFrom(...DELEGATION_MOVES),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      let shown = accepted(await propose('acme', link));
      let state: string = 'proposed';
      for (const { by, each } of steps) {
        const delegation = shown.toSign === undefined ? 'none' : await signed(world.holder, shown);
        const given = {
          ...(each === 'accept' ? { key: reseller.jwk as PublicJwk } : {}),
          ...(each === 'confirm' ? { delegation } : {}),
        };
        const done = await move(by, shown, each, given);
        const [who, to] = MODEL[`${state} ${each}`] ?? [null, null];
        if (by === who) state = to!;
        expect(done.ok).toBe(by === who);
        if (!done.ok) expect(done.code).toBe(by === 'other' ? 'DELEGATION_UNKNOWN' : 'DELEGATION_STATE');
        shown = (await credentials().delegation('acme', Number(shown.id)))!;
        expect(shown.state).toBe(state);
      }
    }),
    { numRuns: 15 },
  );
});
