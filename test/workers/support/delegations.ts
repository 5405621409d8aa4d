/** Delegations of the real credential store, which organisations of the tests propose, accept and confirm. */
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

/** Signs a confirmation as the principal. @param some other claims */
export const signed = (principal: Signer, { toSign }: DelegationInfo, some: object = {}) =>
  sign(principal, DELEGATION_TYPE, { ...toSign!.claims, ...some }, toSign!.header);

/** Proposes, accepts and confirms a delegation. */
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

/** The digest of a certificate of acme that delegations can rest on. */
export async function linked(): Promise<{ readonly world: CredentialWorld; readonly link: string }> {
  const world = await credentialWorld();
  return { world, link: (await uploaded(world, 1)).digest };
}
