/**
 * Certificates as rows: the data that the edge needs, the status, and how far the registrations follow the certificate.
 */
import { CREDENTIAL_KINDS, type CredentialRow } from '../../shared/credentials/credential-table.ts';
import type { CredentialKey, KeyAlgorithm } from '../../shared/credentials/keys.ts';
import type { Status } from '../../shared/credentials/status-list.ts';
import { EXPIRED_KEPT_MS } from '../../shared/limits/credential-store.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { RegistrationReason } from '../../shared/senders/registration.ts';
import type { CertificateStanding } from '../storage/certified-port.ts';
import { Totals } from '../storage/totals.ts';
import { placeOf } from './places.ts';

/** Times of the certificate are in seconds since 1970, as in its claims. */
export interface StoredCertificate {
  readonly digest: string;
  readonly organisation: string;
  readonly issuer: string;
  /** Thumbprint of the key of the issuer. */
  readonly signer: string;
  readonly jws: string;
  /** The key of the holder. */
  readonly key: CredentialKey;
  readonly spans: readonly Span[];
  readonly nbf: number;
  readonly exp: number;
  readonly uri: string;
  readonly index: number;
  readonly status: Status;
  /** Whether the issuer is suspended, or may no longer sign this certificate. */
  readonly isHeld: boolean;
  readonly clients: readonly string[];
  readonly reference: string | null;
  /** The standing that the store of registrations knows; null until the registrations exist, or were refused. */
  readonly reported: CertificateStanding | null;
  /** IDs of the registrations, and the reasons if there are none. */
  readonly registrations: readonly string[];
  readonly reasons: readonly RegistrationReason[];
  /** ms since 1970. */
  readonly createdAt: number;
}

interface Row extends Record<string, SqlStorageValue> {
  digest: string;
  organisation: string;
  issuer: string;
  signer: string;
  jws: string;
  alg: string;
  key: ArrayBuffer;
  spans: string;
  nbf: number;
  exp: number;
  uri: string;
  idx: number;
  status: string;
  held: number;
  clients: string;
  reference: string | null;
  reported: string | null;
  registrations: string;
  reasons: string;
  created_at: number;
}

/** The standing that the registrations must follow. A reduced rate concerns only the edge. */
export function standingOf({
  status,
  isHeld,
}: Pick<StoredCertificate, 'status' | 'isHeld'>): CertificateStanding {
  if (status === 'revoked') return 'revoked';
  return isHeld || status === 'suspended' ? 'suspended' : 'valid';
}

export class CertificateRows {
  readonly #sql: SqlStorage;
  readonly #totals: Totals;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#totals = new Totals(sql);
  }

  get(digest: string): StoredCertificate | null {
    return this.#select('digest = ?', digest)[0] ?? null;
  }

  /** @param after digest of the last certificate on the previous page; null for the first page */
  page(organisation: string, after: string | null, limit: number): StoredCertificate[] {
    const last = after === null ? null : this.get(after);
    return this.#select(
      'organisation = ? AND (created_at, digest) > (?, ?) ORDER BY created_at, digest LIMIT ?',
      ...[organisation, last?.createdAt ?? 0, last?.digest ?? '', limit],
    );
  }

  add(certificate: StoredCertificate): void {
    const { digest, key, status, isHeld } = certificate;
    this.#sql.exec(
      `INSERT INTO certificates VALUES (${Array(22).fill('?').join(', ')})`,
      ...[digest, placeOf(digest), certificate.organisation, certificate.issuer, certificate.signer],
      ...[certificate.jws, key.alg, key.bytes.buffer, JSON.stringify(certificate.spans)],
      ...[certificate.nbf, certificate.exp, certificate.uri, certificate.index, status, isHeld ? 1 : 0],
      ...[JSON.stringify(certificate.clients), certificate.reference, standingOf(certificate)],
      ...[certificate.reported, JSON.stringify(certificate.registrations)],
      ...[JSON.stringify(certificate.reasons), certificate.createdAt],
    );
    this.#addTotals(certificate.organisation, 1);
  }

  #addTotals(organisation: string, many: number): void {
    this.#totals.add('certificates', many);
    this.#totals.add(totalOf(organisation), many);
  }

  /** @param status in the status list @param isHeld whether the issuer may not sign the certificate now */
  setStatus(digest: string, status: Status, isHeld: boolean): void {
    this.#sql.exec(
      'UPDATE certificates SET status = ?, held = ?, wanted = ? WHERE digest = ?',
      ...[status, isHeld ? 1 : 0, standingOf({ status, isHeld }), digest],
    );
  }

  /** Records that the store of registrations has this standing. */
  setReported(digest: string, standing: CertificateStanding): void {
    this.#sql.exec('UPDATE certificates SET reported = ? WHERE digest = ?', standing, digest);
  }

  setRegistered(
    digest: string,
    standing: CertificateStanding,
    registrations: readonly string[],
    reasons: readonly RegistrationReason[],
  ): void {
    this.#sql.exec(
      'UPDATE certificates SET reported = ?, registrations = ?, reasons = ? WHERE digest = ?',
      ...[standing, JSON.stringify(registrations), JSON.stringify(reasons), digest],
    );
  }

  /** Certificates whose registrations do not follow yet. */
  unreported(organisation: string, limit: number): StoredCertificate[] {
    return this.#select('reported IS NOT wanted AND organisation = ? LIMIT ?', organisation, limit);
  }

  get organisationsBehind(): string[] {
    return this.#sql
      .exec<{ organisation: string }>(
        'SELECT DISTINCT organisation FROM certificates WHERE reported IS NOT wanted ORDER BY organisation',
      )
      .toArray()
      .map(({ organisation }) => organisation);
  }

  /** Yields the stored entries of a list one by one, because all of them could fill the memory. Change none meanwhile. */
  *entries(uri: string): Generator<Pick<StoredCertificate, 'digest' | 'index' | 'status' | 'isHeld'>> {
    const rows = this.#sql.exec<Pick<Row, 'digest' | 'idx' | 'status' | 'held'>>(
      'SELECT digest, idx, status, held FROM certificates WHERE uri = ?',
      uri,
    );
    for (const { digest, idx, status, held } of rows)
      yield { digest, index: idx, status: status as Status, isHeld: held === 1 };
  }

  /** The stored certificate with the same signed content. The same content can have many valid signatures. */
  withContentOf({
    jws,
    uri,
    index,
  }: Pick<StoredCertificate, 'jws' | 'uri' | 'index'>): StoredCertificate | null {
    const content = jws.slice(0, jws.lastIndexOf('.') + 1);
    const where = 'uri = ? AND idx = ? AND substr(jws, 1, ?) = ? LIMIT 1';
    return this.#select(where, uri, index, content.length, content)[0] ?? null;
  }

  /** The certificates of one entry of a list. */
  withIndex(uri: string, index: number): Pick<StoredCertificate, 'digest' | 'isHeld'>[] {
    return this.#sql
      .exec<Pick<Row, 'digest' | 'held'>>(
        'SELECT digest, held FROM certificates WHERE uri = ? AND idx = ?',
        ...[uri, index],
      )
      .toArray()
      .map(({ digest, held }) => ({ digest, isHeld: held === 1 }));
  }

  /** Yields the certificates of an issuer, like `entries`. */
  *ofIssuer(
    issuer: string,
  ): Generator<Pick<StoredCertificate, 'digest' | 'signer' | 'spans' | 'status' | 'isHeld'>> {
    const rows = this.#sql.exec<Pick<Row, 'digest' | 'signer' | 'spans' | 'status' | 'held'>>(
      'SELECT digest, signer, spans, status, held FROM certificates WHERE issuer = ?',
      issuer,
    );
    for (const { digest, signer, spans, status, held } of rows) {
      const row = { digest, signer, spans: JSON.parse(spans) as Span[] };
      yield { ...row, status: status as Status, isHeld: held === 1 };
    }
  }

  /** Counts certificates that have not expired. @param where the column that must equal `value` */
  count(where: 'issuer' | 'uri', value: string, nowS: number): number {
    return this.#sql
      .exec<{ many: number }>(
        `SELECT COUNT(*) AS many FROM certificates WHERE ${where} = ? AND exp > ?`,
        ...[value, nowS],
      )
      .one().many;
  }

  /** Counts certificates of an issuer that have not expired, but that the issuer may not sign now. */
  countHeld(issuer: string, nowS: number): number {
    return this.#sql
      .exec<{ many: number }>(
        'SELECT COUNT(*) AS many FROM certificates WHERE issuer = ? AND held = 1 AND exp > ?',
        ...[issuer, nowS],
      )
      .one().many;
  }

  /** Counts certificates of an organisation that have neither expired nor been revoked. */
  countInForce(organisation: string, nowS: number): number {
    return this.#sql
      .exec<{ many: number }>(
        "SELECT COUNT(*) AS many FROM certificates WHERE organisation = ? AND exp > ? AND status <> 'revoked'",
        ...[organisation, nowS],
      )
      .one().many;
  }

  /** Counts all kept certificates. While they are kept, they are published and count towards the bounds. */
  get total(): number {
    return this.#totals.get('certificates');
  }

  totalOf(organisation: string): number {
    return this.#totals.get(totalOf(organisation));
  }

  /** The rows that the edge needs of these places. @param ownUri the list of the service, whose entry 0 is suspended */
  credentials(from: number, to: number, ownUri: string): CredentialRow[] {
    return this.#select('place BETWEEN ? AND ?', from, to).map((certificate) => ({
      ...{ digest: certificate.digest, kind: CREDENTIAL_KINDS[0], organisation: certificate.organisation },
      ...{ nbf: certificate.nbf, exp: certificate.exp, key: certificate.key, principal: null },
      ...{ spans: certificate.spans, scope: ['sms', 'voice'] },
      ...(certificate.isHeld
        ? { statusUri: ownUri, statusIndex: 0 }
        : { statusUri: certificate.uri, statusIndex: certificate.index }),
    }));
  }

  /** Removes certificates that expired long ago. @returns their digests */
  forget(nowMs: number): string[] {
    const until = Math.floor((nowMs - EXPIRED_KEPT_MS) / 1000);
    const removed = this.#sql
      .exec<{ digest: string; organisation: string }>(
        'DELETE FROM certificates WHERE exp <= ? RETURNING digest, organisation',
        until,
      )
      .toArray();
    for (const { organisation } of removed) this.#addTotals(organisation, -1);
    return removed.map(({ digest }) => digest);
  }

  #select(where: string, ...values: (string | number)[]): StoredCertificate[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM certificates WHERE ${where}`, ...values)
      .toArray()
      .map(certificateOf);
  }
}

function totalOf(organisation: string): string {
  return `certificates of ${organisation}`;
}

function certificateOf(row: Row): StoredCertificate {
  const { digest, organisation, issuer, signer, jws, nbf, exp, uri, reference } = row;
  return {
    ...{ digest, organisation, issuer, signer, jws, nbf, exp, uri, reference },
    key: { alg: row.alg as KeyAlgorithm, bytes: new Uint8Array(row.key) },
    spans: JSON.parse(row.spans) as Span[],
    ...{ index: row.idx, status: row.status as Status, isHeld: row.held === 1 },
    clients: JSON.parse(row.clients) as string[],
    reported: row.reported as CertificateStanding | null,
    registrations: JSON.parse(row.registrations) as string[],
    reasons: JSON.parse(row.reasons) as RegistrationReason[],
    createdAt: row.created_at,
  };
}
