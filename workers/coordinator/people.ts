/**
 * Finds who can act now: holders of tokens, `root`, and users of Cloudflare Access. A proposer is looked up here by name
 * at approval, so a proposal of a revoked token or a suspended organisation executes nothing.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import { hasEnded } from '../../shared/key-conditions.ts';
import { DEFAULT_ORGANISATION, type Organisation, ROOT_AUTHORITY } from '../../shared/organisations.ts';
import { heldScopes, SCOPES, type Scope, tokenScopes } from '../../shared/roles.ts';
import type { Token } from '../../shared/tokens.ts';
import type { ControlEnv } from '../env.ts';
import type { DocumentStore } from './document-store.ts';

/** The environment variables that decide which people may act. */
export type PeopleEnv = Partial<
  Pick<
    ControlEnv,
    'ROOT_TOKEN_SHA256' | 'ACCESS_AUDIENCE' | 'ACCESS_SCOPES' | 'ACCESS_ORGANISATION' | 'APPROVALS'
  >
>;

const ROOT_NAME = 'token:root';
/** Stands for all users of Access. */
const ACCESS_NAME = 'access:*';

export class People {
  readonly #tokens: DocumentStore<Token>;
  readonly #organisations: DocumentStore<Organisation>;
  readonly #env: PeopleEnv;

  constructor(tokens: DocumentStore<Token>, organisations: DocumentStore<Organisation>, env: PeopleEnv) {
    this.#tokens = tokens;
    this.#organisations = organisations;
    this.#env = env;
  }

  /** The actor of this name with its current scopes; null if the actor may no longer act. */
  find(name: string): Actor | null {
    if (name === ROOT_NAME) return this.#hasRoot ? ROOT_ACTOR : null;
    const [kind, id = ''] = split(name);
    if (kind === 'access') return this.#throughAccess(name);
    const token = this.#tokens.get(id);
    if (kind !== 'token' || token === null || hasEnded(token, Date.now())) return null;
    return this.#member(name, token.organisation, tokenScopes(token));
  }

  #throughAccess(name: string): Actor | null {
    const { ACCESS_AUDIENCE, ACCESS_SCOPES = 'read', ACCESS_ORGANISATION = DEFAULT_ORGANISATION } = this.#env;
    if (ACCESS_AUDIENCE === undefined) return null;
    const given = ACCESS_SCOPES.split(',').map((scope) => scope.trim());
    return this.#member(
      name,
      ACCESS_ORGANISATION,
      SCOPES.filter((scope) => given.includes(scope)),
    );
  }

  #member(name: string, id: string, scopes: readonly Scope[]): Actor | null {
    const organisation = this.#organisations.get(id);
    if (organisation === null || organisation.state === 'suspended') return null;
    const held = heldScopes(scopes, organisation.roles);
    return { name, scopes: held, organisation: id, authority: organisation.authority, root: false };
  }

  get #hasRoot(): boolean {
    return /[0-9a-f]{64}/.test(this.#env.ROOT_TOKEN_SHA256 ?? '');
  }

  /** Names of actors with the scope `approve`, at most two: enough to know whether there is a second person. */
  get approvers(): string[] {
    const names: string[] = [];
    for (const name of [ROOT_NAME, ACCESS_NAME, ...this.#tokens.all.map(({ id }) => `token:${id}`)]) {
      if (this.find(name)?.scopes.includes('approve')) names.push(name);
      if (names.length === 2) break;
    }
    return names;
  }
}

const ROOT_ACTOR: Actor = {
  ...{ name: ROOT_NAME, scopes: SCOPES, root: true },
  ...{ organisation: null, authority: ROOT_AUTHORITY },
};

function split(name: string): string[] {
  const colon = name.indexOf(':');
  return [name.slice(0, colon), name.slice(colon + 1)];
}
