/**
 * Clients and admin tokens in SQLite. Only digests of their secrets are stored.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Token } from '../../shared/admin.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { toHex, utf8 } from '../../shared/bytes.ts';
import type { Client } from '../../shared/clients.ts';
import { TOKENS_MAX } from '../../shared/limits.ts';
import { type AppliedChange, applied, type ChangeResult, type Refusal, refuse } from './change-request.ts';

/** `If-Match` and `If-None-Match`, as versions. */
export interface Precondition {
  /** Apply only if the current version is this one. */
  readonly match: string | null;
  /** Apply only if it does not exist. */
  readonly absent: boolean;
}

export class ClientsStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** All clients, sorted by id. */
  get clients(): Client[] {
    return this.#sql
      .exec<{ client: string }>('SELECT client FROM clients ORDER BY id')
      .toArray()
      .map(({ client }) => JSON.parse(client) as Client);
  }

  get count(): number {
    return this.#sql.exec<{ count: number }>('SELECT COUNT(*) AS count FROM clients').one().count;
  }

  client(id: string): Client | null {
    const [row] = this.#sql.exec<{ client: string }>('SELECT client FROM clients WHERE id = ?', id).toArray();
    return row === undefined ? null : (JSON.parse(row.client) as Client);
  }

  /**
   * The clients as they would be after this change.
   * @param client null to remove it
   */
  with(id: string, client: Client | null): Client[] {
    const others = this.clients.filter((other) => other.id !== id);
    if (client === null) return others;
    return [...others, client].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  put(id: string, client: Client | null): AuditEntry {
    const before = this.client(id);
    if (client === null) this.#sql.exec('DELETE FROM clients WHERE id = ?', id);
    else this.#sql.exec('INSERT OR REPLACE INTO clients VALUES (?, ?)', id, JSON.stringify(client));
    return { action: client === null ? 'clients.remove' : 'clients.put', subject: id, before, after: client };
  }

  get tokens(): Token[] {
    return this.#sql
      .exec<{ token: string }>('SELECT token FROM tokens ORDER BY id')
      .toArray()
      .map(({ token }) => JSON.parse(token) as Token);
  }

  token(id: string): Token | null {
    const [row] = this.#sql.exec<{ token: string }>('SELECT token FROM tokens WHERE id = ?', id).toArray();
    return row === undefined ? null : (JSON.parse(row.token) as Token);
  }

  putToken(id: string, token: Token | null): ChangeResult<AppliedChange<{ id: string }>> {
    const before = this.token(id);
    if (token === null && before === null) return refuse('TOKEN_UNKNOWN', 'there is no token with this id');
    if (token === null) this.#sql.exec('DELETE FROM tokens WHERE id = ?', id);
    else this.#sql.exec('INSERT OR REPLACE INTO tokens VALUES (?, ?)', id, JSON.stringify(token));
    if (this.tokens.length > TOKENS_MAX) return refuse('CLIENTS_TOO_MANY', `at most ${TOKENS_MAX} tokens`);
    const action = token === null ? 'tokens.remove' : 'tokens.put';
    return applied({ id }, [{ action, subject: id, before, after: token }]);
  }
}

/** The version of a client or token: a digest of its content. */
export function versionOf(value: Client | Token): string {
  return toHex(sha256(utf8(JSON.stringify(value)))).slice(0, 16);
}

/**
 * Checks the precondition of a change.
 * @returns the refusal, or null
 */
export function checkPrecondition(
  { match, absent }: Precondition,
  value: Client | Token | null,
): Refusal | null {
  if (absent && value !== null) return refuse('PRECONDITION_FAILED', 'there is one with this id already');
  if (match !== null && (value === null || versionOf(value) !== match)) {
    return refuse('PRECONDITION_FAILED', 'it has changed since: read it again');
  }
  return null;
}
