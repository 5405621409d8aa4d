/** Text releases, newest last, and their sealed values, which are named by their content. */
import type { TextReleaseState } from '../../shared/admin/text.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import { readTextManifest, type TextManifest, textValuesOf } from '../../shared/text/text-manifest.ts';

/** A value of a release as pushed: sealed with one of the keys of LIST_KEY. */
export interface ReleaseValue extends NamedValue {
  /** ID of the key that seals the value. */
  readonly keyId: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface TextReleaseRow {
  readonly release: string;
  readonly manifest: TextManifest;
  readonly state: TextReleaseState;
  /** Share of the data centres that use a candidate, above 0 and below 1; null in all other states. */
  readonly share: number | null;
  readonly signed: SignedText;
  /** In ms since 1970. */
  readonly pushedAt: number;
  readonly pushedBy: string;
  /** When the release last became the candidate or the current release. */
  readonly promotedAt: number | null;
}

interface Row extends Record<string, SqlStorageValue> {
  release: string;
  state: string;
  share: number | null;
  signed: string;
  signature: string;
  pushed_at: number;
  pushed_by: string;
  promoted_at: number | null;
}

export class ReleaseRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Newest first. */
  get all(): TextReleaseRow[] {
    return this.#rows('ORDER BY place DESC');
  }

  get(release: string): TextReleaseRow | null {
    return this.#rows('WHERE release = ?', release)[0] ?? null;
  }

  get current(): TextReleaseRow | null {
    return this.#rows('WHERE state = ?', 'current')[0] ?? null;
  }

  get candidate(): TextReleaseRow | null {
    return this.#rows('WHERE state = ?', 'candidate')[0] ?? null;
  }

  /** Must run in a transaction. Values that several releases have are stored once. */
  insert(
    row: Pick<TextReleaseRow, 'release' | 'signed' | 'pushedAt' | 'pushedBy'>,
    values: readonly ReleaseValue[],
  ): void {
    const { release, signed, pushedAt, pushedBy } = row;
    this.#sql.exec(
      `INSERT INTO releases (release, state, signed, signature, pushed_at, pushed_by) VALUES (?, 'pushed', ?, ?, ?, ?)`,
      ...[release, signed.signed, signed.signature, pushedAt, pushedBy],
    );
    for (const { key, sha256, keyId, bytes } of values)
      this.#sql.exec(
        'INSERT OR IGNORE INTO release_values VALUES (?, ?, ?, 0, ?)',
        ...[key, sha256, keyId, bytes],
      );
  }

  /** The sealed values of releases, each once, without their bytes. */
  valuesOf(releases: readonly (TextReleaseRow | null)[]): Omit<ReleaseValue, 'bytes'>[] {
    const keys = releases.flatMap((each) =>
      each === null ? [] : textValuesOf(each.manifest).map(({ key }) => key),
    );
    return this.#sql
      .exec<{ key: string; sha256: string; keyId: string }>(
        `SELECT key, sha256, key_id AS keyId FROM release_values
         WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key`,
        JSON.stringify(keys),
      )
      .toArray();
  }

  /** The given values that KV may lack. */
  unwritten(values: readonly NamedValue[]): string[] {
    return this.#sql
      .exec<{ key: string }>(
        'SELECT key FROM release_values WHERE written = 0 AND key IN (SELECT value FROM json_each(?))',
        JSON.stringify(values.map(({ key }) => key)),
      )
      .toArray()
      .map(({ key }) => key);
  }

  setWritten(keys: readonly string[]): void {
    for (const key of keys) this.#sql.exec('UPDATE release_values SET written = 1 WHERE key = ?', key);
  }

  /** Marks other values as unwritten: the coordinator removes them from KV some time after the head last named them. */
  setNamed(values: readonly NamedValue[]): void {
    this.#sql.exec(
      'UPDATE release_values SET written = 0 WHERE written = 1 AND key NOT IN (SELECT value FROM json_each(?))',
      JSON.stringify(values.map(({ key }) => key)),
    );
  }

  bytes(key: string): Uint8Array<ArrayBuffer> | null {
    const [row] = this.#sql
      .exec<{ bytes: ArrayBuffer }>('SELECT bytes FROM release_values WHERE key = ?', key)
      .toArray();
    return row === undefined ? null : new Uint8Array(row.bytes);
  }

  /** Must run in a transaction, like all methods below. */
  setEnded(release: string, state: 'former' | 'withdrawn'): void {
    this.#sql.exec('UPDATE releases SET state = ?, share = NULL WHERE release = ?', state, release);
  }

  /** @param now in ms since 1970 */
  setCandidate(release: string, share: number, now: number): void {
    this.#sql.exec(
      `UPDATE releases SET promoted_at = CASE state WHEN 'candidate' THEN promoted_at ELSE ? END,
       state = 'candidate', share = ? WHERE release = ?`,
      ...[now, share, release],
    );
  }

  /** @param now in ms since 1970 */
  setCurrent(release: string, now: number): void {
    this.#sql.exec(
      `UPDATE releases SET state = 'current', share = NULL, promoted_at = ? WHERE release = ?`,
      ...[now, release],
    );
  }

  /** Removes the oldest releases except `kept`, and values that no other release has. @param most releases that remain */
  prune(most: number, kept: readonly string[]): void {
    const removable = this.all.filter(({ release }) => !kept.includes(release)).reverse();
    const removed = removable.slice(0, Math.max(0, this.all.length - most));
    if (removed.length === 0) return;
    for (const { release } of removed) this.#sql.exec('DELETE FROM releases WHERE release = ?', release);
    const keys = this.all.flatMap(({ manifest }) => textValuesOf(manifest).map(({ key }) => key));
    this.#sql.exec(
      'DELETE FROM release_values WHERE key NOT IN (SELECT value FROM json_each(?))',
      JSON.stringify(keys),
    );
  }

  #rows(where: string, ...values: (string | number)[]): TextReleaseRow[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM releases ${where}`, ...values)
      .toArray()
      .map((row) => ({
        ...{ release: row.release, manifest: readTextManifest(row.signed) },
        ...{ state: row.state as TextReleaseState, share: row.share },
        ...{ signed: { signed: row.signed, signature: row.signature } },
        ...{ pushedAt: row.pushed_at, pushedBy: row.pushed_by, promotedAt: row.promoted_at },
      }));
  }
}
