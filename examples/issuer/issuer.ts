/**
 * An issuer of sender certificates: its key, what it has issued, and its status list. Everything is in one folder, which
 * only its owner may read. Several processes may use it at once: SQLite orders their changes.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deflateSync } from 'node:zlib';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

/** Values of an entry of the status list, in 2 bits each. */
export const STATUSES = ['valid', 'revoked', 'suspended', 'rateReduced'] as const;
export type Status = (typeof STATUSES)[number];

export const LINES = ['fixed', 'mobile', 'voip', 'representative'] as const;

const ALG = 'ES256';
const VCT = 'https://numgate.kr/vct/sender-certificate/1';
const BITS = 2;
const PER_BYTE = 8 / BITS;
/** Entries of the list. Unused ones hide how many certificates there are. */
const ENTRIES = 100_000;
const DAY_S = 86_400;
/** How long a copy of the list may be used, and after what time to fetch a new one, in s. */
const LIST_LIFE_S = DAY_S;
const LIST_TTL_S = 60;

/** Who issues, and where others find its status list. Both are in certificates, so they never change. */
export interface IssuerNames {
  /** The issuer, as numgate's configuration names it: an https URL. */
  readonly iss: string;
  /** URL of the status list. */
  readonly statusUri: string;
}

export interface CertificateRequest {
  /** Who holds the line: a name or a customer number, at most 64 characters. */
  readonly holder: string;
  /** E.164 with `+`, or ranges `+82221230000..+82221230099` within one block of 10,000. */
  readonly numbers: readonly string[];
  readonly line: (typeof LINES)[number];
  /** The holder's public key. */
  readonly key: JWK;
  readonly days: number;
}

export class Issuer {
  readonly names: IssuerNames;
  readonly #privateKey: JWK;
  readonly #database: DatabaseSync;

  private constructor(names: IssuerNames, privateKey: JWK, database: DatabaseSync) {
    this.names = names;
    this.#privateKey = privateKey;
    this.#database = database;
  }

  /** Makes the folder with a new key, unless it exists. */
  static async create(folder: string, names: IssuerNames): Promise<Issuer> {
    const path = join(folder, 'issuer.json');
    if (!existsSync(path)) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const { privateKey } = await generateKeyPair(ALG, { extractable: true });
      const jwk = await exportJWK(privateKey);
      const key = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: ALG };
      writeFileSync(`${path}.new`, JSON.stringify({ names, key }), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    }
    return Issuer.open(folder);
  }

  /** @throws if there is no issuer in the folder */
  static open(folder: string): Issuer {
    const { names, key } = JSON.parse(readFileSync(join(folder, 'issuer.json'), 'utf8')) as {
      readonly names: IssuerNames;
      readonly key: JWK;
    };
    const database = new DatabaseSync(join(folder, 'issued.sqlite'), { timeout: 5_000 });
    database.exec(`
      CREATE TABLE IF NOT EXISTS certificates (
        idx INTEGER PRIMARY KEY, jti TEXT UNIQUE NOT NULL, status INTEGER NOT NULL, certificate TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS lists (iat INTEGER NOT NULL);
      INSERT INTO lists SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM lists);`);
    return new Issuer(names, key, database);
  }

  /** The public key, for numgate's configuration and for everybody who verifies a certificate. */
  keys(): { readonly keys: readonly JWK[] } {
    const { d: _, ...publicKey } = this.#privateKey;
    return { keys: [{ ...publicKey, use: 'sig' }] };
  }

  /** @returns a `sender-certificate+jwt` */
  async issue({ holder, numbers, line, key, days }: CertificateRequest): Promise<string> {
    if ('d' in key) throw new Error('this is a private key: the holder sends only its public key');
    const jkt = await calculateJwkThumbprint(key);
    const jti = randomUUID();
    const insert = this.#database.prepare(
      `INSERT INTO certificates SELECT coalesce(max(idx) + 1, 0), ?, 0, '' FROM certificates RETURNING idx`,
    );
    const { idx } = insert.get(jti) as { idx: number };
    if (idx >= ENTRIES) throw new Error(`the status list is full: start another issuer with its own folder`);
    const now = seconds();
    const certificate = await this.#sign('sender-certificate+jwt', {
      ...{ vct: VCT, iss: this.names.iss, sub: holder, jti, iat: now, nbf: now, exp: now + days * DAY_S },
      ...{ nums: numbers, line, cnf: { jkt } },
      status: { status_list: { idx, uri: this.names.statusUri } },
    });
    this.#database.prepare('UPDATE certificates SET certificate = ? WHERE jti = ?').run(certificate, jti);
    return certificate;
  }

  /** @param jti of the certificate @throws if this issuer did not issue it, or has revoked it */
  setStatus(jti: string, status: Status): void {
    const revoked = STATUSES.indexOf('revoked');
    const update = 'UPDATE certificates SET status = ? WHERE jti = ? AND status <> ?';
    const { changes } = this.#database.prepare(update).run(STATUSES.indexOf(status), jti, revoked);
    if (changes === 0) throw new Error('there is no such certificate, or it is revoked, which is final');
  }

  /** The newest first. Without the certificates themselves, which contain numbers. */
  list(): { readonly jti: string; readonly idx: number; readonly status: Status }[] {
    const rows = this.#database.prepare('SELECT jti, idx, status FROM certificates ORDER BY idx DESC').all();
    return rows.map((row) => ({
      ...{ jti: String(row.jti), idx: Number(row.idx) },
      status: STATUSES[Number(row.status)]!,
    }));
  }

  /**
   * The list as it is now, a `statuslist+jwt`. Each one has a later `iat` than those before it, because readers refuse an
   * older one, and another one of the same second.
   */
  statusList(): Promise<string> {
    const bytes = new Uint8Array(ENTRIES / PER_BYTE);
    const next = this.#database.prepare('UPDATE lists SET iat = max(iat + 1, ?) RETURNING iat');
    const { iat } = next.get(seconds()) as { iat: number };
    for (const row of this.#database
      .prepare('SELECT idx, status FROM certificates WHERE status > 0')
      .iterate()) {
      const idx = Number(row.idx);
      bytes[Math.floor(idx / PER_BYTE)]! |= Number(row.status) << ((idx % PER_BYTE) * BITS);
    }
    const lst = deflateSync(bytes, { level: 9 }).toString('base64url');
    return this.#sign('statuslist+jwt', {
      ...{ iss: this.names.iss, sub: this.names.statusUri, iat, exp: iat + LIST_LIFE_S, ttl: LIST_TTL_S },
      status_list: { bits: BITS, lst },
    });
  }

  close(): void {
    this.#database.close();
  }

  async #sign(typ: string, claims: Readonly<Record<string, unknown>>): Promise<string> {
    const { kid } = this.#privateKey;
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALG, typ, ...(kid === undefined ? {} : { kid }) })
      .sign(await importJWK(this.#privateKey, ALG));
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
