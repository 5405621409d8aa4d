/**
 * The sealed values of an object that gives a part of the head, by their place in its index, such as `shard 12 of 64` or
 * `index`. A value is immutable: when the content of a place changes, the place gets another value.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { seal } from '../../shared/set/seal.ts';
import type { PutValue } from './head-publication.ts';

/** Part of the first steps of stores, so it never changes. */
export const SEALED_VALUES = `
   CREATE TABLE sealed_values (
     place TEXT NOT NULL,
     key TEXT NOT NULL,
     sha256 TEXT NOT NULL,
     key_id TEXT NOT NULL,
     state INTEGER NOT NULL,
     written INTEGER NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (place, key)
   );
   CREATE INDEX sealed_values_key ON sealed_values (key);
   CREATE INDEX sealed_values_state ON sealed_values (state);`;

/** States: made for the next head; in the head, or about to be; in the head only until the next one is published. */
const COMING = 0;
const NAMED = 1;
const REPLACED = 2;

type Row = { key: string; sha256: string };

export class SealedValues {
  readonly #sql: SqlStorage;
  readonly #keyOf: (sha256: string) => string;

  /** @param keyOf the KV key of a value */
  constructor(sql: SqlStorage, keyOf: (sha256: string) => string) {
    this.#sql = sql;
    this.#keyOf = keyOf;
  }

  bytes(key: string): Uint8Array<ArrayBuffer> | null {
    const [row] = this.#sql
      .exec<{ bytes: ArrayBuffer }>('SELECT bytes FROM sealed_values WHERE key = ?', key)
      .toArray();
    return row === undefined ? null : new Uint8Array(row.bytes);
  }

  /** The value of a place; null if it has none, or if another key sealed it. */
  at(place: string, { keyId }: ListKeys): NamedValue | null {
    const [row] = this.#sql
      .exec<Row>(
        'SELECT key, sha256 FROM sealed_values WHERE place = ? AND key_id = ? AND state = ?',
        ...[place, keyId, NAMED],
      )
      .toArray();
    return row ?? null;
  }

  /** Seals the content of a place, and writes the value to KV unless KV has it. Equal content gives an equal value. */
  async make(
    place: string,
    content: Uint8Array<ArrayBuffer>,
    keys: ListKeys,
    put: PutValue,
  ): Promise<NamedValue> {
    const bytes = await seal(content, keys);
    const sha256 = await sha256Hex(bytes);
    const key = this.#keyOf(sha256);
    const isWritten = this.#isWritten(place, key) || (await put(key, bytes));
    this.#sql.exec('DELETE FROM sealed_values WHERE place = ? AND state = ?', place, COMING);
    // The same content may already be stored.
    this.#sql.exec(
      'INSERT OR IGNORE INTO sealed_values VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[place, key, sha256, keys.keyId, COMING, isWritten ? 1 : 0, bytes],
    );
    return { key, sha256 };
  }

  /** Whether KV already accepted this value of the place, and the head still names the value. */
  #isWritten(place: string, key: string): boolean {
    const [row] = this.#sql
      .exec<{ written: number }>(
        'SELECT written FROM sealed_values WHERE place = ? AND key = ? AND state = ?',
        ...[place, key, NAMED],
      )
      .toArray();
    return row?.written === 1;
  }

  /** Sets the values that the head is about to name. All other values are replaced. Must run in a transaction. */
  setNamed(named: readonly NamedValue[]): void {
    const keys = JSON.stringify(named.map(({ key }) => key));
    // Update only rows that change, because a change of state rewrites the bytes of the row.
    this.#sql.exec(
      `UPDATE sealed_values SET state = ? WHERE state <> ? AND key NOT IN (SELECT value FROM json_each(?))`,
      ...[REPLACED, REPLACED, keys],
    );
    this.#sql.exec(
      `UPDATE sealed_values SET state = ? WHERE state <> ? AND key IN (SELECT value FROM json_each(?))`,
      ...[NAMED, NAMED, keys],
    );
  }

  get named(): NamedValue[] {
    return this.#sql
      .exec<Row>('SELECT DISTINCT key, sha256 FROM sealed_values WHERE state = ? ORDER BY key', NAMED)
      .toArray();
  }

  /** IDs of the keys that seal the named values. */
  get keyIds(): string[] {
    return this.#sql
      .exec<{ id: string }>(
        'SELECT DISTINCT key_id AS id FROM sealed_values WHERE state = ? ORDER BY id',
        NAMED,
      )
      .toArray()
      .map(({ id }) => id);
  }

  /** Named values that KV did not accept. */
  get unwritten(): string[] {
    return this.#sql
      .exec<{ key: string }>('SELECT DISTINCT key FROM sealed_values WHERE state = ? AND written = 0', NAMED)
      .toArray()
      .map(({ key }) => key);
  }

  setWritten(keys: readonly string[]): void {
    for (const key of keys) this.#sql.exec('UPDATE sealed_values SET written = 1 WHERE key = ?', key);
  }

  /** Call once the head has the named values: from then on, readers need no replaced values from here. */
  removeReplaced(): void {
    this.#sql.exec('DELETE FROM sealed_values WHERE state = ?', REPLACED);
  }
}
