/** Issuers as rows. All of them, at most ISSUERS_MAX, are opened in memory. */
import type { Issuer } from '../../shared/admin/credentials.ts';
import { type OpenedIssuer, openIssuer } from '../../shared/admin/issuer-rights.ts';

export interface StoredIssuer {
  readonly issuer: Issuer;
  readonly rights: OpenedIssuer;
}

export class Issuers {
  readonly #sql: SqlStorage;
  #opened: ReadonlyMap<string, StoredIssuer> = new Map();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Must be called once before anything else. */
  async open(): Promise<void> {
    const rows = this.#sql
      .exec<{ document: string }>('SELECT document FROM issuers ORDER BY id')
      .toArray()
      .map(({ document }) => JSON.parse(document) as Issuer);
    const opened = await Promise.all(
      rows.map(async (issuer) => ({ issuer, rights: await openIssuer(issuer) })),
    );
    // Every issuer was opened before it was stored, so opening it again succeeds.
    this.#opened = new Map(
      opened.flatMap(({ issuer, rights }) =>
        rights.ok ? [[issuer.id, { issuer, rights: rights.value }] as const] : [],
      ),
    );
  }

  get all(): StoredIssuer[] {
    return [...this.#opened.values()];
  }

  /** Issuers that may sign now. */
  get active(): StoredIssuer[] {
    return this.all.filter(({ issuer }) => issuer.state === 'active');
  }

  get(id: string): StoredIssuer | null {
    return this.#opened.get(id) ?? null;
  }

  /** The issuer whose status lists may be on this host. A host belongs to one issuer. */
  byHost(host: string): StoredIssuer | null {
    return this.all.find(({ issuer }) => issuer.statusHosts.includes(host)) ?? null;
  }

  /** Must run in a transaction. @param stored null to remove the issuer */
  put(id: string, stored: StoredIssuer | null): void {
    const others = new Map([...this.#opened].filter(([other]) => other !== id));
    if (stored === null) this.#sql.exec('DELETE FROM issuers WHERE id = ?', id);
    else {
      const { issuer } = stored;
      this.#sql.exec(
        'INSERT OR REPLACE INTO issuers VALUES (?, ?, ?)',
        id,
        issuer.iss,
        JSON.stringify(issuer),
      );
      others.set(id, stored);
    }
    this.#opened = new Map([...others].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}
