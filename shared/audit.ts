/**
 * The audit log: a hash chain over every change (SHA-256, FIPS 180-4). Each record's hash covers the previous
 * record, so a record that was altered, removed or moved in the middle is detected. To protect the end, store the
 * newest hash elsewhere. Numbers are keyed (see `keyedNumber`), never in clear.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from './bytes.ts';
import { prefixOf, suffixOf } from './numbers/number.ts';
import type { ListKeys } from './set/keys.ts';

/** Describes a change. */
export interface AuditEntry {
  /** `entries.block`, `release.promote`, … */
  readonly action: string;
  /** The changed thing: a keyed number, a release, a client. */
  readonly subject: string;
  /** The state before and after the change, as JSON values; null if there was none. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface AuditRecord extends AuditEntry {
  /** Position in the chain, from 1, without gaps. */
  readonly n: number;
  readonly at: string;
  /** The name of the Actor. */
  readonly actor: string;
  readonly reason: string;
  /** The `seq` of the head that contains the change; the current `seq` if the head did not change. */
  readonly seq: number;
  /** `hash` of the previous record; CHAIN_START for the first. */
  readonly previous: string;
  readonly hash: string;
}

/** A record by its position and hash. */
export interface KnownRecord {
  readonly n: number;
  readonly hash: string;
}

/** `previous` of the first record. */
export const CHAIN_START = '0'.repeat(64);

/** Returns the hash of a record, over its fields as JSON in a fixed order. */
export function auditHash(record: Omit<AuditRecord, 'hash'>): string {
  const { n, at, seq, actor, action, subject, reason, before, after, previous } = record;
  const text = JSON.stringify([n, at, seq, actor, action, subject, reason, before, after, previous]);
  return toHex(sha256(utf8(text)));
}

/**
 * Formats a record as a line of the log. Only these exact bytes are the record. Other JSON with the same hash, such as
 * JSON with a second `reason`, could display a different record.
 */
export function auditLine(record: AuditRecord): string {
  const { n, seq, actor, action, subject, reason, at, before, after, previous, hash } = record;
  const state = { before: before ?? null, after: after ?? null };
  return JSON.stringify({ n, seq, actor, action, subject, reason, at, ...state, previous, hash });
}

/** Returns a number in the form of the log: prefix, dash, permuted suffix. LIST_KEY can reverse the permutation. */
export function keyedNumber(n: number, { permutation }: ListKeys): string {
  return `${prefixOf(n)}-${String(permutation.permute(suffixOf(n))).padStart(8, '0')}`;
}

export type ChainProblem = 'ALTERED' | 'MISSING' | 'REORDERED';

export interface BrokenChain {
  /** Position of the first bad record. */
  readonly n: number;
  readonly problem: ChainProblem;
  readonly message: string;
}

/** Verifies a chain record by record. */
export class AuditVerifier {
  #n: number;
  #previous: string;

  /** @param n position before the first record to verify @param previous hash of that record */
  constructor(n = 0, previous = CHAIN_START) {
    this.#n = n;
    this.#previous = previous;
  }

  /** The last verified record, or the starting position. */
  get verified(): KnownRecord {
    return { n: this.#n, hash: this.#previous };
  }

  /** @returns the problem with this record, or null */
  next(record: AuditRecord): BrokenChain | null {
    const due = this.#n + 1;
    if (record.n < due) {
      return broken(due, 'REORDERED', `record ${record.n} is out of order: record ${due} belongs there`);
    }
    if (record.n > due) return broken(due, 'MISSING', `record ${due} is missing: record ${record.n} follows`);
    if (record.previous !== this.#previous) {
      return broken(due, 'ALTERED', `record ${due} does not continue from the hash of the record before it`);
    }
    if (auditHash(record) !== record.hash) {
      return broken(due, 'ALTERED', `record ${due} was altered: its hash does not match`);
    }
    this.#n = due;
    this.#previous = record.hash;
    return null;
  }
}

function broken(n: number, problem: ChainProblem, message: string): BrokenChain {
  return { n, problem, message };
}
