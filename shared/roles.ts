/**
 * Scopes of admin tokens, and the roles that stand for sets of scopes. To add a scope, add it to SCOPES and to each
 * role that gets it.
 */

/**
 * What a token may do. `read` covers everything except secrets. `guards` also overrides guards. `override`, `statistics`
 * and `breakGlass` open no route: `override` acts for other authorities in the routes of other scopes, `statistics`
 * shows the usage of other organisations, and `breakGlass` makes a change at once that would otherwise wait for approval.
 * `approve` decides on the proposals of others. `registrations` covers the registered senders of the token's own
 * organisation. `review` sees and decides on the registrations of all other organisations. `qualification` sets the
 * qualifications of other organisations. `issuers` decides who may sign certificates. `credentials` sees issuers, and
 * pushes status lists. `rules` decides when reports become a block. `reports` decides on these blocks, and withdraws the
 * reports of a partner. `appeals` sees and decides on appeals against the blocks of the token's own authority, and with
 * `override` on all appeals. `notices` manages the webhooks of the token's own organisation, and sees its notices.
 * `evidence` makes evidence files about one sender. `text` pushes and promotes text releases, and decides on campaigns.
 * `metrics` reads `/metrics`, and nothing else.
 */
export const SCOPES = [
  'read',
  'entries',
  'releases',
  'guards',
  'policy',
  'clients',
  'override',
  'statistics',
  'approve',
  'breakGlass',
  'registrations',
  'review',
  'qualification',
  'issuers',
  'credentials',
  'rules',
  'reports',
  'appeals',
  'notices',
  'evidence',
  'text',
  'metrics',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Fields of a change that need an extra scope, if they are true or not empty. */
export const FIELD_SCOPES = {
  overrides: 'guards',
  overrideAuthorities: 'override',
  breakGlass: 'breakGlass',
} as const;

export const ROLES = ['regulator', 'association', 'operator', 'relay', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** The scopes of a token with a role. docs/operations.md describes each role. */
export const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  regulator: [
    'read',
    'entries',
    'releases',
    'policy',
    'override',
    'statistics',
    'approve',
    'review',
    'qualification',
    'credentials',
    'rules',
    'reports',
    'appeals',
    'notices',
    'evidence',
    'text',
  ],
  association: [
    ...(['read', 'entries', 'releases', 'guards', 'policy', 'clients'] as const),
    ...([
      'override',
      'statistics',
      'approve',
      'breakGlass',
      'review',
      'issuers',
      'credentials',
      'rules',
      'reports',
      'appeals',
      'notices',
      'evidence',
      'text',
      'metrics',
    ] as const),
  ],
  operator: ['read', 'entries', 'releases', 'review', 'credentials', 'appeals', 'notices'],
  // A relay sends checks with its client keys. Everything that `read` shows belongs to others.
  relay: ['registrations', 'notices'],
  auditor: ['read', 'statistics', 'evidence'],
};

/** Returns the scopes that tokens of an organisation with these roles may have. */
export function scopesOf(roles: readonly Role[]): Scope[] {
  return SCOPES.filter((scope) => roles.some((role) => ROLE_SCOPES[role].includes(scope)));
}

/** Returns the scopes of a token that the roles of its organisation allow. */
export function heldScopes(scopes: readonly Scope[], roles: readonly Role[]): Scope[] {
  const allowed = scopesOf(roles);
  return scopes.filter((scope) => allowed.includes(scope));
}

/** Returns the scopes of a token. For a token with a role, these are the role's current scopes, not the stored ones. */
export function tokenScopes({
  role,
  scopes,
}: {
  readonly role: Role | null;
  readonly scopes: readonly Scope[];
}): readonly Scope[] {
  return role === null ? scopes : ROLE_SCOPES[role];
}
