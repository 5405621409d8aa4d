/**
 * The releases in SQLite: their states, and the order in which they became current.
 */
import type { ReleaseInfo, ReleaseState } from '../../shared/admin/releases.ts';
import { RELEASES_BACK } from '../../shared/limits/control.ts';
import { releaseKey } from '../../shared/release/kv-keys.ts';
import { blobsOf, type Manifest } from '../../shared/release/manifest.ts';
import type { SignedText } from '../../shared/release/signed.ts';

export interface StoredRelease {
  readonly release: string;
  readonly state: ReleaseState;
  readonly signed: SignedText;
  readonly manifest: Manifest;
  readonly stagedAt: number;
  readonly stagedBy: string;
  readonly refusal: ReleaseInfo['refusal'];
  /** Order of promotion; null if it was never current. */
  readonly place: number | null;
  readonly promotedAt: number | null;
  /** Share of the data centres, for a canary. */
  readonly share: number | null;
  /** When the release was withdrawn, either as the current release or as a first-time canary. */
  readonly withdrawnAt: number | null;
  /** The authorities whose lists the release changed when it last became current or the canary; null if not known. */
  readonly authorities: readonly string[] | null;
}

/** A row of COLUMNS. */
type Row = Omit<StoredRelease, 'signed' | 'manifest' | 'refusal' | 'authorities'> & {
  readonly authorities: string | null;
  readonly manifest: string;
  readonly signature: string;
  readonly code: string | null;
  readonly message: string | null;
};
const COLUMNS = `release, state, manifest, signature, staged_at AS stagedAt, staged_by AS stagedBy,
  refusal_code AS code, refusal_message AS message, place, promoted_at AS promotedAt, share,
  withdrawn_at AS withdrawnAt, authorities`;

/** Maximum releases listed when the base has moved. */
const SINCE_MAX = 100;

export class ReleaseStore {
  readonly #sql: SqlStorage;
  /** Incremented on every write. */
  version = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get(release: string): StoredRelease | null {
    return this.#select('WHERE release = ?', release)[0] ?? null;
  }

  get current(): StoredRelease | null {
    return this.#select("WHERE state = 'promoted'")[0] ?? null;
  }

  get candidate(): StoredRelease | null {
    return this.#select("WHERE state = 'candidate'")[0] ?? null;
  }

  /** The earlier releases that rollback can return to, newest first. */
  get back(): StoredRelease[] {
    return this.#select(
      `WHERE state = 'superseded' AND place >= COALESCE((SELECT value FROM meta WHERE key = 'backPlace'), 0) + 0
       ORDER BY place DESC LIMIT ?`,
      RELEASES_BACK,
    );
  }

  /** The releases that readers may need: current, canary, and the earlier ones that rollback can return to. */
  get readable(): StoredRelease[] {
    return [this.current, this.candidate, ...this.back].filter((release) => release !== null);
  }

  /** All releases, newest first. */
  list(limit: number): ReleaseInfo[] {
    const stored = this.#select('ORDER BY staged_at DESC, release DESC LIMIT ?', limit);
    return stored.map((release) => this.info(release));
  }

  /**
   * Releases promoted after a place and not withdrawn, oldest first. If there are too many, only the newest.
   */
  since(place: number): { release: string; by: string; promotedAt: string }[] {
    return this.#sql
      .exec<{ release: string; by: string; at: number }>(
        `SELECT release, promoted_by AS "by", promoted_at AS at FROM releases
         WHERE place > ? AND state IN ('promoted', 'superseded') ORDER BY place DESC LIMIT ?`,
        ...[place, SINCE_MAX],
      )
      .toArray()
      .reverse()
      .map(({ at, ...row }) => ({ ...row, promotedAt: new Date(at).toISOString() }));
  }

  /** Keys of all values of readable releases, and of releases staged or withdrawn after `since`. */
  keysWanted(since: number): ReadonlySet<string> {
    const waiting = this.#select(
      "WHERE (state = 'staged' AND staged_at > ?) OR (state = 'withdrawn' AND withdrawn_at > ?)",
      ...[since, since],
    );
    const keys = [...this.readable, ...waiting].flatMap(({ release, manifest }) => [
      releaseKey(release),
      ...blobsOf(manifest).map(({ key }) => key),
    ]);
    return new Set(keys);
  }

  insert({ release }: Manifest, { signed, signature }: SignedText, by: string, at: number): void {
    this.version++;
    this.#sql.exec(
      `INSERT INTO releases (release, state, manifest, signature, staged_at, staged_by)
       VALUES (?, 'staged', ?, ?, ?, ?)`,
      ...[release, signed, signature, at, by],
    );
  }

  /**
   * Stores why a release was not promoted.
   * @param final whether it can never be promoted
   */
  setRefusal(release: string, code: string, message: string, final: boolean): void {
    this.version++;
    this.#sql.exec(
      'UPDATE releases SET refusal_code = ?, refusal_message = ? WHERE release = ?',
      ...[code, message, release],
    );
    // A release that another admin promoted in the meantime passed its checks, and keeps its state.
    if (final) {
      this.#sql.exec(
        "UPDATE releases SET state = 'refused' WHERE release = ? AND state NOT IN ('promoted', 'candidate')",
        release,
      );
    }
  }

  setState(release: string, state: ReleaseState): void {
    this.version++;
    this.#sql.exec('UPDATE releases SET state = ?, share = NULL WHERE release = ?', state, release);
  }

  /** Makes a release the canary and clears its earlier refusal. */
  setCandidate(release: string, share: number | null, authorities: readonly string[] | null): void {
    this.version++;
    this.#sql.exec(
      `UPDATE releases SET state = 'candidate', share = ?, refusal_code = NULL, refusal_message = NULL,
       authorities = ? WHERE release = ?`,
      ...[share, jsonOf(authorities), release],
    );
  }

  /**
   * Withdraws a release. A canary that was current before stays available for rollback, unless it was
   * withdrawn since its last promotion to all.
   * @returns the new state of the release
   */
  withdraw({ release, state, place, withdrawnAt }: StoredRelease, at: number): ReleaseState {
    const isWayBack = state === 'candidate' && place !== null && withdrawnAt === null;
    const next = isWayBack ? 'superseded' : 'withdrawn';
    this.setState(release, next);
    if (!isWayBack) this.#sql.exec('UPDATE releases SET withdrawn_at = ? WHERE release = ?', at, release);
    return next;
  }

  /** Makes a release the current one, with the next place in the order. */
  setPromoted(release: string, by: string, at: number, authorities: readonly string[] | null): void {
    this.version++;
    this.#sql.exec("UPDATE releases SET state = 'superseded' WHERE state = 'promoted'");
    this.#sql.exec(
      `UPDATE releases SET state = 'promoted', share = NULL, promoted_at = ?, promoted_by = ?, withdrawn_at = NULL,
       refusal_code = NULL, refusal_message = NULL, authorities = ?,
       place = (SELECT COALESCE(MAX(place), 0) + 1 FROM releases) WHERE release = ?`,
      ...[at, by, jsonOf(authorities), release],
    );
  }

  #select(where: string, ...values: SqlStorageValue[]): StoredRelease[] {
    return this.#sql
      .exec<Row>(`SELECT ${COLUMNS} FROM releases ${where}`, ...values)
      .toArray()
      .map(({ manifest, signature, code, message, authorities, ...row }) => ({
        ...row,
        authorities: authorities === null ? null : (JSON.parse(authorities) as string[]),
        signed: { signed: manifest, signature },
        // Already validated when it was staged.
        manifest: JSON.parse(manifest) as Manifest,
        refusal: code === null ? null : { code, message: message ?? '' },
      }));
  }

  /** A release as the admin API shows it. */
  info({ release, state, manifest, stagedAt, stagedBy, refusal, promotedAt }: StoredRelease): ReleaseInfo {
    return {
      release,
      state,
      base: manifest.base,
      foldedSeq: manifest.foldedSeq,
      stagedAt: new Date(stagedAt).toISOString(),
      by: stagedBy,
      refusal,
      promotedAt: promotedAt === null ? null : new Date(promotedAt).toISOString(),
      readable: this.readable.some((readable) => readable.release === release),
      keyId: manifest.keyId,
      numbers: manifest.lists.reduce((sum, { numbers, dated }) => sum + numbers + dated, 0),
      bytes: blobsOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }
}

function jsonOf(names: readonly string[] | null): string | null {
  return names === null ? null : JSON.stringify(names);
}
