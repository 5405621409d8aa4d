/**
 * An issuer of sender certificates: its key, the certificates that it has issued, and its status list. Everything is in one
 * folder, which only its owner may read. Several processes may use it at once: SQLite orders their changes.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deflateSync } from 'node:zlib';
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose';
import { type CertificateRequest, checkRequest, type IssuerNames } from './request.ts';

/** Values of an entry of the status list, in 2 bits each. */
export const STATUSES = ['valid', 'revoked', 'suspended', 'rateReduced'] as const;
export type Status = (typeof STATUSES)[number];

/** Maximum number of keys of an issuer that verifiers accept at once. */
const KEYS_MAX = 4;
const ALG = 'ES256';
const VCT = 'https://numgate.kr/vct/sender-certificate/1';
const BITS = 2;
const PER_BYTE = 8 / BITS;
/** Entries of the list. The unused entries hide how many certificates exist. */
const ENTRIES = 100_000;
const DAY_S = 86_400;
/** How long a copy of the list may be used, and when to fetch a new one, in s. */
const LIST_LIFE_S = DAY_S;
const LIST_TTL_S = 60;

/** The content of issuer.json. */
interface IssuerFile {
  readonly names: IssuerNames;
  /** The private key that signs. */
  readonly key: JWK;
  /** Public parts of former keys, newest first. Their certificates are still valid. */
  readonly formerKeys?: readonly JWK[];
}

export class Issuer {
  readonly names: IssuerNames;
  readonly #folder: string;
  #file: IssuerFile;
  readonly #database: DatabaseSync;

  private constructor(folder: string, file: IssuerFile, database: DatabaseSync) {
    this.names = file.names;
    this.#folder = folder;
    this.#file = file;
    this.#database = database;
  }

  /** Creates the folder with a new key, unless it exists. */
  static async create(folder: string, names: IssuerNames): Promise<Issuer> {
    if (!existsSync(fileIn(folder))) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      write(folder, { names, key: await newKey() });
    }
    return Issuer.open(folder);
  }

  /** @throws if there is no issuer in the folder */
  static open(folder: string): Issuer {
    const file = JSON.parse(readFileSync(fileIn(folder), 'utf8')) as IssuerFile;
    const database = new DatabaseSync(join(folder, 'issued.sqlite'), { timeout: 5_000 });
    database.exec(`
      CREATE TABLE IF NOT EXISTS certificates (
        idx INTEGER PRIMARY KEY, jti TEXT UNIQUE NOT NULL, status INTEGER NOT NULL, certificate TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS lists (iat INTEGER NOT NULL);
      INSERT INTO lists SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM lists);`);
    return new Issuer(folder, file, database);
  }

  /** The public keys, for numgate's configuration and for everyone who verifies a certificate. The first one signs. */
  keys(): { readonly keys: readonly JWK[] } {
    const { key, formerKeys = [] } = this.#file;
    return { keys: [publicPart(key), ...formerKeys] };
  }

  /**
   * Makes a new key, which signs from now on. The previous key stays in `keys`. An older key stays while one of its
   * certificates has not ended.
   * @throws if there would be more keys than verifiers accept
   */
  async rotate(): Promise<void> {
    const inUse = this.#keysInUse();
    const [current, ...former] = this.keys().keys;
    // The current key stays in any case, because it may have signed the status list that readers have now.
    const formerKeys = [current!, ...former.filter(({ kid = '' }) => inUse.has(kid))];
    if (formerKeys.length >= KEYS_MAX)
      throw new Error(
        `${KEYS_MAX} keys have certificates that are still valid: rotate once those of the oldest key have expired`,
      );
    this.#file = { names: this.names, key: await newKey(), formerKeys };
    write(this.#folder, this.#file);
  }

  /** Returns the `kid` of each key with a certificate that has not ended. */
  #keysInUse(): Set<string> {
    const kids = new Set<string>();
    const rows = this.#database
      .prepare("SELECT certificate FROM certificates WHERE certificate <> ''")
      .iterate();
    for (const { certificate } of rows) {
      const jws = String(certificate);
      if (decodeJwt(jws).exp! > seconds()) kids.add(decodeProtectedHeader(jws).kid!);
    }
    return kids;
  }

  /** @returns a `sender-certificate+jwt` @throws if verifiers would refuse a claim; nothing is issued then */
  async issue(request: CertificateRequest): Promise<string> {
    checkRequest(request);
    const { holder, numbers, line, key, days } = request;
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
    if (changes === 0)
      throw new Error('there is no such certificate, or it is already revoked, which is final');
  }

  /** All certificates, newest first. Without the certificates themselves, because they contain numbers. */
  list(): { readonly jti: string; readonly idx: number; readonly status: Status }[] {
    const rows = this.#database.prepare('SELECT jti, idx, status FROM certificates ORDER BY idx DESC').all();
    return rows.map((row) => ({
      ...{ jti: String(row.jti), idx: Number(row.idx) },
      status: STATUSES[Number(row.status)]!,
    }));
  }

  /**
   * The current list, as a `statuslist+jwt`. Each one gets a later `iat` than all previous ones, because readers refuse a list
   * that is older or has the same second.
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
    const { key } = this.#file;
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALG, typ, kid: key.kid! })
      .sign(await importJWK(key, ALG));
  }
}

function fileIn(folder: string): string {
  return join(folder, 'issuer.json');
}

/** Replaces the whole file at once, so a reader sees either the old or the new content. */
function write(folder: string, file: IssuerFile): void {
  const path = fileIn(folder);
  writeFileSync(`${path}.new`, JSON.stringify(file), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALG, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: ALG };
}

function publicPart({ d: _, ...key }: JWK): JWK {
  return { ...key, use: 'sig' };
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
