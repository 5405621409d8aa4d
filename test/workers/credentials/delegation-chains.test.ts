/** Chains of delegations with a link that is not in force. Nothing new can rest on them. */
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Status } from '../../../shared/credentials/status-list.ts';
import type { CredentialStore } from '../../../workers/credentials/credential-store.ts';
import { newSigner } from '../../shared/support/credential-world.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asToken, credentials, credentialsStub, nowS, statusList } from '../support/credential-store.ts';
import { accept, active, linked, move, propose, signed } from '../support/delegations.ts';
import { accepted, store } from '../support/registrations.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

const REFUSED = Array(3).fill('DELEGATION_MISMATCH');

/** Owner, reseller and relay in force, and two delegations of the relay on top: one to confirm, and one to resume. */
async function chain() {
  const { world, link } = await linked();
  const [reseller, relay, agent] = await Promise.all([newSigner(), newSigner('EdDSA'), newSigner()]);
  const first = await active('acme', world.holder, link, 'reseller', reseller);
  const second = await active('reseller', reseller, first.digest!, 'relay', relay);
  const suspended = await active('relay', relay, second.digest!, 'agent', agent);
  accepted(await move('relay', suspended, 'suspend'));
  const ready = await accept(
    'agent',
    accepted(await propose('relay', second.digest!, { agent: 'agent' })),
    agent,
  );
  const delegation = await signed(relay, ready);
  return {
    ...{ world, first, second, suspended },
    /** The codes of a proposal, a confirmation and a resumption on top of the chain. */
    codes: async () => {
      const done = [
        await propose('relay', second.digest!, { agent: 'other' }),
        await move('relay', ready, 'confirm', { delegation }),
        await move('relay', suspended, 'resume'),
      ];
      return done.map((each) => (each.ok ? 'ok' : each.code));
    },
    /** Confirms a delegation, and revokes the first link while the signature is verified. */
    confirmLate: () =>
      runInDurableObject(credentialsStub(), async (instance) => {
        const own = instance as CredentialStore;
        const confirming = own.moveDelegation(asToken('relay'), 'relay', Number(ready.id), 'confirm', {
          delegation,
        });
        accepted(await own.moveDelegation(asToken('acme'), 'acme', Number(first.id), 'revoke', {}));
        return confirming;
      }),
  };
}

test('a delegation before that is suspended or revoked refuses what would rest on it', async () => {
  const { first, second, suspended, codes } = await chain();
  for (const [principal, link] of [
    ['acme', first],
    ['reseller', second],
  ] as const) {
    accepted(await move(principal, link, 'suspend'));
    expect(await codes()).toEqual(REFUSED);
    accepted(await move(principal, link, 'resume'));
  }
  // With all links in force, these changes are accepted, so no other rule has refused them.
  accepted(await move('relay', suspended, 'resume'));
  accepted(await move('relay', suspended, 'suspend'));
  accepted(await move('acme', first, 'revoke'));
  expect(await codes()).toEqual(REFUSED);
});

test('so does the certificate that the chain begins with, once its list suspends or revokes it', async () => {
  const { world, codes } = await chain();
  const push = async (status: Status, later: number): Promise<void> => {
    const list = await statusList(world.issuer, { 1: status }, { iat: nowS() + later });
    accepted(await credentials().pushStatusList(asToken(), list));
    // A test must not end while its objects still work.
    const state = status === 'valid' ? 'approved' : 'suspended';
    await vi.waitFor(async () => expect((await store().get(1))!.state).toBe(state), HANG_MS);
  };
  for (const [later, status] of (['suspended', 'revoked'] as const).entries()) {
    await push(status, later);
    expect(await codes()).toEqual(REFUSED);
  }
  await push('valid', 2);
  expect(await codes()).toEqual(['ok', 'ok', 'ok']);
});

test('a link that is revoked while a confirmation is verified refuses it', async () => {
  const { confirmLate } = await chain();
  expect(await confirmLate()).toMatchObject({ code: 'DELEGATION_MISMATCH' });
});
