/** Delegations of the real credential store: proposed, accepted and confirmed by organisations of the tests. */
import type { DelegationInfo, ProposedDelegation } from '../../../shared/admin/credentials.ts';
import { DELEGATION_TYPE } from '../../../shared/credentials/claims.ts';
import type { DelegationMove } from '../../../shared/credentials/delegation-states.ts';
import type { PublicJwk } from '../../../shared/credentials/keys.ts';
import { type Signer, sign } from '../../shared/support/credential-world.ts';
import { asToken, type CredentialWorld, credentials, credentialWorld, uploaded } from './credential-store.ts';
import { accepted } from './registrations.ts';

export const DAY_MS = 86_400_000;

export function proposal(link: string, rest: Partial<ProposedDelegation> = {}): ProposedDelegation {
  return {
    ...{ agent: 'reseller', link, numbers: ['+8215880001'], scope: ['sms'] },
    expires: new Date(Date.now() + DAY_MS).toISOString(),
    ...rest,
  };
}

export const propose = (principal: string, link: string, rest: Partial<ProposedDelegation> = {}) =>
  credentials().proposeDelegation(asToken(principal), principal, proposal(link, rest));

export const move = (
  organisation: string,
  { id }: Pick<DelegationInfo, 'id'>,
  each: DelegationMove,
  given: { key?: PublicJwk; delegation?: string } = {},
) => credentials().moveDelegation(asToken(organisation), organisation, Number(id), each, given);

export const accept = async (agent: string, delegation: DelegationInfo, key: Signer) =>
  accepted(await move(agent, delegation, 'accept', { key: key.jwk as PublicJwk }));

/** What the principal signs to confirm it. @param some other claims */
export const signed = (principal: Signer, { toSign }: DelegationInfo, some: object = {}) =>
  sign(principal, DELEGATION_TYPE, { ...toSign!.claims, ...some }, toSign!.header);

/** Proposed, accepted and confirmed. */
export async function active(
  principal: string,
  key: Signer,
  link: string,
  agent: string,
  agentKey: Signer,
): Promise<DelegationInfo> {
  const proposed = accepted(await propose(principal, link, { agent }));
  const ready = await accept(agent, proposed, agentKey);
  return accepted(await move(principal, ready, 'confirm', { delegation: await signed(key, ready) }));
}

/** The digest of a certificate of acme, which delegations can rest on. */
export async function linked(): Promise<{ readonly world: CredentialWorld; readonly link: string }> {
  const world = await credentialWorld();
  return { world, link: (await uploaded(world, 1)).digest };
}
