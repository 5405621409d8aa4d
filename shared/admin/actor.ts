/**
 * Who sends a request to the admin API.
 */
import type { Scope } from '../roles.ts';

/** The authenticated caller: a token or a Cloudflare Access identity. */
export interface Actor {
  /**
   * `token:<id>`, `access:<email or service>`, or `numgate` for changes that the coordinator makes itself.
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
  /** Of a token: see `StoredToken`. Absent for all other actors. */
  readonly generation?: number;
}

/** `GET /v1/admin/me`: who sent the request, and what they may change. */
export type MeInfo = Actor;

/**
 * What belongs to the actor alone is stored under this: budgets, answers to repeated requests. A token that was
 * removed and created again has the same name, and is another holder.
 */
export function holderOf({ name, generation = 0 }: Actor): string {
  return generation === 0 ? name : `${name}#${generation}`;
}
