/**
 * The tables of the registry: the changes that not every readable release contains, the last batch of each
 * organisation, and the version. Each change has a version of its own, so two changes of one batch have an order.
 */
import {
  PUBLISH_RETRY_MS_MAX,
  REGISTRATION_CHANGES_MAX,
  REGISTRATION_CHANGES_PER_ORGANISATION_MAX,
  REGISTRATION_REMOVALS_PER_ORGANISATION_MAX,
  REGISTRATION_REMOVALS_RESERVE,
} from '../../shared/limits/registrations.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { REGISTRATION_OPS, type RegistrationRow } from '../../shared/senders/registration-segment.ts';
import type { PublishedChange, RegistryStatus } from '../storage/registry-port.ts';
import { isPossible } from './possible-change.ts';

/** Of an organisation, `n` and `digest` are those of its last batch, and `changes` counts its rows. `waiting_since` and
 * `refused_at` are the first and the last time that a batch was refused since a batch was accepted. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS organisations (
    organisation TEXT PRIMARY KEY,
    n INTEGER NOT NULL,
    digest TEXT NOT NULL,
    changes INTEGER NOT NULL,
    waiting_since INTEGER,
    refused_at INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS changes (
    version INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    "from" INTEGER NOT NULL,
    "to" INTEGER NOT NULL,
    op INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS changes_pair ON changes (client, "from", "to");
`;

/** How long after its last refusal an organisation counts as waiting, in ms. */
const WAITING_SHOWN_MS = 2 * PUBLISH_RETRY_MS_MAX;
/** Rows that one statement removes. */
const DROPPED_AT_ONCE = 20_000;

type Meta = 'version' | 'dropped' | 'started' | 'requeue' | 'changes';
type Row = { client: string; from: number; to: number; op: number; version: number };
type Organisation = {
  n: number;
  digest: string;
  changes: number;
  waiting_since: number | null;
  refused_at: number | null;
};

export class ChangeTable {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(TABLES);
  }

  /** 0 if it was never set. */
  get(key: Meta): number {
    const [row] = this.#sql.exec<{ value: number }>('SELECT value FROM meta WHERE key = ?', key).toArray();
    return row?.value ?? 0;
  }

  set(key: Meta, value: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO meta VALUES (?, ?)', key, value);
  }

  /** The last batch of an organisation; `n` is 0 if it has none. */
  lastBatch(organisation: string): { readonly n: number; readonly digest: string } {
    return this.#organisation(organisation);
  }

  #organisation(organisation: string): Organisation {
    const [row] = this.#sql
      .exec<Organisation>(
        'SELECT n, digest, changes, waiting_since, refused_at FROM organisations WHERE organisation = ?',
        organisation,
      )
      .toArray();
    return row ?? { n: 0, digest: '', changes: 0, waiting_since: null, refused_at: null };
  }

  /**
   * Applies a batch as a whole. Must run in a transaction.
   * @returns REGISTRATIONS_FULL if there is no room, CHANGE_IMPOSSIBLE for an invalid change; then nothing has changed
   */
  apply(
    organisation: string,
    n: number,
    digest: string,
    changes: readonly PublishedChange[],
  ): Result<void, Failure<'REGISTRATIONS_FULL' | 'CHANGE_IMPOSSIBLE'>> {
    const invalid = changes.find((change) => !isPossible(organisation, change));
    if (invalid !== undefined)
      return fail('CHANGE_IMPOSSIBLE', 'a change has impossible numbers, or a foreign client');
    const known = this.#organisation(organisation);
    const added = this.#added(changes);
    const room = this.#room(known, added);
    if (!room.ok) return room;
    let version = this.get('version');
    for (const { client, from, to, op } of changes) {
      this.#sql.exec(
        'INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?)',
        ...[++version, client, from, to, REGISTRATION_OPS.indexOf(op)],
      );
    }
    this.set('version', version);
    this.set('changes', this.get('changes') + added.all);
    const isAddition = changes.some(({ op }) => op !== 'remove');
    const waits = isAddition ? { waiting_since: null, refused_at: null } : {};
    this.#put(organisation, { ...known, n, digest, changes: known.changes + added.all, ...waits });
    return ok(undefined);
  }

  /** Rows that the changes add: a change of the same client and numbers replaces the earlier one. */
  #added(changes: readonly PublishedChange[]): { all: number; additions: number } {
    const seen = new Set<string>();
    let additions = 0;
    for (const { client, from, to, op } of changes) {
      const pair = `${client} ${from} ${to}`;
      const stored = this.#sql.exec(
        'SELECT 1 FROM changes WHERE client = ? AND "from" = ? AND "to" = ?',
        ...[client, from, to],
      );
      if (seen.has(pair) || stored.toArray().length > 0) continue;
      seen.add(pair);
      if (op !== 'remove') additions++;
    }
    return { all: seen.size, additions };
  }

  #room(
    known: Organisation,
    added: { all: number; additions: number },
  ): Result<void, Failure<'REGISTRATIONS_FULL'>> {
    const total = this.get('changes') + added.all;
    const remedy = 'build, push and promote three releases';
    if (total > REGISTRATION_CHANGES_MAX) {
      return fail('REGISTRATIONS_FULL', `there are ${REGISTRATION_CHANGES_MAX} changes: ${remedy}`);
    }
    const [isAddition, own] = [added.additions > 0, known.changes + added.all];
    if (isAddition && total > REGISTRATION_CHANGES_MAX - REGISTRATION_REMOVALS_RESERVE) {
      return fail('REGISTRATIONS_FULL', `the remaining room for changes is reserved for removals: ${remedy}`);
    }
    const limit = isAddition
      ? REGISTRATION_CHANGES_PER_ORGANISATION_MAX
      : REGISTRATION_REMOVALS_PER_ORGANISATION_MAX;
    // A batch that only replaces stored changes needs no room.
    if (added.all > 0 && own > limit) {
      return fail('REGISTRATIONS_FULL', `the organisation has ${limit} changes: ${remedy}`);
    }
    return ok(undefined);
  }

  /** Organisations that have published something, by ID. */
  get publishers(): string[] {
    return this.#sql
      .exec<{ organisation: string }>('SELECT organisation FROM organisations ORDER BY organisation')
      .toArray()
      .map(({ organisation }) => organisation);
  }

  /** Records after a loss of the table that the organisation has published something. */
  addPublisher(organisation: string): void {
    this.#put(organisation, this.#organisation(organisation));
  }

  /** Records that additions of the organisation were refused. */
  setWaiting(organisation: string, now: number): void {
    const known = this.#organisation(organisation);
    const since = this.#isWaiting(known, now) ? known.waiting_since : now;
    this.#put(organisation, { ...known, waiting_since: since, refused_at: now });
  }

  /** A store retries at least every PUBLISH_RETRY_MS_MAX. A store that stopped has closed the waiting registrations. */
  #isWaiting({ refused_at }: Organisation, now: number): boolean {
    return refused_at !== null && refused_at > now - WAITING_SHOWN_MS;
  }

  #put(organisation: string, { n, digest, changes, waiting_since, refused_at }: Organisation): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO organisations VALUES (?, ?, ?, ?, ?, ?)',
      ...[organisation, n, digest, changes, waiting_since, refused_at],
    );
  }

  /** Changes above `from` and up to `to`, in the order of their versions. */
  rows(from: number, to: number): RegistrationRow[] {
    return this.#sql
      .exec<Row>(
        `SELECT client, "from", "to", op, version FROM changes WHERE version > ? AND version <= ? ORDER BY version`,
        ...[from, to],
      )
      .toArray()
      .map((row) => ({ ...row, op: REGISTRATION_OPS[row.op]! }));
  }

  count(from: number, to: number): number {
    return this.#sql
      .exec<{ many: number }>(
        'SELECT COUNT(*) AS many FROM changes WHERE version > ? AND version <= ?',
        from,
        to,
      )
      .one().many;
  }

  /** The version of the change that is `count` changes after `from`, or null if there are fewer. */
  versionAfter(from: number, count: number): number | null {
    const [row] = this.#sql
      .exec<{ version: number }>(
        'SELECT version FROM changes WHERE version > ? ORDER BY version LIMIT 1 OFFSET ?',
        ...[from, count - 1],
      )
      .toArray();
    return row?.version ?? null;
  }

  /** Removes the changes up to a version. Call this until it returns false. @returns false once nothing is left to remove */
  drop(version: number): boolean {
    return this.#storage.transactionSync(() => {
      const { rowsWritten } = this.#sql.exec(
        'DELETE FROM changes WHERE version IN (SELECT version FROM changes WHERE version <= ? LIMIT ?)',
        ...[version, DROPPED_AT_ONCE],
      );
      if (rowsWritten > 0) return true;
      // Set `dropped` only now. If the object stops earlier, the removal starts again.
      this.set('dropped', Math.max(version, this.get('dropped')));
      this.#recount();
      return false;
    });
  }

  #recount(): void {
    // Organisations that still wait are refused again within minutes.
    this.#sql.exec('UPDATE organisations SET changes = 0, waiting_since = NULL, refused_at = NULL');
    this.#sql.exec(
      `INSERT INTO organisations (organisation, n, digest, changes)
       SELECT substr(client, 1, instr(client, '/') - 1) AS organisation, 0, '', COUNT(*) FROM changes GROUP BY organisation
       ON CONFLICT (organisation) DO UPDATE SET changes = excluded.changes`,
    );
    const { many } = this.#sql.exec<{ many: number }>('SELECT COUNT(*) AS many FROM changes').one();
    this.set('changes', many);
  }

  /**
   * Adds changes that a head had and this table may lack.
   * @param version version to continue from, above every version that readers can have seen
   */
  restore(rows: Iterable<RegistrationRow>, version: number, dropped: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('DELETE FROM changes WHERE version <= ?', dropped);
      for (const { client, from, to, op, version: at } of rows) {
        if (at <= dropped) continue;
        const [known] = this.#sql
          .exec<{ version: number }>(
            'SELECT version FROM changes WHERE client = ? AND "from" = ? AND "to" = ?',
            ...[client, from, to],
          )
          .toArray();
        if (known !== undefined && known.version >= at) continue;
        this.#sql.exec(
          'INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?)',
          ...[at, client, from, to, REGISTRATION_OPS.indexOf(op)],
        );
      }
      this.set('version', version);
      this.set('dropped', dropped);
      this.set('requeue', 1);
      this.#recount();
    });
  }

  status(now: number): Omit<RegistryStatus, 'used' | 'refused'> {
    const waiting = this.#sql
      .exec<{ organisation: string; since: number }>(
        `SELECT organisation, waiting_since AS since FROM organisations WHERE refused_at > ?
         ORDER BY waiting_since, organisation`,
        now - WAITING_SHOWN_MS,
      )
      .toArray();
    return {
      version: this.get('version'),
      droppedVersion: this.get('dropped'),
      changes: this.get('changes'),
      waiting,
    };
  }
}
