/** Notices as rows. A notice never changes, except for its deliveries and its answer. */
import { NOTICES_COUNTED_MAX } from '../../shared/limits/notices.ts';
import type {
  Acknowledgement,
  NewNotice,
  Notice,
  NoticeRecord,
  NoticeType,
} from '../../shared/notices/notice.ts';
import { wireTypeOf } from '../../shared/notices/notice.ts';
import type { NoticeQuery } from '../storage/notices-port.ts';
import type { Meta } from './meta.ts';

/** Times are in ms since 1970. */
export interface StoredNotice {
  readonly version: number;
  readonly type: NoticeType;
  readonly at: number;
  readonly keptAt: number;
  readonly subject: string;
  /** JSON. */
  readonly data: string;
  readonly isMock: boolean;
  readonly respondBy: number | null;
  /** When the first webhook accepted the notice. */
  readonly deliveredAt: number | null;
  readonly attempts: number;
  readonly acknowledgement: Acknowledgement | null;
  /** When the first answer came. */
  readonly acknowledgedAt: number | null;
}

interface Row extends Record<string, SqlStorageValue> {
  version: number;
  type: string;
  at: number;
  kept_at: number;
  subject: string;
  data: string;
  mock: number;
  respond_by: number | null;
  delivered_at: number | null;
  attempts: number;
  informed: number | null;
  informed_at: number | null;
  note: string | null;
  acknowledged_at: number | null;
}

export class NoticeRows {
  readonly #sql: SqlStorage;
  readonly #meta: Meta;

  constructor(sql: SqlStorage, meta: Meta) {
    this.#sql = sql;
    this.#meta = meta;
  }

  /** Version of the newest notice that was ever kept; 0 before the first. */
  get lastVersion(): number {
    return this.#meta.number('lastVersion');
  }

  /** Version of the oldest notice that is kept; one more than the last if there is none. */
  get firstVersion(): number {
    return this.#oldest?.version ?? this.lastVersion + 1;
  }

  /** How many notices are kept. Versions have no gaps, and the oldest notices are removed first. */
  get count(): number {
    return this.lastVersion - this.firstVersion + 1;
  }

  /** When the oldest kept notice arrived, in ms since 1970; null if there is none. */
  get oldestKeptAt(): number | null {
    return this.#oldest?.kept_at ?? null;
  }

  hasKey(key: string): boolean {
    return this.#sql.exec('SELECT 1 FROM notices WHERE key = ?', key).toArray().length > 0;
  }

  /** Must run in a transaction. @returns the version of the notice */
  add(notice: NewNotice, data: string, now: number): number {
    const version = this.lastVersion + 1;
    const { key, type, at, subject, mock, respondBy } = notice;
    this.#sql.exec(
      `INSERT INTO notices (version, key, type, at, kept_at, subject, data, mock, respond_by, attempts)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
      ...[version, key, type, at, now, subject, data, Number(mock), respondBy],
    );
    this.#meta.set('lastVersion', version);
    return version;
  }

  get(version: number): StoredNotice | null {
    const [row] = this.#sql.exec<Row>('SELECT * FROM notices WHERE version = ?', version).toArray();
    return row === undefined ? null : storedOf(row);
  }

  /** Notices after a version, in the order of versions. */
  page(after: number, limit: number): StoredNotice[] {
    return this.#sql
      .exec<Row>('SELECT * FROM notices WHERE version > ? ORDER BY version LIMIT ?', after, limit)
      .toArray()
      .map(storedOf);
  }

  /** The first notice after a version with one of these types. @param types empty for all types except `test` */
  next(after: number, types: readonly NoticeType[]): StoredNotice | null {
    const { where, values } = ofTypes(types);
    const [row] = this.#sql
      .exec<Row>(
        `SELECT * FROM notices WHERE version > ? AND ${where} ORDER BY version LIMIT 1`,
        after,
        ...values,
      )
      .toArray();
    return row === undefined ? null : storedOf(row);
  }

  /** How many notices `next` would return one after another, up to NOTICES_COUNTED_MAX. */
  countAfter(after: number, types: readonly NoticeType[]): number {
    const { where, values } = ofTypes(types);
    const { many } = this.#sql
      .exec<{ many: number }>(
        `SELECT COUNT(*) AS many FROM (SELECT 1 FROM notices WHERE version > ? AND ${where} LIMIT ?)`,
        ...[after, ...values, NOTICES_COUNTED_MAX],
      )
      .one();
    return many;
  }

  /** Notices with one of these subjects in a period, in the order of versions. */
  matching({ subjects, from, to, after, limit }: NoticeQuery): StoredNotice[] {
    const of = subjects === null ? '' : `AND subject IN (${subjects.map(() => '?').join(', ')})`;
    return this.#sql
      .exec<Row>(
        `SELECT * FROM notices WHERE version > ? AND at >= ? AND at < ? ${of} ORDER BY version LIMIT ?`,
        ...[after, from, to, ...(subjects ?? []), limit],
      )
      .toArray()
      .map(storedOf);
  }

  /** How many guidance notices are past their time without an answer, up to NOTICES_COUNTED_MAX. */
  overdue(now: number): number {
    const { many } = this.#sql
      .exec<{ many: number }>(
        `SELECT COUNT(*) AS many FROM (SELECT 1 FROM notices
         WHERE respond_by IS NOT NULL AND acknowledged_at IS NULL AND respond_by < ? LIMIT ?)`,
        ...[now, NOTICES_COUNTED_MAX],
      )
      .one();
    return many;
  }

  /** When the next guidance without an answer is overdue, in ms since 1970; null if none is open. */
  nextOverdueAt(now: number): number | null {
    return this.#sql
      .exec<{ at: number | null }>(
        `SELECT MIN(respond_by) AS at FROM notices
         WHERE respond_by IS NOT NULL AND acknowledged_at IS NULL AND respond_by >= ?`,
        now,
      )
      .one().at;
  }

  /** @param at when the receiver had informed its subscribers, in ms since 1970 @param by the client that answers */
  acknowledge(
    version: number,
    given: { readonly informed: number; readonly at: number; readonly note: string | null },
    by: string,
    now: number,
  ): void {
    const { informed, at, note } = given;
    this.#sql.exec(
      `UPDATE notices SET informed = ?, informed_at = ?, note = ?, acknowledged_by = ?,
         acknowledged_at = IFNULL(acknowledged_at, ?) WHERE version = ?`,
      ...[informed, at, note, by, now, version],
    );
  }

  /** Records that an attempt to deliver the notice has ended. @returns whether this was the first successful one */
  attempted(version: number, isDelivered: boolean, now: number): boolean {
    const before = this.get(version);
    if (before === null) return false;
    const deliveredAt = before.deliveredAt ?? (isDelivered ? now : null);
    this.#sql.exec(
      'UPDATE notices SET attempts = attempts + 1, delivered_at = ? WHERE version = ?',
      ...[deliveredAt, version],
    );
    return before.deliveredAt === null && deliveredAt !== null;
  }

  /** Removes the oldest notices with their deliveries. Must run in a transaction. @param upTo last version to remove */
  remove(upTo: number): void {
    this.#sql.exec('DELETE FROM notices WHERE version <= ?', upTo);
    this.#sql.exec('DELETE FROM deliveries WHERE version <= ?', upTo);
  }

  /** Version of the last notice that arrived by a time, among the `limit` oldest; null if there is none. */
  lastBefore(time: number, limit: number): number | null {
    const { last } = this.#sql
      .exec<{ last: number | null }>(
        `SELECT MAX(version) AS last FROM (SELECT version, kept_at FROM notices ORDER BY version LIMIT ?)
         WHERE kept_at <= ?`,
        ...[limit, time],
      )
      .one();
    return last;
  }

  get #oldest(): { version: number; kept_at: number } | undefined {
    return this.#sql
      .exec<{ version: number; kept_at: number }>(
        'SELECT version, kept_at FROM notices ORDER BY version LIMIT 1',
      )
      .toArray()[0];
  }
}

function ofTypes(types: readonly NoticeType[]): { where: string; values: readonly string[] } {
  if (types.length === 0) return { where: `type != 'test'`, values: [] };
  return { where: `type IN (${types.map(() => '?').join(', ')})`, values: types };
}

function storedOf(row: Row): StoredNotice {
  const { version, at, subject, data, attempts, informed, note } = row;
  return {
    ...{ version, type: row.type as NoticeType, at, keptAt: row.kept_at, subject, data, attempts },
    ...{ isMock: row.mock === 1, respondBy: row.respond_by, deliveredAt: row.delivered_at },
    acknowledgement: informed === null ? null : { informed, at: timeOf(row.informed_at!), note },
    acknowledgedAt: row.acknowledged_at,
  };
}

/** RFC 3339 in UTC. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** A notice as its receiver reads it. */
export function noticeOf(stored: StoredNotice): Notice {
  return { ...withoutData(stored), data: JSON.parse(stored.data) as Notice['data'] };
}

/** A notice as evidence. */
export function recordOf(stored: StoredNotice): NoticeRecord {
  const { deliveredAt, attempts } = stored;
  return { ...withoutData(stored), deliveredAt: deliveredAt === null ? null : timeOf(deliveredAt), attempts };
}

function withoutData(stored: StoredNotice): Omit<Notice, 'data'> {
  const { version, type, at, subject, isMock, respondBy, acknowledgement } = stored;
  return {
    ...{ version, type: wireTypeOf(type), at: timeOf(at), subject, mock: isMock },
    ...{ respondBy: respondBy === null ? null : timeOf(respondBy), acknowledgement },
  };
}
