/**
 * Decides whose lists and entries an actor may change: those of its organisation's authority. The token `root` and
 * the service itself belong to no organisation and may change all. A request of a token with the scope `override`
 * names the other authorities that it acts for.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import { ROOT_AUTHORITY, SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { authoritiesIn, changedAuthorities } from '../../shared/release/authorities.ts';
import type { Manifest } from '../../shared/release/manifest.ts';
import type { Plan } from '../../shared/release/plan.ts';
import { ANY_OWNER } from '../../shared/release/signed.ts';
import { ok } from '../../shared/result.ts';
import { type ChangeRequest, type CheckResult, type Refusal, refuse, refuseField } from './change-request.ts';
import { refused } from './promotion.ts';
import type { Tables } from './tables.ts';

/** The field of a request that names other authorities. */
const FIELD = 'overrideAuthorities';

/** The other authorities that a request names. */
interface Overriding {
  readonly overrideAuthorities?: readonly string[] | undefined;
}

/** Returns a predicate: whether the actor may not act for an authority. */
export function foreignTo(
  { organisation, authority }: Actor,
  { overrideAuthorities = [] }: Overriding,
): (other: string) => boolean {
  return (other) => organisation !== null && other !== authority && !overrideAuthorities.includes(other);
}

/**
 * Whether a change acts for other authorities: it names them, or `root`, which need not name them, changes what they own.
 * @param authorities authorities whose lists or entries the change affects
 */
export function actsForOthers(
  { actor }: Pick<ChangeRequest, 'actor'>,
  { overrideAuthorities = [] }: Overriding,
  authorities: readonly string[],
): boolean {
  return (
    overrideAuthorities.length > 0 || (actor.root && authorities.some((name) => name !== ROOT_AUTHORITY))
  );
}

/**
 * The authorities whose lists or live entries a release changes if it becomes current.
 * @param plan changes from the current release
 */
export function authoritiesChangedBy(next: Manifest, plan: Plan, { releases, live }: Tables): string[] {
  const base = releases.current?.manifest ?? null;
  // The live layer drops folded entries, and entries that are no longer folded count again. So a release must neither
  // leave out live entries of others nor revive entries that their lists replace.
  const [from, to] = [base?.foldedSeq ?? 0, next.foldedSeq].sort((a, b) => a - b);
  const folded = live.authorities(from!, to!);
  return [...new Set([...changedAuthorities(base, next, plan), ...folded])].sort();
}

/** @param what start of the message, such as "the release changes lists" @param authorities owners of the lists */
export function checkOwned(
  { actor }: ChangeRequest,
  overriding: Overriding,
  authorities: readonly string[],
  what: string,
): CheckResult {
  const foreign = authorities.filter(foreignTo(actor, overriding));
  return foreign.length === 0 ? ok(undefined) : refuseForeign(what, foreign);
}

/** @param what as for `checkOwned` @param authorities authorities that the actor may not act for */
export function refuseForeign(
  what: string,
  authorities: readonly string[],
  extras: Refusal['extras'] = {},
): Refusal {
  const names = authorities.map((name) => `"${name}"`).join(', ');
  const rules = authorities.includes(SYSTEM_AUTHORITY)
    ? 'lift blocks of rules with npx numgate rule-blocks; '
    : '';
  const remedy = `${rules}root may change them, or a token with the scope "override" that names the authorities in "${FIELD}"`;
  return refuse(
    'AUTHORITY_FOREIGN',
    `${what} of ${names}, which your organisation may not change: ${remedy}`,
    {
      extras: { ...extras, authorities },
    },
  );
}

/**
 * Whether the organisation that signed a release may change the lists of these authorities. A build machine holds
 * the key, so the check of a token cannot replace this check.
 * @param owner owner of the key: see RELEASE_PUBLIC_KEYS
 * @returns the authority that the key is bound to; empty for a key of the installation
 */
export function checkSigner(
  owner: string,
  authorities: readonly string[],
  { organisations }: Tables,
): CheckResult<string[]> {
  if (owner === ANY_OWNER) return ok([]);
  const organisation = organisations.get(owner);
  if (organisation === null) {
    const remedy = `add it with npx numgate organisations add ${owner}`;
    return refused(
      'SIGNER_UNKNOWN',
      `its key belongs to the organisation "${owner}", which does not exist: ${remedy}`,
    );
  }
  const { authority, state } = organisation;
  if (state === 'suspended') return refused('SIGNER_SUSPENDED', `the organisation "${owner}" is suspended`);
  if (authority === null) {
    const remedy = `set one with npx numgate organisations set ${owner} --authority <name>`;
    return refused('SIGNER_UNKNOWN', `the organisation "${owner}" has no authority: ${remedy}`);
  }
  const foreign = authorities.filter((name) => name !== authority);
  if (foreign.length === 0) return ok([authority]);
  const names = foreign.map((name) => `"${name}"`).join(', ');
  const what = foreign.includes(ROOT_AUTHORITY) ? 'lists or registered senders' : 'lists';
  const message = `it changes ${what} of ${names}, but the key that signed it may change only those of "${authority}"`;
  return refused(
    'SIGNER_FOREIGN',
    `${message}: build on the current release, and leave the lists of other authorities unchanged`,
  );
}

/** Refuses an authority that no organisation, list or live entry has, because it is most likely a typing error. */
export function checkOverridden(
  { overrideAuthorities = [] }: Overriding,
  { organisations, releases, live }: Tables,
  manifest: Manifest | null = null,
): CheckResult {
  if (overrideAuthorities.length === 0) return ok(undefined);
  const { current, candidate } = releases;
  const known = new Set([
    ROOT_AUTHORITY,
    SYSTEM_AUTHORITY,
    ...organisations.all.map(({ authority }) => authority),
    ...authoritiesIn(current?.manifest ?? null, candidate?.manifest ?? null, manifest),
    ...live.authorities(0, Number.MAX_SAFE_INTEGER),
  ]);
  const index = overrideAuthorities.findIndex((name) => !known.has(name));
  if (index < 0) return ok(undefined);
  const remedy = 'see npx numgate organisations list, and the lists of the release';
  return refuseField(`${FIELD}.${index}`, `is not the authority of any organisation or list: ${remedy}`);
}
