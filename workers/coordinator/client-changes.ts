/**
 * Changes of organisations, clients and admin tokens.
 */

import type { Client, DirectoryContent } from '../../shared/clients.ts';
import type { KeyConditions } from '../../shared/key-conditions.ts';
import { CLIENTS_MAX, ORGANISATIONS_MAX, TOKENS_MAX } from '../../shared/limits/control.ts';
import { DEFAULT_ORGANISATION, type Organisation } from '../../shared/organisations.ts';
import { ok } from '../../shared/result.ts';
import { scopesOf, tokenScopes } from '../../shared/roles.ts';
import type { ListedToken, Token } from '../../shared/tokens.ts';
import { checkPrecondition, type Precondition, versionOf } from '../storage/precondition.ts';
import type { BackgroundWork } from './background-work.ts';
import {
  type AppliedChange,
  applied,
  type ChangeRequest,
  type ChangeResult,
  refuse,
  refuseField,
} from './change-request.ts';
import {
  checkClient,
  checkFeedAccess,
  checkPartner,
  checkUnique,
  decidesOnReports,
  decidesOnTokens,
  noOrganisation,
  unknownOrganisation,
} from './organisation-checks.ts';
import { counted, FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import type { ValueStore } from './value-store.ts';

/** A change of the client directory: checked, and not applied yet. */
export interface DirectoryChange {
  /** The directory that the edge gets after the change. */
  readonly content: DirectoryContent;
  /** Runs in the transaction. Repeats the checks that a change of tokens in the meantime may affect. */
  readonly apply: () => ChangeResult<AppliedChange<object>>;
}

export class ClientChanges {
  readonly #tables: Tables;
  readonly #values: ValueStore;
  readonly #background: BackgroundWork;
  /** Owners of the signing keys. */
  readonly #signers: readonly string[];
  /** These changes are made one at a time, because each writes the directory to KV first. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(tables: Tables, values: ValueStore, background: BackgroundWork, signers: readonly string[]) {
    this.#tables = tables;
    this.#values = values;
    this.#background = background;
    this.#signers = signers;
  }

  /** @param client null to remove it */
  putClient(
    request: ChangeRequest,
    id: string,
    client: Client | null,
    condition: Precondition,
  ): Promise<ChangeResult<{ seq: number }>> {
    return this.changeDirectory(request, () => {
      const { clients, organisations } = this.#tables;
      const before = clients.get(id);
      if (client === null && before === null)
        return refuse('CLIENT_UNKNOWN', 'there is no client with this id');
      const allowed = checkPrecondition(condition, before);
      if (!allowed.ok) return allowed;
      const member = client === null ? ok(undefined) : checkClient(client, organisations);
      if (!member.ok) return member;
      // The client's registrations were approved either as mock or for real traffic. Older stored clients lack `mock`.
      if (client !== null && before !== null && client.mock !== (before.mock ?? false)) {
        return refuseField('client.mock', 'cannot be changed: create another client');
      }
      const access = client === null ? ok(undefined) : checkFeedAccess(client, before);
      if (!access.ok) return access;
      const ends = checkEnd('client.expires', client, before);
      if (!ends.ok) return ends;
      const next = replaced(clients.all, id, client);
      if (next.length > CLIENTS_MAX) {
        return refuse('CLIENTS_TOO_MANY', `there are already ${CLIENTS_MAX} clients: remove one first`);
      }
      const content = this.#tables.directoryContent({ clients: next });
      return ok({ content, apply: () => applied({}, [clients.put(id, client)]) });
    });
  }

  /** A suspended organisation's clients leave the directory. @param organisation null to remove it */
  putOrganisation(
    request: ChangeRequest,
    id: string,
    organisation: Organisation | null,
    condition: Precondition,
  ): Promise<ChangeResult<{ seq: number }>> {
    return this.changeDirectory(request, () => {
      const { organisations, qualifications } = this.#tables;
      const before = organisations.get(id);
      if (organisation === null && before === null) return noOrganisation();
      const allowed = checkPrecondition(condition, before);
      if (!allowed.ok) return allowed;
      const next = replaced(organisations.all, id, organisation);
      if (next.length > ORGANISATIONS_MAX) {
        const message = `there are already ${ORGANISATIONS_MAX} organisations: remove one first`;
        return refuse('ORGANISATIONS_TOO_MANY', message);
      }
      const unique = organisation === null ? ok(undefined) : checkUnique(organisation, next);
      if (!unique.ok) return unique;
      const partner = organisation === null ? ok(undefined) : checkPartner(before, organisation);
      if (!partner.ok) return partner;
      const rest = qualifications.all.filter((other) => organisation !== null || other.organisation !== id);
      const apply = (): ChangeResult<AppliedChange<object>> => {
        const removable = organisation === null ? this.#checkRemovable(id) : ok(undefined);
        if (!removable.ok) return removable;
        const isQualified = organisation === null && qualifications.get(id) !== null;
        const removed = isQualified ? [qualifications.put(id, null)] : [];
        return applied({}, [organisations.put(id, organisation), ...removed], {
          kinds: [
            ...(decidesOnTokens(before, organisation) ? (['tokens'] as const) : []),
            ...(decidesOnReports(before, organisation) ? (['rules'] as const) : []),
          ],
          command: { name: 'putOrganisation', id, organisation, condition },
          revert: null,
        });
      };
      const content = this.#tables.directoryContent({ organisations: next, qualifications: rest });
      return ok({ content, apply });
    });
  }

  #checkRemovable(id: string): ChangeResult<void> {
    if (id === DEFAULT_ORGANISATION) {
      return refuse(
        'ORGANISATION_IN_USE',
        `"${id}" cannot be removed: clients and tokens belong to it by default`,
      );
    }
    // Its reports are kept under its ID, which another organisation could get next.
    if ((this.#tables.organisations.get(id)?.partner ?? null) !== null) {
      return refuse(
        'ORGANISATION_IN_USE',
        `"${id}" is a partner, and its reports are kept: suspend it instead`,
      );
    }
    const isMember = ({ organisation }: Client | Token): boolean => organisation === id;
    const members = [
      [this.#tables.clients.all.filter(isMember).length, 'clients'],
      [this.#tables.tokens.all.filter(isMember).length, 'tokens'],
      [this.#signers.filter((owner) => owner === id).length, 'keys in RELEASE_PUBLIC_KEYS'],
    ] as const;
    const held = members.filter(([count]) => count > 0).map(([count, kind]) => `${count} ${kind}`);
    if (held.length === 0) return ok(undefined);
    return refuse('ORGANISATION_IN_USE', `"${id}" has ${held.join(', ')}: remove or move them first`);
  }

  /**
   * Writes the changed directory to KV, then applies the change.
   * @param prepare runs when it is this change's turn
   */
  changeDirectory(
    request: ChangeRequest,
    prepare: () => ChangeResult<DirectoryChange>,
  ): Promise<ChangeResult<{ seq: number }>> {
    return this.inTurn(async (): Promise<ChangeResult<{ seq: number }>> => {
      const { ledger } = this.#tables;
      const known = ledger.begin<{ seq: number }>(request, FREEING_CHANGE);
      if (known !== null) return known;
      const prepared = prepare();
      if (!prepared.ok) return prepared;
      const { content, apply } = prepared.value;
      const directory = await this.#values.directoryOf(content);
      const done = await this.#values.publish([directory], () =>
        ledger.change(request, counted(FREEING_CHANGE), () => {
          this.#values.setDirectory(directory);
          return apply();
        }),
      );
      if (done.ok) this.#background.changed();
      return done;
    });
  }

  /** Runs work while no change of clients is in progress. */
  inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * @param token null to remove it
   * @param authority authority that the request names; undefined if it names none
   */
  putToken(
    request: ChangeRequest,
    id: string,
    token: Token | null,
    condition: Precondition,
    authority?: string | null,
  ): ChangeResult<{ id: string }> {
    const { ledger, tokens, tokenHolders } = this.#tables;
    return ledger.transact(request, FREEING_CHANGE, (operation) => {
      const before = tokens.get(id);
      const allowed = checkPrecondition(condition, before);
      if (!allowed.ok) return allowed;
      if (token === null && before === null) return refuse('TOKEN_UNKNOWN', 'there is no token with this id');
      const checked = token === null ? ok(undefined) : this.#checkToken(token, authority);
      if (!checked.ok) return checked;
      const ends = checkEnd('token.expires', token, before);
      if (!ends.ok) return ends;
      if (token === null) tokenHolders.remove(id);
      else if (before === null) tokenHolders.add(id, operation);
      const audit = tokens.put(id, token);
      if (tokens.count > TOKENS_MAX) {
        return refuse('CLIENTS_TOO_MANY', `there are already ${TOKENS_MAX} tokens: remove one first`);
      }
      if (token === null) return applied({ id }, [audit]);
      return applied({ id }, [audit], {
        kinds: ['tokens'],
        command: {
          ...{ name: 'putToken', id, token, condition },
          ...(authority === undefined ? {} : { authority }),
        },
        revert: null,
      });
    });
  }

  #checkToken(
    { organisation: id, role, scopes }: Token,
    authority: string | null | undefined,
  ): ChangeResult<void> {
    const organisation = this.#tables.organisations.get(id);
    if (organisation === null) return refuseField('token.organisation', unknownOrganisation(id));
    const roles = organisation.roles.length === 0 ? 'no roles' : `the roles ${organisation.roles.join(', ')}`;
    const remedy = `"${id}" has ${roles}: choose one of its roles, or add a role with npx numgate organisations set ${id}`;
    if (role !== null && !organisation.roles.includes(role)) {
      return refuseField('token.role', `must be a role of the organisation: ${remedy}`);
    }
    const allowed = scopesOf(organisation.roles);
    if (!scopes.every((scope) => allowed.includes(scope))) {
      return refuseField('token.scopes', `must be scopes of the organisation's roles: ${remedy}`);
    }
    if (authority === undefined || authority === organisation.authority) return ok(undefined);
    const own =
      organisation.authority === null ? 'no authority' : `the authority "${organisation.authority}"`;
    const message = `must be the authority of the organisation: "${id}" has ${own}. Leave the field out, or name another organisation`;
    return refuseField('token.authority', message);
  }

  /** All tokens as a response lists them. */
  get listedTokens(): ListedToken[] {
    const { tokens, organisations, tokenHolders } = this.#tables;
    const authorities = new Map(organisations.all.map(({ id, authority }) => [id, authority]));
    return tokens.all.map((token) => {
      const authority = authorities.get(token.organisation) ?? null;
      const scopes = [...tokenScopes(token)];
      const { usedAt } = tokenHolders.get(token.id);
      const lastUsedAt = usedAt === null ? null : new Date(usedAt).toISOString();
      return { ...token, scopes, authority, lastUsedAt, version: versionOf(token) };
    });
  }
}

/** A new end must be in the future. An old one may stay, so that other settings can change. */
function checkEnd(
  field: string,
  key: KeyConditions | null,
  before: KeyConditions | null,
): ChangeResult<void> {
  const expires = key?.expires;
  if (expires === undefined || expires === before?.expires || Date.parse(expires) > Date.now())
    return ok(undefined);
  return refuseField(field, 'must be in the future: to stop a key now, remove it');
}

/** The documents sorted by ID, after this one is put or removed. */
function replaced<Document extends { readonly id: string }>(
  all: readonly Document[],
  id: string,
  document: Document | null,
): Document[] {
  const others = all.filter((other) => other.id !== id);
  return document === null
    ? others
    : [...others, document].sort((one, other) => (one.id < other.id ? -1 : 1));
}
