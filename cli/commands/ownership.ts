/**
 * Finds whose lists a push changes, and whether the token and the signing key may change them. This check runs before the
 * upload. The coordinator decides by the same comparison at the promotion (workers/coordinator/ownership.ts).
 */
import type { MeInfo } from '../../shared/admin/actor.ts';
import { type Organisation, ROOT_AUTHORITY } from '../../shared/organisations.ts';
import { changedAuthorities } from '../../shared/release/authorities.ts';
import type { ListInfo, Manifest } from '../../shared/release/manifest.ts';
import type { Plan } from '../../shared/release/plan.ts';
import { ANY_OWNER, type SignedText, signerOf } from '../../shared/release/signed.ts';
import { type Failure, fail } from '../../shared/result.ts';
import type { Scope } from '../../shared/roles.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure, hasCode, orNull } from '../failure.ts';
import { publicKeys } from '../secrets.ts';
import { visible } from '../terminal/visible.ts';
import { allEntries } from './entries.ts';

/** Maximum number of lists of an authority that a message names. */
const LISTS_NAMED_MAX = 5;

export interface Ownership {
  /** Authorities whose lists the token may change only if the push names them. */
  readonly foreign: readonly string[];
  /** The lists that the push changes, by authority. Empty for an authority if the push only folds in live entries. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** The identity behind the token. Null if the service is too old to say. */
  readonly me: MeInfo | null;
  /** Why the signing key may not change the lists, whichever token pushes. Null if it may. */
  readonly signer: Failure | null;
}

interface Compared {
  readonly base: Manifest | null;
  readonly next: Manifest;
  readonly plan: Plan;
  /** The manifest of `next` as it was signed. */
  readonly signed: SignedText;
}

export async function ownershipOf(compared: Compared, admin: Admin): Promise<Ownership> {
  const me = await identityOf(admin);
  const owner = (await signerOf(compared.signed, await publicKeys()))?.owner ?? ANY_OWNER;
  const isBound = me !== null && me.organisation !== null;
  if (!isBound && owner === ANY_OWNER) return { foreign: [], lists: new Map(), me, signer: null };
  const { base, next, plan } = compared;
  const changed = new Set([
    ...changedAuthorities(base, next, plan),
    ...(await foldedBetween(base, next, admin)),
  ]);
  const lists = new Map([...changed].sort().map((name) => [name, changedLists(name, compared)] as const));
  return {
    foreign: isBound ? [...lists.keys()].filter((name) => name !== me.authority) : [],
    lists,
    me,
    signer: owner === ANY_OWNER ? null : await signerRefusal(owner, lists, admin),
  };
}

/** The identity behind the token; null if the service is too old to say. */
export function identityOf(admin: Admin): Promise<MeInfo | null> {
  return orNull(admin.get<MeInfo>('me'));
}

/** Authorities with live entries that only one of the releases has folded in. */
async function foldedBetween(base: Manifest | null, next: Manifest, admin: Admin): Promise<string[]> {
  const [from, to] = [base?.foldedSeq ?? 0, next.foldedSeq].sort((a, b) => a - b);
  if (from === to) return [];
  const { entries } = await allEntries(admin);
  return entries.filter(({ seq }) => seq > from! && seq <= to!).map(({ authority }) => authority);
}

function changedLists(authority: string, { base, next, plan }: Compared): string[] {
  const infoIn = (manifest: Manifest | null, wanted: string): ListInfo | undefined =>
    manifest?.lists.find((list) => list.name === wanted && list.authority === authority);
  const names = new Set(
    [...(base?.lists ?? []), ...next.lists].flatMap((list) =>
      list.authority === authority ? [list.name] : [],
    ),
  );
  const isSame = JSON.stringify(base?.registrations) === JSON.stringify(next.registrations);
  const senders = authority === ROOT_AUTHORITY && !isSame ? ['registered senders'] : [];
  const changed = [...names].filter((name) => {
    const change = plan.lists.find((each) => each.name === name);
    const kinds = change === undefined ? [] : [change.numbers, change.dated, change.ranges, change.sources];
    const hasOther = kinds.some(({ added, removed, changed }) => added + removed + changed > 0);
    return hasOther || JSON.stringify(infoIn(base, name)) !== JSON.stringify(infoIn(next, name));
  });
  return [...changed, ...senders];
}

/** An organisation that is unknown, suspended or without an authority is refused before the upload anyway. */
async function signerRefusal(
  owner: string,
  lists: Ownership['lists'],
  admin: Admin,
): Promise<Failure | null> {
  const organisation = await admin.get<Organisation>(`organisations/${owner}`).catch((error: unknown) => {
    if (hasCode(error, 'ORGANISATION_UNKNOWN')) return null;
    throw error;
  });
  const authority = organisation?.authority ?? null;
  if (authority === null) return null;
  const foreign = [...lists.keys()].filter((name) => name !== authority);
  if (foreign.length === 0) return null;
  const message = `it changes lists of ${formatOwners(foreign, lists)}, but the key that signed it may change only the lists`;
  return fail(
    'SIGNER_FOREIGN',
    `${message} of "${authority}": build with --authority ${authority}, or sign it with a key of the installation`,
  );
}

/** Whether the token has a scope. True if the service is too old to say. */
export function mayUse({ me }: Ownership, scope: Scope): boolean {
  return me === null || me.scopes.includes(scope);
}

/** The failure with which the coordinator would refuse the promotion. @param named authorities that the push acts for */
export function checkForeign(ownership: Ownership, named: readonly string[]): CommandFailure | null {
  const { foreign, lists, me } = ownership;
  const own = me?.authority ?? null;
  const others = foreign.filter((name) => !named.includes(name));
  if (others.length === 0) return null;
  const build = own === null ? 'your organisation has no authority' : `build with --authority ${own}`;
  const override = others.map((name) => `--override-authority ${visible(name)}`).join(' ');
  const remedy = mayUse(ownership, 'override')
    ? `${build}, or to act for ${others.length === 1 ? 'it' : 'them'}: ${override} --reason "…"`
    : build;
  const owners = formatOwners(others, lists);
  return new CommandFailure(
    `AUTHORITY_FOREIGN: the release changes lists of ${owners}, which your token may not change: ${remedy}`,
    1,
    { code: 'AUTHORITY_FOREIGN', authorities: others },
  );
}

/** `"ktoa" (kr-suspended), "acme" (live entries)` */
function formatOwners(authorities: readonly string[], lists: Ownership['lists']): string {
  return authorities
    .map((name) => {
      const all = lists.get(name) ?? [];
      const more = all.length > LISTS_NAMED_MAX ? [`${all.length - LISTS_NAMED_MAX} more`] : [];
      const some = [...all.slice(0, LISTS_NAMED_MAX), ...more];
      return `"${name}" (${some.length === 0 ? 'live entries' : some.join(', ')})`;
    })
    .join(', ');
}
