/**
 * Delegations as rows. The ID of a delegation is also its index in the status list of the service; entry 0 of that list
 * is always suspended, and stands for certificates whose issuer may not sign them any more.
 */
import { CREDENTIAL_KINDS, type CredentialRow } from '../../shared/credentials/credential-table.ts';
import { type DelegationState, stateAt } from '../../shared/credentials/delegation-states.ts';
import type { CredentialKey, KeyAlgorithm } from '../../shared/credentials/keys.ts';
import { packStatuses, type Status, type StatusList } from '../../shared/credentials/status-list.ts';
import { EXPIRED_KEPT_MS } from '../../shared/limits/credential-store.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { Channel } from '../../shared/request.ts';
import { Totals } from '../storage/totals.ts';
import { placeOf } from './places.ts';

export interface StoredDelegation {
  readonly id: number;
  /** The stored state, which is never `expired`: see `stateAt`. */
  readonly state: DelegationState;
  readonly principal: string;
  readonly agent: string;
  /** Digest of the principal's link. */
  readonly link: string;
  /** Organisations from the owner to the agent. */
  readonly chain: readonly string[];
  readonly nums: readonly string[];
  readonly spans: readonly Span[];
  readonly scope: readonly Channel[];
  /** Seconds since 1970. */
  readonly nbf: number;
  readonly exp: number;
  /** The key of the agent; null until the agent has accepted. */
  readonly key: CredentialKey | null;
  /** Null until the principal has confirmed the delegation. */
  readonly jws: string | null;
  readonly digest: string | null;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  state: string;
  principal: string;
  agent: string;
  link: string;
  chain: string;
  nums: string;
  spans: string;
  scope: string;
  nbf: number;
  exp: number;
  alg: string | null;
  key: ArrayBuffer | null;
  jws: string | null;
  digest: string | null;
  created_at: number;
  updated_at: number;
}

/** The service's own list grows in steps of this size, so that it reveals little. A divisor of STATUS_ENTRIES_MAX. */
const SIZE_STEP = 1_024;

export class DelegationRows {
  readonly #sql: SqlStorage;
  readonly #totals: Totals;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#totals = new Totals(sql);
  }

  get(id: number): StoredDelegation | null {
    return this.#select('id = ?', id)[0] ?? null;
  }

  byDigest(digest: string): StoredDelegation | null {
    return this.#select('digest = ?', digest)[0] ?? null;
  }

  /** Delegations of which the organisation is the principal or the agent. */
  page(organisation: string, after: number, limit: number): StoredDelegation[] {
    return this.#select(
      '(principal = ? OR agent = ?) AND id > ? ORDER BY id LIMIT ?',
      ...[organisation, organisation, after, limit],
    );
  }

  get nextId(): number {
    const { last } = this.#sql
      .exec<{ last: number }>('SELECT COALESCE(MAX(id), 0) AS last FROM delegations')
      .one();
    return last + 1;
  }

  /** Counts delegations of a principal that have not ended. */
  openCount(principal: string, nowS: number): number {
    return this.#sql
      .exec<{ many: number }>(
        `SELECT COUNT(*) AS many FROM delegations WHERE principal = ? AND exp > ?
         AND state IN ('proposed', 'accepted', 'active', 'suspended')`,
        ...[principal, nowS],
      )
      .one().many;
  }

  /** Counts delegations that have not ended, of which the organisation is the principal or the agent. */
  countWith(organisation: string, nowS: number): number {
    return this.#sql
      .exec<{ many: number }>(
        `SELECT COUNT(*) AS many FROM delegations WHERE (principal = ? OR agent = ?) AND exp > ?
         AND state IN ('proposed', 'accepted', 'active', 'suspended')`,
        ...[organisation, organisation, nowS],
      )
      .one().many;
  }

  put(delegation: StoredDelegation): void {
    const { digest, key } = delegation;
    if (digest !== null && this.byDigest(digest) === null) this.#totals.add('delegations', 1);
    this.#sql.exec(
      `INSERT OR REPLACE INTO delegations VALUES (${Array(18).fill('?').join(', ')})`,
      ...[delegation.id, delegation.state, delegation.principal, delegation.agent, delegation.link],
      ...[delegation.chain, delegation.nums, delegation.spans, delegation.scope].map((each) =>
        JSON.stringify(each),
      ),
      ...[delegation.nbf, delegation.exp, key?.alg ?? null, key?.bytes.slice().buffer ?? null],
      ...[delegation.jws, digest, digest === null ? null : placeOf(digest)],
      ...[delegation.createdAt, delegation.updatedAt],
    );
  }

  /** Counts all published delegations. */
  get total(): number {
    return this.#totals.get('delegations');
  }

  credentials(from: number, to: number, ownUri: string): CredentialRow[] {
    return this.#select('place BETWEEN ? AND ?', from, to).map((delegation) => ({
      ...{ digest: delegation.digest!, kind: CREDENTIAL_KINDS[1], organisation: delegation.agent },
      ...{ nbf: delegation.nbf, exp: delegation.exp, key: delegation.key!, principal: delegation.link },
      ...{ spans: delegation.spans, scope: delegation.scope },
      ...{ statusUri: ownUri, statusIndex: delegation.id },
    }));
  }

  /** The status list of the service. */
  get statuses(): StatusList {
    const rows = this.#sql
      .exec<{ id: number; state: string }>(
        "SELECT id, state FROM delegations WHERE state IN ('revoked', 'suspended')",
      )
      .toArray();
    const statuses = new Map<number, Status>([[0, 'suspended']]);
    for (const { id, state } of rows) statuses.set(id, state as Status);
    return packStatuses(statuses, Math.ceil(this.nextId / SIZE_STEP) * SIZE_STEP);
  }

  /** Removes delegations that expired long ago. @returns the digests of the published ones */
  forget(nowMs: number): string[] {
    const until = Math.floor((nowMs - EXPIRED_KEPT_MS) / 1000);
    const removed = this.#sql
      .exec<{ digest: string | null }>(
        // Keep the newest delegation, because no ID may be given twice.
        'DELETE FROM delegations WHERE exp <= ? AND id < (SELECT MAX(id) FROM delegations) RETURNING digest',
        until,
      )
      .toArray()
      .flatMap(({ digest }) => (digest === null ? [] : [digest]));
    this.#totals.add('delegations', -removed.length);
    return removed;
  }

  #select(where: string, ...values: (string | number)[]): StoredDelegation[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM delegations WHERE ${where}`, ...values)
      .toArray()
      .map(delegationOf);
  }
}

function delegationOf(row: Row): StoredDelegation {
  const { id, principal, agent, link, nbf, exp, alg, key, jws, digest } = row;
  return {
    ...{ id, principal, agent, link, nbf, exp, jws, digest },
    state: row.state as DelegationState,
    chain: JSON.parse(row.chain) as string[],
    nums: JSON.parse(row.nums) as string[],
    spans: JSON.parse(row.spans) as Span[],
    scope: JSON.parse(row.scope) as Channel[],
    key: alg === null || key === null ? null : { alg: alg as KeyAlgorithm, bytes: new Uint8Array(key) },
    ...{ createdAt: row.created_at, updatedAt: row.updated_at },
  };
}

/** The state now, which may be `expired`. */
export function currentState({ state, exp }: StoredDelegation, now: number): DelegationState {
  return stateAt(state, exp * 1000, now);
}
