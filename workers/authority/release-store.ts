/**
 * The releases in SQLite: which there are, in which state, and in which order they became current.
 */
import type { ReleaseInfo, ReleaseState } from '../../shared/admin.ts';
import { RELEASES_BACK } from '../../shared/limits.ts';
import { releaseKey } from '../../shared/release/kv-keys.ts';
import { blobsOf, type Manifest } from '../../shared/release/manifest.ts';
import type { SignedText } from '../../shared/release/signed.ts';

interface Row extends Record<string, SqlStorageValue> {
  release: string;
  state: string;
  manifest: string;
  signature: string;
  staged_at: number;
  staged_by: string;
  refusal_code: string | null;
  refusal_message: string | null;
  /** Order of promotion; null for what never was current. */
  place: number | null;
  promoted_at: number | null;
  promoted_by: string | null;
  share: number | null;
  withdrawn_at: number | null;
}

export interface StoredRelease {
  readonly release: string;
  readonly state: ReleaseState;
  readonly signed: SignedText;
  readonly manifest: Manifest;
  readonly stagedAt: number;
  readonly stagedBy: string;
  readonly refusal: ReleaseInfo['refusal'];
  readonly place: number | null;
  readonly promotedAt: number | null;
  readonly promotedBy: string | null;
  /** Share of the data centres, of a candidate. */
  readonly share: number | null;
  /** When it was taken back from all, or from its first trial. */
  readonly withdrawnAt: number | null;
}

/** Releases that are told of where a base has moved. */
const SINCE_MAX = 100;

export class ReleaseStore {
  readonly #sql: SqlStorage;
  /** Rises with every write. */
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

  /** The releases before the current one that rollback can go to, the newest first. */
  get back(): StoredRelease[] {
    return this.#select(
      `WHERE state = 'superseded' AND place >= COALESCE((SELECT value FROM meta WHERE key = 'backPlace'), 0) + 0
       ORDER BY place DESC LIMIT ?`,
      RELEASES_BACK,
    );
  }

  /** What a reader may be asked to read: current, candidate, and those before. */
  get readable(): StoredRelease[] {
    return [this.current, this.candidate, ...this.back].filter((release) => release !== null);
  }

  isReadable(release: string): boolean {
    return this.readable.some((readable) => readable.release === release);
  }

  /** All releases, the newest first. */
  list(limit: number): StoredRelease[] {
    return this.#select('ORDER BY staged_at DESC, release DESC LIMIT ?', limit);
  }

  /** What became current behind a place and was not taken back, oldest first; the newest where there are many. */
  since(place: number): { release: string; by: string; promotedAt: string }[] {
    return this.#sql
      .exec<{ release: string; promoted_by: string; promoted_at: number }>(
        `SELECT release, promoted_by, promoted_at FROM releases
         WHERE place > ? AND state IN ('promoted', 'superseded') ORDER BY place DESC LIMIT ?`,
        ...[place, SINCE_MAX],
      )
      .toArray()
      .reverse()
      .map(({ release, promoted_by: by, promoted_at: at }) => ({
        ...{ release, by, promotedAt: new Date(at).toISOString() },
      }));
  }

  /** Releases that are waiting, or were taken back, since some time: their values are still wanted. */
  waiting(since: number): StoredRelease[] {
    return this.#select(
      "WHERE (state = 'staged' AND staged_at > ?) OR (state = 'withdrawn' AND withdrawn_at > ?)",
      ...[since, since],
    );
  }

  /** Keys of all values that readable releases name, and releases that are waiting since some time. */
  keysWanted(since: number): ReadonlySet<string> {
    const releases = [...this.readable, ...this.waiting(since)];
    return new Set(
      releases.flatMap(({ release, manifest }) => [
        releaseKey(release),
        ...blobsOf(manifest).map(({ key }) => key),
      ]),
    );
  }

  insert({ release }: Manifest, { signed, signature }: SignedText, by: string, at: number): void {
    this.version++;
    this.#sql.exec(
      `INSERT INTO releases (release, state, manifest, signature, staged_at, staged_by)
       VALUES (?, 'staged', ?, ?, ?, ?)`,
      ...[release, signed, signature, at, by],
    );
  }

  /** Why a release was not promoted. @param final whether it never can be */
  setRefusal(release: string, code: string, message: string, final: boolean): void {
    this.version++;
    this.#sql.exec(
      'UPDATE releases SET refusal_code = ?, refusal_message = ? WHERE release = ?',
      ...[code, message, release],
    );
    // What another admin has made current meanwhile was found right, and stays so.
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

  /** Put a release on trial: what stood against it before does so no more. */
  setCandidate(release: string, share: number | null): void {
    this.version++;
    this.#sql.exec(
      `UPDATE releases SET state = 'candidate', share = ?, refusal_code = NULL, refusal_message = NULL
       WHERE release = ?`,
      ...[share, release],
    );
  }

  /**
   * Take a release back. One that was current before, and only went on trial again, is still a way back,
   * unless it was taken back from all once.
   * @returns what it is now
   */
  withdraw({ release, state, place, withdrawnAt }: StoredRelease, at: number): ReleaseState {
    const isWayBack = state === 'candidate' && place !== null && withdrawnAt === null;
    const next = isWayBack ? 'superseded' : 'withdrawn';
    this.setState(release, next);
    if (!isWayBack) this.#sql.exec('UPDATE releases SET withdrawn_at = ? WHERE release = ?', at, release);
    return next;
  }

  /** Make a release the current one, behind all that were. */
  setPromoted(release: string, by: string, at: number): void {
    this.version++;
    this.#sql.exec("UPDATE releases SET state = 'superseded' WHERE state = 'promoted'");
    this.#sql.exec(
      `UPDATE releases SET state = 'promoted', share = NULL, promoted_at = ?, promoted_by = ?, withdrawn_at = NULL,
       refusal_code = NULL, refusal_message = NULL,
       place = (SELECT COALESCE(MAX(place), 0) + 1 FROM releases) WHERE release = ?`,
      ...[at, by, release],
    );
  }

  #select(where: string, ...values: SqlStorageValue[]): StoredRelease[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM releases ${where}`, ...values)
      .toArray()
      .map(storedOf);
  }
}

function storedOf(row: Row): StoredRelease {
  return {
    release: row.release,
    state: row.state as ReleaseState,
    signed: { signed: row.manifest, signature: row.signature },
    // Opened and checked when it was staged.
    manifest: JSON.parse(row.manifest) as Manifest,
    stagedAt: row.staged_at,
    stagedBy: row.staged_by,
    refusal:
      row.refusal_code === null ? null : { code: row.refusal_code, message: row.refusal_message ?? '' },
    place: row.place,
    promotedAt: row.promoted_at,
    promotedBy: row.promoted_by,
    share: row.share,
    withdrawnAt: row.withdrawn_at,
  };
}

/** A release as it is told. */
export function releaseInfo(stored: StoredRelease, readable: boolean): ReleaseInfo {
  const { release, state, manifest, stagedAt, stagedBy, refusal, promotedAt } = stored;
  return {
    release,
    state,
    base: manifest.base,
    foldedSeq: manifest.foldedSeq,
    stagedAt: new Date(stagedAt).toISOString(),
    by: stagedBy,
    refusal,
    promotedAt: promotedAt === null ? null : new Date(promotedAt).toISOString(),
    readable,
    numbers: manifest.lists.reduce((sum, { numbers, dated }) => sum + numbers + dated, 0),
    bytes: blobsOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
