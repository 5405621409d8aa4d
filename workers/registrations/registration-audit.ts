/**
 * The audit chain of one organisation's registrations. Numbers are keyed, and the content of a registration appears only
 * as a digest.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { type AuditRecord, type KnownRecord, keyedNumber } from '../../shared/audit.ts';
import { toHex, utf8 } from '../../shared/bytes.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { AuditChain, type Author } from '../storage/audit-chain.ts';
import type { Meta } from './meta.ts';
import type { StoredRegistration, StoredVersion } from './registration-rows.ts';

/** The data of a version in a record. */
interface VersionDigest {
  /** The keyed number, or both ends of a range. */
  readonly number: string;
  readonly sha256: string;
}

export class RegistrationAudit {
  readonly #chain: AuditChain;
  readonly #keys: ListKeys;
  /** Cached, because a version never changes, and most records have one before and one after the change. */
  readonly #digests = new WeakMap<StoredVersion, VersionDigest>();

  constructor(sql: SqlStorage, meta: Meta, keys: ListKeys) {
    this.#chain = new AuditChain(sql, {
      ...{ column: 'registration', prefix: 'registrations.' },
      subjectOf: (id) => `${meta.text('organisation')}/${id}`,
    });
    this.#keys = keys;
  }

  /** Must run in the transaction of the change. @param action such as `submit` */
  append(author: Author, action: string, before: StoredRegistration | null, after: StoredRegistration): void {
    // The registration shows its reasons only until the next decision, or until it is submitted again.
    const reasons = after.reasons !== before?.reasons && after.reasons.length > 0 ? after.reasons : undefined;
    this.#chain.append(author, after.id, {
      action,
      before: before && this.#described(before),
      after: { ...this.#described(after), ...(reasons && { reasons }) },
    });
  }

  /** Number and hash of the newest record. */
  get last(): KnownRecord {
    return this.#chain.last;
  }

  /** Records after a number, oldest first. */
  records(after: number, limit: number): AuditRecord[] {
    return this.#chain.records(after, limit);
  }

  /** Records of one registration. */
  history(registration: number, after: number, limit: number): AuditRecord[] {
    return this.#chain.history(registration, after, limit);
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
