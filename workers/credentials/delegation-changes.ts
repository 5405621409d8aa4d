/**
 * The moves of delegations. A delegation rests on a link of its principal: a certificate, or a delegation whose agent is the
 * principal. So delegations form chains, which are checked when a delegation is proposed, confirmed or resumed.
 */
import type { DelegationInfo, ProposedDelegation } from '../../shared/admin/credentials.ts';
import { DELEGATION_TYPE } from '../../shared/credentials/claims.ts';
import { isWithin, parseCredentialNumbers } from '../../shared/credentials/credential-numbers.ts';
import type { CredentialRow } from '../../shared/credentials/credential-table.ts';
import { verifyDelegation } from '../../shared/credentials/delegation.ts';
import {
  type DelegationMove,
  delegationMoved,
  partyOf,
  possibleDelegationMoves,
} from '../../shared/credentials/delegation-states.ts';
import { type CredentialKey, thumbprintOf } from '../../shared/credentials/keys.ts';
import {
  DELEGATION_LIFE_MAX_MS,
  DELEGATIONS_PER_DAY_MAX,
  DELEGATIONS_PER_ORGANISATION_MAX,
} from '../../shared/limits/credential-store.ts';
import { CHAIN_LINKS_MAX, STATUS_ENTRIES_MAX } from '../../shared/limits/credentials.ts';
import { CHANNELS } from '../../shared/request.ts';
import { ok } from '../../shared/result.ts';
import { refuse, refuseField, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { standingOf } from './certificate-rows.ts';
import { currentState, type StoredDelegation } from './delegation-rows.ts';
import type { Tables } from './tables.ts';

/** A link that a delegation can rest on, and the organisations up to that link. */
interface Link
  extends Pick<CredentialRow, 'digest' | 'kind' | 'organisation' | 'key' | 'spans' | 'scope' | 'exp'> {
  readonly chain: readonly string[];
}

/** A move with its arguments. */
export interface MoveRequest {
  readonly move: DelegationMove;
  /** The organisation that makes the move. */
  readonly organisation: string;
  /** For `accept`. */
  readonly key?: CredentialKey;
  /** For `confirm`: the signed claims. */
  readonly jws?: string;
}

export class DelegationChanges {
  readonly #tables: Tables;
  readonly #ownUri: string;

  /** @param ownUri of the status list of the service */
  constructor(tables: Tables, ownUri: string) {
    this.#tables = tables;
    this.#ownUri = ownUri;
  }

  /** @returns only the ID, because the answer to a repeated request is JSON, which cannot hold the bytes of keys */
  propose(request: StoreRequest, principal: string, proposed: ProposedDelegation): StoreResult<number> {
    const tooMany = this.#tables.charge(principal, 'delegations', DELEGATIONS_PER_DAY_MAX);
    if (tooMany !== null) return tooMany;
    return this.#tables.transact(request, 1, (author) => {
      const { delegations } = this.#tables;
      const made = this.#proposed(principal, proposed, author.at);
      if (!made.ok) return made;
      const nowS = Math.floor(author.at / 1000);
      if (delegations.openCount(principal, nowS) >= DELEGATIONS_PER_ORGANISATION_MAX) {
        const most = DELEGATIONS_PER_ORGANISATION_MAX.toLocaleString('en');
        return refuse(
          'CREDENTIALS_TOO_MANY',
          `an organisation may have ${most} delegations that have not ended`,
        );
      }
      if (made.value.id >= STATUS_ENTRIES_MAX)
        return refuse(
          'CREDENTIALS_TOO_MANY',
          'there are too many delegations: ask the operator of the service',
        );
      delegations.put(made.value);
      this.#record(author, 'propose', null, made.value);
      return ok(made.value.id);
    });
  }

  #proposed(principal: string, proposed: ProposedDelegation, now: number): StoreResult<StoredDelegation> {
    const { agent, numbers, scope } = proposed;
    const link = this.#link(proposed.link, principal, now);
    if (!link.ok) return link;
    const isFree = checkChain(link.value, agent);
    if (!isFree.ok) return isFree;
    const spans = parseCredentialNumbers(numbers);
    if (!spans.ok) return refuseField('delegation.numbers', spans.message);
    if (!isWithin(spans.value, link.value.spans))
      return refuse('DELEGATION_MISMATCH', '"delegation.numbers" has numbers that the link does not have');
    if (!scope.every((each) => link.value.scope.includes(each)))
      return refuse('DELEGATION_MISMATCH', '"delegation.scope" permits more than the link');
    const begins = proposed.notBefore === undefined ? now : Date.parse(proposed.notBefore);
    const ends = Date.parse(proposed.expires);
    if (ends <= now || ends <= begins) return refuseField('delegation.expires', 'must be in the future');
    if (ends - now > DELEGATION_LIFE_MAX_MS)
      return refuseField('delegation.expires', 'must be within two years');
    return ok({
      ...{ id: this.#tables.delegations.nextId, state: 'proposed', principal, agent, link: proposed.link },
      ...{
        chain: [...link.value.chain, agent],
        nums: numbers,
        spans: spans.value,
        scope: [...new Set(scope)],
      },
      ...{ nbf: Math.floor(begins / 1000), exp: Math.floor(ends / 1000), key: null, jws: null, digest: null },
      ...{ createdAt: now, updatedAt: now },
    });
  }

  /** @returns the ID, like `propose` */
  async move(request: StoreRequest, id: number, given: MoveRequest): Promise<StoreResult<number>> {
    const signed = given.move === 'confirm' ? await this.#confirmed(id, given) : ok(null);
    if (!signed.ok) return signed;
    return this.#tables.transact(request, 0, (author) => {
      const before = this.#of(id, given);
      if (!before.ok) return before;
      const state = currentState(before.value, author.at);
      const next = delegationMoved(state, given.move);
      if (!next.ok)
        return refuse(next.code, next.message, {
          ...{ state, possible: possibleDelegationMoves(state, partyOf(given.move)) },
        });
      if (given.move === 'confirm' && signed.value === null)
        return refuse('DELEGATION_STATE', 'the delegation changed just now: try again');
      if (given.move === 'confirm' || given.move === 'resume') {
        const link = this.#link(before.value.link, before.value.principal, author.at);
        if (!link.ok) return link;
      }
      const after: StoredDelegation = {
        ...{ ...before.value, ...signed.value, state: next.value, updatedAt: author.at },
        ...(given.key === undefined ? {} : { key: given.key }),
      };
      this.#tables.delegations.put(after);
      this.#record(author, given.move, before.value, after);
      if (after.digest !== null) {
        // Only a new credential changes a shard. Its status is in the list of the service.
        this.#tables.publication.changed(before.value.digest === null ? [after.digest] : []);
      }
      return ok(id);
    });
  }

  /** Verifies that the principal signed exactly the claims of the delegation. Null if it cannot be confirmed now. */
  async #confirmed(
    id: number,
    given: MoveRequest,
  ): Promise<StoreResult<Pick<StoredDelegation, 'jws' | 'digest'> | null>> {
    const before = this.#of(id, given);
    if (!before.ok) return before;
    const now = Date.now();
    const isPossible = delegationMoved(currentState(before.value, now), 'confirm').ok;
    // The transaction refuses the move, or finds the answer to a repeated request.
    if (!isPossible) return ok(null);
    const link = this.#link(before.value.link, before.value.principal, now);
    if (!link.ok) return link;
    const jws = given.jws!;
    const verified = await verifyDelegation(jws, link.value, Math.floor(now / 1000));
    if (!verified.ok) return refuse(verified.code, `"delegation" ${verified.message}`);
    const { iat: _, ...claims } = verified.value.claims;
    const { iat: __, ...wanted } = await this.#claims(before.value);
    const other = Object.entries(wanted).find(
      ([name, value]) => JSON.stringify(claims[name as keyof typeof claims]) !== JSON.stringify(value),
    );
    if (other !== undefined)
      return refuse(
        'DELEGATION_INVALID',
        `the claim "${other[0]}" of "delegation" differs from the accepted delegation`,
      );
    return ok({ jws, digest: verified.value.digest });
  }

  /** The claims that the principal signs. */
  async #claims({ id, principal, agent, nbf, exp, nums, scope, link, key }: StoredDelegation) {
    return {
      ...{ iss: principal, sub: agent, iat: Math.floor(Date.now() / 1000), nbf, exp, jti: String(id) },
      ...{ nums, scope, prn: link, cnf: { jkt: await thumbprintOf(key!) } },
      status: { status_list: { idx: id, uri: this.#ownUri } },
    };
  }

  async info(delegation: StoredDelegation): Promise<DelegationInfo> {
    const { id, principal, agent, link, nums, scope, chain, key, digest, jws } = delegation;
    const now = Date.now();
    const state = currentState(delegation, now);
    return {
      ...{ id: String(id), state, principal, agent, link, numbers: nums, scope },
      ...{ notBefore: timeOf(delegation.nbf * 1000), expires: timeOf(delegation.exp * 1000), chain },
      key: key && (await thumbprintOf(key)),
      ...(state === 'accepted' ? { toSign: await this.#toSign(delegation, now) } : {}),
      ...{ digest, delegation: jws },
      ...{ createdAt: timeOf(delegation.createdAt), updatedAt: timeOf(delegation.updatedAt) },
    };
  }

  async #toSign(delegation: StoredDelegation, now: number): Promise<NonNullable<DelegationInfo['toSign']>> {
    const link = this.#link(delegation.link, delegation.principal, now);
    const kid = link.ok ? await thumbprintOf(link.value.key) : null;
    const alg = link.ok ? link.value.key.alg : null;
    return { header: { typ: DELEGATION_TYPE, alg, kid }, claims: await this.#claims(delegation) };
  }

  /** The delegation, if the organisation is one of its parties and may make this move. */
  #of(id: number, { move, organisation }: MoveRequest): StoreResult<StoredDelegation> {
    const found = this.#tables.delegations.get(id);
    if (found === null || (found.principal !== organisation && found.agent !== organisation))
      return refuse('DELEGATION_UNKNOWN', 'no delegation of the organisation has this id');
    const party = partyOf(move);
    if (found[party] === organisation) return ok(found);
    const state = currentState(found, Date.now());
    const other = party === 'principal' ? 'agent' : 'principal';
    const possible = possibleDelegationMoves(state, other);
    const own = possible.length === 0 ? 'you can do nothing now' : `you can: ${possible.join(', ')}`;
    const message = `only the ${party}, "${found[party]}", can ${move} it; ${own}`;
    return refuse('DELEGATION_STATE', message, { state, possible });
  }

  /** A link of the organisation, if it and all links before it are in force now. */
  #link(digest: string, organisation: string, now: number): StoreResult<Link> {
    const certificate = this.#tables.certificates.get(digest);
    if (certificate !== null) {
      if (certificate.organisation !== organisation) return unknownLink();
      const isValid = standingOf(certificate) === 'valid' && certificate.exp * 1000 > now;
      if (!isValid)
        return refuse(
          'DELEGATION_MISMATCH',
          'the link is a certificate that is suspended, revoked or expired',
        );
      const list = this.#tables.lists.get(certificate.uri);
      if (list === null || list.exp * 1000 <= now)
        return refuse(
          'DELEGATION_MISMATCH',
          'the link is a certificate whose status list has expired: its issuer must publish a new one',
        );
      return ok({ ...certificate, kind: 'certificate', scope: CHANNELS, chain: [organisation] });
    }
    const delegation = this.#tables.delegations.byDigest(digest);
    if (delegation?.agent !== organisation) return unknownLink();
    if (currentState(delegation, now) !== 'active')
      return refuse('DELEGATION_MISMATCH', 'the link is a delegation that is not active');
    const before = this.#link(delegation.link, delegation.principal, now);
    if (!before.ok) return before;
    return ok({ ...delegation, kind: 'delegation', organisation, digest, key: delegation.key! });
  }

  #record(
    author: Parameters<Tables['audit']['append']>[0],
    action: string,
    before: StoredDelegation | null,
    after: StoredDelegation,
  ): void {
    this.#tables.audit.append(author, `delegation ${after.id}`, {
      ...{ action: `delegations.${action}`, before: before && { state: before.state } },
      after: {
        ...{ state: after.state, principal: after.principal, agent: after.agent, link: after.link },
        ...{ scope: after.scope, exp: after.exp, digest: after.digest },
      },
    });
  }
}

function checkChain({ chain }: Link, agent: string): StoreResult<void> {
  if (chain.includes(agent))
    return refuse('DELEGATION_LOOP', `"delegation.agent" is already in the chain: ${chain.join(' > ')}`);
  if (chain.length < CHAIN_LINKS_MAX) return ok(undefined);
  return refuse(
    'DELEGATION_TOO_LONG',
    `a chain may have at most ${CHAIN_LINKS_MAX} organisations: ${chain.join(' > ')}`,
  );
}

function unknownLink(): StoreResult<never> {
  return refuseField(
    'delegation.link',
    'must be the digest of a certificate or delegation of the organisation',
  );
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
