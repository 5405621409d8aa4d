/**
 * Clients and admin tokens in SQLite. Of keys and tokens only digests are stored.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Token } from '../../shared/admin.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { toHex, utf8 } from '../../shared/bytes.ts';
import type { Client } from '../../shared/clients.ts';
import { TOKENS_MAX } from '../../shared/limits.ts';
import { type Made, made, type Outcome, type Refusal, refuse } from './order.ts';

/** What a change of one thing is made under: `If-Match` and `If-None-Match`, as versions. */
export interface Condition {
  /** Only if it has this version. */
  readonly match: string | null;
  /** Only if it is not there. */
  readonly absent: boolean;
}

export class ClientsStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** All clients by id. */
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

  /** The clients as they would be with this one put in, or taken out for null. */
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

  putToken(id: string, token: Token | null): Outcome<Made<{ id: string }>> {
    const before = this.token(id);
    if (token === null && before === null) return refuse('TOKEN_UNKNOWN', 'there is no token with this id');
    if (token === null) this.#sql.exec('DELETE FROM tokens WHERE id = ?', id);
    else this.#sql.exec('INSERT OR REPLACE INTO tokens VALUES (?, ?)', id, JSON.stringify(token));
    if (this.tokens.length > TOKENS_MAX) return refuse('CLIENTS_TOO_MANY', `at most ${TOKENS_MAX} tokens`);
    const action = token === null ? 'tokens.remove' : 'tokens.put';
    return made({ id }, [{ action, subject: id, before, after: token }]);
  }
}

/** Names the content of a client or token: changes with it. */
export function versionOf(value: Client | Token): string {
  return toHex(sha256(utf8(JSON.stringify(value)))).slice(0, 16);
}

/** Whether what is there is what the caller takes it for. @returns the refusal, or null */
export function unmet({ match, absent }: Condition, value: Client | Token | null): Refusal | null {
  if (absent && value !== null) return refuse('PRECONDITION_FAILED', 'there is one with this id already');
  if (match !== null && (value === null || versionOf(value) !== match)) {
    return refuse('PRECONDITION_FAILED', 'it has changed since: read it again');
  }
  return null;
}
