/** Months as rows: the figures of open months, and the versions of closed months. A recorded version never changes. */
import type { Actor } from '../../shared/admin/actor.ts';
import type { KeptVersion, PublishedTable } from '../../shared/statistics/published.ts';

export interface OpenMonth {
  readonly month: string;
  /** Day in Korea on which the figures were counted. */
  readonly day: string;
  /** ms since 1970. */
  readonly at: number;
  readonly tables: readonly PublishedTable[];
  /** The largest value of each cell that readers have seen on any day. */
  readonly reached: Readonly<Record<string, number>>;
}

export interface StoredVersion {
  readonly month: string;
  readonly version: number;
  /** ms since 1970. */
  readonly at: number;
  readonly kept: KeptVersion;
  /** See RecordedMonth. */
  readonly digest: string;
  readonly salt: string;
  readonly exactDigest: string;
  /** The actor who requested the correction; null for the service. */
  readonly actor: Actor | null;
  readonly reason: string | null;
  /** Whether the audit log has the version. Until then, the version is not published. */
  readonly isRecorded: boolean;
}

type VersionRow = {
  month: string;
  version: number;
  at: number;
  kept: string;
  digest: string;
  salt: string;
  exact_digest: string;
  actor: string | null;
  reason: string | null;
  recorded: number;
};

export class MonthRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  open(month: string): OpenMonth | null {
    const [row] = this.#sql
      .exec<{ month: string; day: string; at: number; tables: string; reached: string }>(
        'SELECT * FROM open_months WHERE month = ?',
        month,
      )
      .toArray();
    if (row === undefined) return null;
    return {
      ...row,
      tables: JSON.parse(row.tables) as PublishedTable[],
      reached: JSON.parse(row.reached) as Record<string, number>,
    };
  }

  putOpen({ month, day, at, tables, reached }: OpenMonth): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO open_months VALUES (?, ?, ?, ?, ?)',
      ...[month, day, at, JSON.stringify(tables), JSON.stringify(reached)],
    );
  }

  /** Oldest version first. */
  versions(month: string): StoredVersion[] {
    return this.#sql
      .exec<VersionRow>('SELECT * FROM versions WHERE month = ? ORDER BY version', month)
      .toArray()
      .map(versionOf);
  }

  unrecorded(): StoredVersion | null {
    const [row] = this.#sql
      .exec<VersionRow>('SELECT * FROM versions WHERE recorded = 0 ORDER BY month, version LIMIT 1')
      .toArray();
    return row === undefined ? null : versionOf(row);
  }

  add(version: Omit<StoredVersion, 'isRecorded'>): void {
    const { month, version: n, at, kept, digest, salt, exactDigest, actor, reason } = version;
    this.#sql.exec(
      'INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)',
      ...[month, n, at, JSON.stringify(kept), digest, salt, exactDigest],
      ...[actor && JSON.stringify(actor), reason],
    );
  }

  setRecorded({ month, version }: StoredVersion): void {
    this.#sql.exec('UPDATE versions SET recorded = 1 WHERE month = ? AND version = ?', month, version);
  }

  /** The newest published version of each closed month, without its content. Newest month first. */
  closed(before: string | null, limit: number): Pick<StoredVersion, 'month' | 'version' | 'at' | 'digest'>[] {
    return this.#sql
      .exec<{ month: string; version: number; at: number; digest: string }>(
        `SELECT month, MAX(version) AS version, at, digest FROM versions
         WHERE recorded = 1 AND month < ? GROUP BY month ORDER BY month DESC LIMIT ?`,
        ...[before ?? '9999-99', limit],
      )
      .toArray();
  }

  has(month: string): boolean {
    return this.#sql.exec('SELECT 1 FROM versions WHERE month = ? LIMIT 1', month).toArray().length > 0;
  }

  areChecksRead(month: string): boolean {
    return this.#sql.exec('SELECT 1 FROM checks_read WHERE month = ?', month).toArray().length > 0;
  }

  setChecksRead(month: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO checks_read VALUES (?)', month);
  }
}

function versionOf(row: VersionRow): StoredVersion {
  const { month, version, at, digest, salt, reason } = row;
  return {
    ...{ month, version, at, digest, salt, reason, exactDigest: row.exact_digest },
    kept: JSON.parse(row.kept) as KeptVersion,
    actor: row.actor === null ? null : (JSON.parse(row.actor) as Actor),
    isRecorded: row.recorded === 1,
  };
}
