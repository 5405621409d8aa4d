/**
 * The sealed segments of the registry: immutable values that hold all changes except the newest. The last segment
 * grows until it is full, and all are rewritten before most of their rows are dead. So there are few segments, and a
 * change of the head loads few bytes.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import {
  REGISTRATION_SEALED_PER_CHANGE_MAX,
  REGISTRATION_SEGMENT_ROWS_MAX,
  REGISTRATION_UNSEALED_MAX,
} from '../../shared/limits/registrations.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import { registrationsKey } from '../../shared/release/kv-keys.ts';
import { encodeRegistrationSegment } from '../../shared/senders/registration-segment.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { seal } from '../../shared/set/seal.ts';
import type { ChangeTable } from './change-table.ts';

/**
 * `state` is one of COMING, NAMED and REPLACED. `written` is whether KV has the segment, or the coordinator takes care
 * of writing it.
 */
const TABLE = `
  CREATE TABLE IF NOT EXISTS segments (
    key TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    key_id TEXT NOT NULL,
    from_version INTEGER NOT NULL,
    to_version INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    state INTEGER NOT NULL,
    written INTEGER NOT NULL,
    bytes BLOB NOT NULL
  );
`;

/** States: not complete with its neighbours yet; in the head, or about to be; in the head until the next publication. */
const COMING = 0;
const NAMED = 1;
const REPLACED = 2;

/** The changes above `from` and up to `to`. */
type Span = { readonly from: number; readonly to: number };
type Segment = Span & NamedValue & { readonly keyId: string; readonly changes: number };

export class SegmentStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #table: ChangeTable;

  constructor(storage: DurableObjectStorage, table: ChangeTable) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#table = table;
    this.#sql.exec(TABLE);
  }

  get #segments(): Segment[] {
    return this.#sql
      .exec<Segment>(
        `SELECT key, sha256, key_id AS keyId, from_version AS "from", to_version AS "to", changes FROM segments
         WHERE state = ? ORDER BY from_version`,
        NAMED,
      )
      .toArray();
  }

  /** The segments as the head names them. */
  get named(): NamedValue[] {
    return this.#segments.map(({ key, sha256 }) => ({ key, sha256 }));
  }

  get keyIds(): string[] {
    return [...new Set(this.#segments.map(({ keyId }) => keyId))];
  }

  /** The last version in a segment. */
  get sealedVersion(): number {
    return this.#segments.at(-1)?.to ?? this.#table.get('dropped');
  }

  bytes(key: string): Uint8Array<ArrayBuffer> | null {
    const [row] = this.#sql
      .exec<{ bytes: ArrayBuffer }>('SELECT bytes FROM segments WHERE key = ?', key)
      .toArray();
    return row === undefined ? null : new Uint8Array(row.bytes);
  }

  /** Named segments that KV did not accept. */
  get unwritten(): string[] {
    return this.#sql
      .exec<{ key: string }>('SELECT key FROM segments WHERE state = ? AND written = 0', NAMED)
      .toArray()
      .map(({ key }) => key);
  }

  setWritten(keys: readonly string[]): void {
    for (const key of keys) this.#sql.exec('UPDATE segments SET written = 1 WHERE key = ?', key);
  }

  /** Marks segments as replaced if all their changes were dropped. */
  drop(version: number): void {
    this.#sql.exec('UPDATE segments SET state = ? WHERE to_version <= ?', REPLACED, version);
  }

  /** Deletes replaced segments. Call this once the head has the named ones, because then readers need no others. */
  removeReplaced(): void {
    this.#sql.exec('DELETE FROM segments WHERE state = ?', REPLACED);
  }

  /**
   * Seals what is due: changes that are too many for the head, segments with mostly dead rows, and segments under
   * another key. Calls must not overlap.
   * @param put stores a value in KV; returns whether KV accepted it
   * @returns whether anything was due. If so, call this again, because changes made in the meantime may be due
   */
  async seal(
    keys: ListKeys,
    put: (key: string, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>,
  ): Promise<boolean> {
    const start = this.#startOfDue(keys);
    if (start === null) return false;
    const replaced = this.#segments.filter(({ to }) => to > start);
    // Delete segments of an interrupted attempt.
    this.#sql.exec('DELETE FROM segments WHERE state = ?', COMING);
    const end = this.#table.get('version');
    const made: string[] = [];
    for (let from = start; from < end; ) {
      const to = this.#table.versionAfter(from, REGISTRATION_SEGMENT_ROWS_MAX) ?? end;
      const rows = this.#table.rows(from, Math.min(to, end));
      if (rows.length > 0) made.push(await this.#make({ from, to: Math.min(to, end) }, rows, keys, put));
      from = to;
    }
    this.#storage.transactionSync(() => {
      for (const { key } of replaced) {
        this.#sql.exec('UPDATE segments SET state = ? WHERE key = ?', REPLACED, key);
      }
      for (const key of made) this.#sql.exec('UPDATE segments SET state = ? WHERE key = ?', NAMED, key);
    });
    return true;
  }

  async #make(
    { from, to }: Span,
    rows: ReturnType<ChangeTable['rows']>,
    keys: ListKeys,
    put: (key: string, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>,
  ): Promise<string> {
    const bytes = await seal(encodeRegistrationSegment(rows), keys);
    const sha256 = await sha256Hex(bytes);
    const key = registrationsKey(sha256);
    const isWritten = await put(key, bytes);
    // The same rows may be sealed already. Then only the span of their segment changes.
    this.#sql.exec(
      `INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
       SET from_version = excluded.from_version, to_version = excluded.to_version`,
      ...[key, sha256, keys.keyId, from, to, rows.length, COMING, isWritten ? 1 : 0, bytes],
    );
    return key;
  }

  /** The version after which everything must be sealed again; null if nothing is due. */
  #startOfDue({ keyId }: ListKeys): number | null {
    const segments = this.#segments;
    const dropped = this.#table.get('dropped');
    if (segments.some((segment) => segment.keyId !== keyId)) return dropped;
    const last = segments.at(-1);
    const sealed = last?.to ?? dropped;
    const unsealed = this.#table.count(sealed, Number.MAX_SAFE_INTEGER);
    const held = segments.reduce((sum, { changes }) => sum + changes, 0);
    const most =
      REGISTRATION_SEALED_PER_CHANGE_MAX * this.#table.get('changes') + REGISTRATION_SEGMENT_ROWS_MAX;
    if (held + unsealed > most) return dropped;
    if (unsealed <= REGISTRATION_UNSEALED_MAX) return null;
    // While the last segment has room, it is rewritten with the new changes.
    const joins = last !== undefined && last.changes + unsealed <= REGISTRATION_SEGMENT_ROWS_MAX;
    return joins ? last.from : sealed;
  }
}
