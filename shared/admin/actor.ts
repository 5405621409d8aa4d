/**
 * The caller of the admin API.
 */
import type { Scope } from '../roles.ts';

/** The authenticated caller: a token or a Cloudflare Access identity. */
export interface Actor {
  /**
   * `token:<id>`, `access:<email or service>`, or `numgate` for the coordinator's own changes.
   */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The organisation of a token or of Access identities; null for `root` and for the service itself. */
  readonly organisation: string | null;
  /**
   * The authority of that organisation. It appears in the reasons of entries that the actor creates. Null if the
   * organisation vouches for no lists: its tokens create no entries.
   */
  readonly authority: string | null;
  /** Whether the actor may create and revoke tokens. */
  readonly root: boolean;
  /** Generation of a token: see `StoredToken`. Absent for all other actors. */
  readonly generation?: number;
}

/** `GET /v1/admin/me`: the caller and its scopes. */
export type MeInfo = Actor;

/**
 * Returns the key under which the actor's private state is stored: budgets, and answers to repeated requests. A token
 * that was removed and created again has the same name, but another key.
 */
export function holderOf({ name, generation = 0 }: Actor): string {
  return generation === 0 ? name : `${name}#${generation}`;
}
