/**
 * Admin tokens, which permit changes. A token has the scopes of a role, or its own set of scopes.
 */
import * as v from 'valibot';
import { keyConditionEntries } from './key-conditions.ts';
import { DEFAULT_ORGANISATION } from './organisations.ts';
import { ROLE_SCOPES, ROLES, SCOPES } from './roles.ts';
import { keySecretsSchema, nameSchema } from './schemas.ts';

/** A token in a PUT request. If it has a role, the scopes are those of the role. */
export const tokenSchema = v.pipe(
  v.strictObject({
    id: nameSchema,
    secretSha256: keySecretsSchema,
    ...keyConditionEntries,
    role: v.optional(v.nullable(v.picklist(ROLES)), null),
    scopes: v.optional(v.pipe(v.array(v.picklist(SCOPES)), v.minLength(1), v.maxLength(SCOPES.length))),
    /** The organisation that the token belongs to. The token acts for the authority of this organisation. */
    organisation: v.optional(nameSchema, DEFAULT_ORGANISATION),
    /** The authority of the organisation. It is not stored. A request that names another authority is rejected. */
    authority: v.optional(v.nullable(nameSchema)),
  }),
  v.forward(
    v.check(({ role, scopes }) => role !== null || scopes !== undefined, 'or "role" must be set'),
    ['scopes'],
  ),
  v.forward(
    v.check(
      ({ role, scopes }) => role === null || scopes === undefined || haveSame(scopes, ROLE_SCOPES[role]),
      'contradict "role": leave one of them out',
    ),
    ['scopes'],
  ),
  v.transform(({ role, scopes, ...token }) => ({
    ...{ ...token, role },
    scopes: role === null ? scopes! : [...ROLE_SCOPES[role]],
  })),
);
export type Token = Omit<v.InferOutput<typeof tokenSchema>, 'authority'>;

function haveSame(some: readonly string[], others: readonly string[]): boolean {
  return [...new Set(some)].sort().join() === [...others].sort().join();
}

/** A token in a response. */
export interface ListedToken extends Token {
  readonly authority: string | null;
  /** Start of the hour in which the token was last used; null if it was never used. Older services omit it. */
  readonly lastUsedAt?: string | null;
  /** Value for `If-Match`. */
  readonly version: string;
}
