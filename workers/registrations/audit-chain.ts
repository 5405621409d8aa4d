/**
 * The audit chain of one organisation's registrations, in the format of the audit log (shared/audit.ts). The log
 * records its end from time to time, so nobody can rewrite the chain unnoticed. Numbers are keyed, and the rest of a
 * registration is only in a digest.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import {
  type AuditRecord,
  auditHash,
  CHAIN_START,
  type KnownRecord,
  keyedNumber,
} from '../../shared/audit.ts';
import { fromHex, toHex, utf8 } from '../../shared/bytes.ts';
import { REGISTRATIONS_PAGE_CHARS_MAX } from '../../shared/limits/registrations.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { Meta } from './meta.ts';
import type { StoredRegistration, StoredVersion } from './registration-rows.ts';

/** Who did something, when and why. */
export interface Author {
  readonly actor: string;
  readonly reason: string;
  /** ms since 1970. */
  readonly at: number;
  /** Whether the actor may make the moves of senders and of reviewers. */
  readonly isRoot?: boolean;
}

/** What a record has of a version. */
interface VersionDigest {
  /** Keyed. */
  readonly number: string;
  readonly sha256: string;
}

interface Row extends Record<string, SqlStorageValue> {
  n: number;
  registration: number;
  at: number;
  actor: string;
  action: string;
  reason: string;
  before: string;
  after: string;
  hash: ArrayBuffer;
}

export class AuditChain {
  readonly #sql: SqlStorage;
  readonly #meta: Meta;
  readonly #keys: ListKeys;
  /** A version never changes, and most records have one before and after. */
  readonly #digests = new WeakMap<StoredVersion, VersionDigest>();

  constructor(sql: SqlStorage, meta: Meta, keys: ListKeys) {
    this.#sql = sql;
    this.#meta = meta;
    this.#keys = keys;
  }

  /** Must run in the transaction of the change. @param action such as `submit` */
  append(
    { actor, reason: given, at }: Author,
    action: string,
    before: StoredRegistration | null,
    after: StoredRegistration,
  ): void {
    const { n: last, hash: previous } = this.last;
    // SQLite stores UTF-8, which cannot hold half a surrogate pair.
    const reason = given.toWellFormed();
    // The registration shows its reasons only until the next decision, or until it is submitted again.
    const reasons = after.reasons !== before?.reasons && after.reasons.length > 0 ? after.reasons : undefined;
    const states = {
      before: before && this.#described(before),
      after: { ...this.#described(after), ...(reasons && { reasons }) },
    };
    const record = {
      ...{ n: last + 1, seq: 0, at: new Date(at).toISOString(), actor, action: actionName(action), reason },
      ...{ subject: this.#subject(after.id), ...states, previous },
    };
    const hash = auditHash(record);
    this.#sql.exec(
      'INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[record.n, after.id, at, actor, action, reason],
      ...[JSON.stringify(states.before), JSON.stringify(states.after), fromHex(hash)],
    );
  }

  /** Number and hash of the newest record. */
  get last(): KnownRecord {
    const [row] = this.#sql
      .exec<{ n: number; hash: ArrayBuffer }>('SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1')
      .toArray();
    return row === undefined ? { n: 0, hash: CHAIN_START } : { n: row.n, hash: hexOf(row.hash) };
  }

  /** Records after a number, oldest first. */
  records(after: number, limit: number): AuditRecord[] {
    return this.#records('n > ? ORDER BY n LIMIT ?', after, limit);
  }

  /** Of one registration. */
  history(registration: number, after: number, limit: number): AuditRecord[] {
    return this.#records('registration = ? AND n > ? ORDER BY n LIMIT ?', registration, after, limit);
  }

  /** At least one, if there is any, and as many as REGISTRATIONS_PAGE_CHARS_MAX allows. */
  #records(where: string, ...values: number[]): AuditRecord[] {
    const rows = this.#sql.exec<Row & { previous: ArrayBuffer | null }>(
      `SELECT *, (SELECT hash FROM audit AS other WHERE other.n = audit.n - 1) AS previous FROM audit WHERE ${where}`,
      ...values,
    );
    const records: AuditRecord[] = [];
    let chars = 0;
    for (const row of rows) {
      chars += row.before.length + row.after.length + row.reason.length;
      if (chars > REGISTRATIONS_PAGE_CHARS_MAX && records.length > 0) break;
      records.push({
        ...{ n: row.n, seq: 0, actor: row.actor, action: actionName(row.action) },
        ...{ subject: this.#subject(row.registration), reason: row.reason },
        at: new Date(row.at).toISOString(),
        ...{ before: JSON.parse(row.before) as unknown, after: JSON.parse(row.after) as unknown },
        ...{ previous: row.previous === null ? CHAIN_START : hexOf(row.previous), hash: hexOf(row.hash) },
      });
    }
    return records;
  }

  #subject(id: number): string {
    return `${this.#meta.text('organisation')}/${id}`;
  }

  #described({ state, version, approvedVersion, newest, isMock }: StoredRegistration): object {
    const digest = this.#digests.get(newest) ?? this.#digestOf(newest);
    this.#digests.set(newest, digest);
    return { state, version, approvedVersion, ...digest, ...(isMock ? { mock: true } : {}) };
  }

  #digestOf({ content, numbers: { from, to } }: StoredVersion): VersionDigest {
    const number = [...new Set([from, to])].map((n) => keyedNumber(n, this.#keys)).join('..');
    return { number, sha256: toHex(sha256(utf8(JSON.stringify({ ...content, number })))) };
  }
}

function actionName(action: string): string {
  return `registrations.${action}`;
}

function hexOf(bytes: ArrayBuffer): string {
  return toHex(new Uint8Array(bytes));
}
