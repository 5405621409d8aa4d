/** People of an installation in which changes wait: tokens of two organisations, and their changes. */
import type { Actor } from '../../../shared/admin/actor.ts';
import type { EntryChange } from '../../../shared/admin/entries.ts';
import { bareOrganisation, type Organisation } from '../../../shared/organisations.ts';
import type { Approvals, Proposal } from '../../../shared/proposals.ts';
import { SCOPES, type Scope, scopesOf } from '../../../shared/roles.ts';
import type { ChangeRequest, ChangeResult } from '../../../workers/coordinator/change-request.ts';
import { coordinator, unwrap } from './coordinator.ts';
import { ANY, change } from './room.ts';

const REGULATOR: readonly Scope[] = ['read', 'entries', 'releases', 'policy', 'override', 'approve'];

/** Tokens of the association. `erin` may not approve. */
export const [ALICE, BOB] = [actor('alice'), actor('bob')];
/** A token of the regulator. */
export const CAROL = actor('carol', 'kisa');
export const ERIN = actor('erin', 'ktoa', ['read', 'entries', 'override']);
export const ROOT: Actor = {
  ...{ name: 'token:root', scopes: SCOPES, root: true },
  ...{ organisation: null, authority: 'root' },
};

function actor(
  id: string,
  organisation = 'ktoa',
  scopes: readonly Scope[] = organisation === 'kisa' ? REGULATOR : scopesOf(['association']),
): Actor {
  return { name: `token:${id}`, scopes, organisation, authority: organisation, root: false };
}

/** A request. Each one is new, unless a key repeats it. */
export function by(author: Actor, more: Partial<ChangeRequest> = {}): ChangeRequest {
  return { actor: author, reason: 'test', repeat: null, ...more };
}

export function putToken({ name, scopes, organisation }: Actor, author = ROOT, secret = '0') {
  const id = name.replace('token:', '');
  const token = { id, role: null, scopes: [...scopes], organisation: organisation! };
  return coordinator().putToken(by(author), id, { ...token, secretSha256: [secret.repeat(64)] }, ANY);
}

export function putOrganisation(id: string, settings: Partial<Organisation> = {}, author = ROOT) {
  const organisation = { ...bareOrganisation(id), ...ORGANISATIONS[id], ...settings };
  return coordinator().putOrganisation(by(author), id, organisation, ANY);
}

const ORGANISATIONS: Readonly<Record<string, Partial<Organisation>>> = {
  ktoa: { authority: 'ktoa', roles: ['association'] },
  kisa: { authority: 'kisa', roles: ['regulator'] },
};

/** Adds all people, then makes these kinds wait. */
export async function settle(kinds: Approvals['kinds'], waitSeconds = 3_600): Promise<void> {
  for (const id of Object.keys(ORGANISATIONS)) unwrap(await putOrganisation(id));
  for (const each of [ALICE, BOB, CAROL, ERIN]) unwrap(await putToken(each));
  unwrap(await coordinator().putApprovals(by(ROOT), { kinds, waitSeconds }));
}

/** The proposal of a change that must wait. */
export function waiting(result: ChangeResult<unknown>): Proposal {
  if (result.ok || result.code !== 'APPROVAL_PENDING')
    throw new Error(`it does not wait: ${JSON.stringify(result)}`);
  return result.proposal;
}

/** Changes the policy. Each label makes a different change. */
export async function putPolicy(author: Actor, label: string, more: Partial<ChangeRequest> = {}) {
  const { policy } = await coordinator().policy();
  return coordinator().putPolicy(by(author, more), { ...policy, label }, ANY);
}

export const labelNow = async (): Promise<string> => (await coordinator().policy()).policy.label;

export function approve(author: Actor, { id, sha256 }: Pick<Proposal, 'id' | 'sha256'>) {
  return coordinator().approve(by(author, { reason: 'reviewed' }), id, sha256);
}

export function reject(author: Actor, { id }: Pick<Proposal, 'id'>) {
  return coordinator().reject(by(author, { reason: 'not now' }), id);
}

export const stateOf = async ({ id }: Pick<Proposal, 'id'>) => (await coordinator().proposal(id))?.state;

/** A change that acts for an authority. */
export function actFor(
  author: Actor,
  authority: string,
  op: 'block' | 'unblock' = 'unblock',
  more: Partial<ChangeRequest & EntryChange> = {},
) {
  const { items = change(op).items, overrides = [], ...request } = more;
  const body = { ...change(op), items, overrides, overrideAuthorities: [authority] };
  return coordinator().changeEntries(by(author, request), body);
}
