/** Deliveries as rows: one for each notice that was sent to a webhook at least once. */
import type { AttemptInfo, DeliveryInfo, DeliveryState } from '../../shared/admin/webhooks.ts';
import { NOTICES_COUNTED_MAX, WEBHOOK_ATTEMPTS_KEPT } from '../../shared/limits/notices.ts';
import type { NoticeType } from '../../shared/notices/notice.ts';
import { timeOf } from './notice-rows.ts';

/** The result of one attempt. */
export interface AttemptResult {
  /** HTTP status; null if there was no response. */
  readonly status: number | null;
  /** Null if the receiver accepted the notice. Never contains what the receiver sent. */
  readonly error: string | null;
}

interface Row extends Record<string, SqlStorageValue> {
  webhook: string;
  version: number;
  type: string | null;
  state: string;
  attempts: number;
  log: string;
}

/** Results as they are stored, with times in ms since 1970. */
type Logged = readonly (readonly [at: number, status: number | null, error: string | null])[];

const WITH_TYPE = `SELECT deliveries.*, notices.type AS type FROM deliveries
  LEFT JOIN notices ON notices.version = deliveries.version`;

export class DeliveryRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get(webhook: string, version: number): DeliveryInfo | null {
    return this.#read('webhook = ? AND deliveries.version = ?', webhook, version)[0] ?? null;
  }

  /** A page of deliveries, newest first. @param before version; null for the newest */
  page(webhook: string, state: DeliveryState | null, before: number | null, limit: number): DeliveryInfo[] {
    const [own, values] = state === null ? ['', []] : ['AND state = ?', [state]];
    return this.#read(
      `webhook = ? AND deliveries.version < ? ${own} ORDER BY deliveries.version DESC LIMIT ?`,
      ...[webhook, before ?? Number.MAX_SAFE_INTEGER, ...values, limit],
    );
  }

  /** The deliveries of one notice, to all webhooks. */
  of(version: number): DeliveryInfo[] {
    return this.#read('deliveries.version = ? ORDER BY webhook', version);
  }

  /** Records an attempt that has ended. Must run in a transaction. @param state the new state of the delivery */
  record(
    webhook: string,
    version: number,
    state: DeliveryState,
    { status, error }: AttemptResult,
    now: number,
  ): void {
    const [row] = this.#sql
      .exec<{ attempts: number; log: string }>(
        'SELECT attempts, log FROM deliveries WHERE webhook = ? AND version = ?',
        ...[webhook, version],
      )
      .toArray();
    const log = row === undefined ? [] : (JSON.parse(row.log) as Logged);
    const next: Logged = [...log, [now, status, error] as const].slice(-WEBHOOK_ATTEMPTS_KEPT);
    this.#sql.exec(
      'INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?, ?)',
      ...[webhook, version, state, now, (row?.attempts ?? 0) + 1, JSON.stringify(next)],
    );
  }

  /** The version that is replayed next; null if there is none. */
  nextReplay(webhook: string): number | null {
    const [row] = this.#sql
      .exec<{ version: number }>(
        `SELECT version FROM deliveries WHERE webhook = ? AND state = 'replaying' ORDER BY version LIMIT 1`,
        webhook,
      )
      .toArray();
    return row?.version ?? null;
  }

  /** Marks one delivery for replay. @returns whether there is such a delivery */
  replay(webhook: string, version: number, now: number): boolean {
    return (
      this.#sql
        .exec(
          `UPDATE deliveries SET state = 'replaying', settled_at = ? WHERE webhook = ? AND version = ? RETURNING 1`,
          ...[now, webhook, version],
        )
        .toArray().length > 0
    );
  }

  /** Marks deliveries that failed since a time for replay, the oldest first. @returns how many */
  replaySince(webhook: string, since: number, limit: number, now: number): number {
    return this.#sql
      .exec(
        `UPDATE deliveries SET state = 'replaying', settled_at = ? WHERE webhook = ? AND version IN (
           SELECT version FROM deliveries WHERE webhook = ? AND state = 'failed' AND settled_at >= ?
           ORDER BY version LIMIT ?) RETURNING 1`,
        ...[now, webhook, webhook, since, limit],
      )
      .toArray().length;
  }

  /** How many deliveries were given up, over all webhooks, up to NOTICES_COUNTED_MAX. */
  get failed(): number {
    return this.#sql
      .exec<{ many: number }>(
        `SELECT COUNT(*) AS many FROM (SELECT 1 FROM deliveries WHERE state = 'failed' LIMIT ?)`,
        NOTICES_COUNTED_MAX,
      )
      .one().many;
  }

  #read(where: string, ...values: SqlStorageValue[]): DeliveryInfo[] {
    return this.#sql
      .exec<Row>(`${WITH_TYPE} WHERE ${where}`, ...values)
      .toArray()
      .map(({ webhook, version, type, state, attempts, log }) => ({
        ...{ webhook, version, type: type as NoticeType | null, state: state as DeliveryState, attempts },
        log: (JSON.parse(log) as Logged).map(
          ([at, status, error]): AttemptInfo => ({ at: timeOf(at), status, error }),
        ),
      }));
  }
}
