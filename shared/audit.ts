/**
 * The audit log: a hash chain over every change (SHA-256, FIPS 180-4). Each record's hash covers the one
 * before it, so that nothing in the middle can be altered, removed or moved unnoticed; keeping the newest
 * hash somewhere else guards the end. Numbers stand in it keyed (see `keyedNumber`), never in clear.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from './bytes.ts';
import { headOf, tailOf } from './numbers/number.ts';
import type { ListKeys } from './set/keys.ts';

/** What is told of a change. */
export interface AuditEntry {
  /** `entries.block`, `release.promote`, … */
  readonly action: string;
  /** What was changed: a keyed number, a release, a client. */
  readonly subject: string;
  /** The state before and after, as JSON values; null for none. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface AuditRecord extends AuditEntry {
  /** Place in the chain, from 1, without gap. */
  readonly n: number;
  readonly at: string;
  /** Who: see Actor. */
  readonly actor: string;
  readonly reason: string;
  /** The change of the head that it was part of; that of the head then current, where it changed none. */
  readonly seq: number;
  /** `hash` of the record before; CHAIN_START for the first. */
  readonly previous: string;
  readonly hash: string;
}

/** A record by its place and hash. */
export interface KnownRecord {
  readonly n: number;
  readonly hash: string;
}

/** What the first record follows. */
export const CHAIN_START = '0'.repeat(64);

/** The hash of a record: over its fields in a fixed order, as JSON. */
export function auditHash(record: Omit<AuditRecord, 'hash'>): string {
  const { n, at, seq, actor, action, subject, reason, before, after, previous } = record;
  const text = JSON.stringify([n, at, seq, actor, action, subject, reason, before, after, previous]);
  return toHex(sha256(utf8(text)));
}

/** A number as the log has it: head, dash, permuted tail. Whoever has LIST_KEY can turn it back. */
export function keyedNumber(n: number, { permutation }: ListKeys): string {
  return `${headOf(n)}-${String(permutation.permute(tailOf(n))).padStart(8, '0')}`;
}

export type ChainProblem = 'ALTERED' | 'MISSING' | 'REORDERED';

export interface BrokenChain {
  /** Place of the first record that is wrong. */
  readonly n: number;
  readonly problem: ChainProblem;
  readonly message: string;
}

/** Follows a chain record by record. */
export class AuditVerifier {
  #n: number;
  #previous: string;

  /** @param n place of the record before the first one @param previous its hash */
  constructor(n = 0, previous = CHAIN_START) {
    this.#n = n;
    this.#previous = previous;
  }

  /** The last record that was found right, or the place before the first one. */
  get verified(): KnownRecord {
    return { n: this.#n, hash: this.#previous };
  }

  /** @returns what is wrong with this record, or null */
  next(record: AuditRecord): BrokenChain | null {
    const due = this.#n + 1;
    if (record.n < due) {
      return broken(due, 'REORDERED', `record ${record.n} stands where ${due} belongs`);
    }
    if (record.n > due) return broken(due, 'MISSING', `record ${due} is missing: ${record.n} follows`);
    if (record.previous !== this.#previous) {
      return broken(due, 'ALTERED', `record ${due} does not follow the hash of the one before`);
    }
    if (auditHash(record) !== record.hash) {
      return broken(due, 'ALTERED', `record ${due} is not what its hash was made of`);
    }
    this.#n = due;
    this.#previous = record.hash;
    return null;
  }
}

function broken(n: number, problem: ChainProblem, message: string): BrokenChain {
  return { n, problem, message };
}
