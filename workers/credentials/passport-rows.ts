/**
 * The tables of the roots and certificates of PASSporTs. docs/storage.md describes each.
 */
import type { PassportCertificate, PassportRoot } from '../../shared/admin/passport.ts';
import { fromBase64, toBase64 } from '../../shared/bytes.ts';
import type { PassportRow } from '../../shared/credentials/passport-table.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { SignerCertificate } from './passport-chain.ts';
import { authorizedNumbers } from './tn-authorization.ts';

/** A step of schema.ts. */
export const PASSPORT_TABLES = `
  CREATE TABLE passport_roots (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE passport_certificates (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    content TEXT NOT NULL,
    x5u TEXT NOT NULL,
    chain TEXT,
    signer TEXT,
    problem TEXT,
    fetched_at INTEGER,
    failures INTEGER NOT NULL,
    fetch_due INTEGER NOT NULL,
    verify_due INTEGER NOT NULL
  );`;

/** A certificate and its state. */
export interface StoredCertificate {
  readonly content: PassportCertificate;
  /** SHA-256 of the URL, base64url. */
  readonly x5u: string;
  /** The last fetched chain that was verified, in PEM; null if there was none yet. */
  readonly chain: string | null;
  /** The signer of the chain; null if there is none, or if it no longer leads to a root. */
  readonly signer: SignerCertificate | null;
  /** Why the last fetch or verification failed. */
  readonly problem: string | null;
  /** ms since 1970. */
  readonly fetchedAt: number | null;
  /** Fetches that failed in a row. */
  readonly failures: number;
  readonly fetchDue: number;
  /** Whether the chain must be verified again: the roots or the numbers have changed. */
  readonly isVerifyDue: boolean;
}

interface Row extends Record<string, SqlStorageValue> {
  content: string;
  x5u: string;
  chain: string | null;
  signer: string | null;
  problem: string | null;
  fetched_at: number | null;
  failures: number;
  fetch_due: number;
  verify_due: number;
}

export class PassportRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  roots(): PassportRoot[] {
    return this.#sql
      .exec<{ content: string }>('SELECT content FROM passport_roots ORDER BY id')
      .toArray()
      .map(({ content }) => JSON.parse(content) as PassportRoot);
  }

  putRoot(root: PassportRoot): void {
    this.#sql.exec('INSERT OR REPLACE INTO passport_roots VALUES (?, ?)', root.id, JSON.stringify(root));
    this.#verifyAgain();
  }

  removeRoot(id: string): void {
    this.#sql.exec('DELETE FROM passport_roots WHERE id = ?', id);
    this.#verifyAgain();
  }

  #verifyAgain(): void {
    this.#sql.exec('UPDATE passport_certificates SET verify_due = 1');
  }

  certificates(): StoredCertificate[] {
    return this.#sql.exec<Row>('SELECT * FROM passport_certificates ORDER BY id').toArray().map(stored);
  }

  certificate(id: string): StoredCertificate | null {
    const [row] = this.#sql.exec<Row>('SELECT * FROM passport_certificates WHERE id = ?', id).toArray();
    return row === undefined ? null : stored(row);
  }

  put({ content, x5u, chain, signer, problem, ...rest }: StoredCertificate): void {
    const { fetchedAt, failures, fetchDue, isVerifyDue } = rest;
    this.#sql.exec(
      'INSERT OR REPLACE INTO passport_certificates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[content.id, content.url, JSON.stringify(content), x5u, chain, writtenSigner(signer), problem],
      ...[fetchedAt, failures, fetchDue, isVerifyDue ? 1 : 0],
    );
  }

  remove(id: string): void {
    this.#sql.exec('DELETE FROM passport_certificates WHERE id = ?', id);
  }

  /** The rows that the edge must have. @param now in ms since 1970 */
  published(now: number): PassportRow[] {
    return this.certificates().flatMap(({ content, x5u, signer }) => {
      if (signer === null || content.state === 'suspended' || signer.notAfter <= now) return [];
      const { key, notBefore, notAfter } = signer;
      return [
        {
          // Leave out the first byte, which only says that both coordinates follow.
          ...{ x5u, key: { alg: 'ES256', bytes: key.slice(1) } as const },
          ...{ notBefore: Math.ceil(notBefore / 1000), notAfter: Math.floor(notAfter / 1000) },
          spans: signerSpans(signer, content),
        },
      ];
    });
  }
}

/** The numbers that a certificate may sign for, including the numbers of its service provider codes. */
export function signerSpans(
  { authorizations }: SignerCertificate,
  { numbers }: Pick<PassportCertificate, 'numbers'>,
): Span[] {
  return authorizedNumbers(authorizations, numbers.map(parseRange));
}

/** @param written a number or a range, as the schema allows it */
function parseRange(written: string): Span {
  const [first, last = first] = written.replaceAll('+', '').split('..').map(Number) as [number, number?];
  return { from: first, to: last };
}

function stored({ content, x5u, chain, signer, problem, ...row }: Row): StoredCertificate {
  return {
    content: JSON.parse(content) as PassportCertificate,
    ...{ x5u, chain, problem, failures: row.failures },
    signer: signer === null ? null : readSigner(signer),
    fetchedAt: row.fetched_at,
    fetchDue: row.fetch_due,
    isVerifyDue: row.verify_due === 1,
  };
}

function writtenSigner(signer: SignerCertificate | null): string | null {
  return signer === null ? null : JSON.stringify({ ...signer, key: toBase64(signer.key) });
}

function readSigner(text: string): SignerCertificate {
  const signer = JSON.parse(text) as Omit<SignerCertificate, 'key'> & { readonly key: string };
  return { ...signer, key: fromBase64(signer.key)! };
}
