/** Webhooks as rows, with their progress. */
import type { WebhookInfo, WebhookState } from '../../shared/admin/webhooks.ts';
import { WEBHOOK_ROTATION_MS } from '../../shared/limits/notices.ts';
import type { NoticeType } from '../../shared/notices/notice.ts';
import { type NoticeRows, timeOf } from './notice-rows.ts';

/** Notices are sent in order. A replayed notice has its own turn, so that it delays no other notice. */
export type Lane = 'order' | 'replay';

/** An attempt that has begun. */
export interface Sending {
  readonly lane: Lane;
  readonly version: number;
}

/** Times are in ms since 1970. */
export interface StoredWebhook {
  readonly id: string;
  readonly url: string;
  readonly types: readonly NoticeType[];
  readonly state: WebhookState;
  readonly stateReason: string | null;
  readonly secretN: number;
  /** Null before the first rotation. */
  readonly rotatedAt: number | null;
  readonly createdAt: number;
  /** Notices up to here are settled in order: delivered, given up, or of other types. */
  readonly position: number;
  /** Attempts for the next notice after `position`. */
  readonly attempts: number;
  /** When the next notice may be sent; null while no notice is known to wait. */
  readonly nextAt: number | null;
  /** Attempts for the next replay, and when it may be sent. */
  readonly replayAttempts: number;
  readonly replayAt: number | null;
  /** The attempt under way; null if there is none. A new object treats it as cut off. */
  readonly sending: Sending | null;
  readonly failingSince: number | null;
}

interface Row extends Record<string, SqlStorageValue> {
  id: string;
  url: string;
  types: string;
  state: string;
  state_reason: string | null;
  secret_n: number;
  rotated_at: number | null;
  created_at: number;
  position: number;
  attempts: number;
  next_at: number | null;
  replay_attempts: number;
  replay_at: number | null;
  sending: string | null;
  failing_since: number | null;
}

/** The fields of a webhook that change after it was added. */
export type WebhookProgress = Omit<StoredWebhook, 'id' | 'url' | 'types' | 'createdAt'>;

export class WebhookRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get all(): StoredWebhook[] {
    return this.#sql.exec<Row>('SELECT * FROM webhooks ORDER BY created_at, id').toArray().map(storedOf);
  }

  get(id: string): StoredWebhook | null {
    const [row] = this.#sql.exec<Row>('SELECT * FROM webhooks WHERE id = ?', id).toArray();
    return row === undefined ? null : storedOf(row);
  }

  add(id: string, url: string, types: readonly NoticeType[], position: number, now: number): StoredWebhook {
    this.#sql.exec(
      `INSERT INTO webhooks (id, url, types, state, secret_n, created_at, position, attempts, replay_attempts)
       VALUES (?, ?, ?, 'enabled', 1, ?, ?, 0, 0)`,
      ...[id, url, JSON.stringify(types), now, position],
    );
    return this.get(id)!;
  }

  /** Removes a webhook with its deliveries. */
  remove(id: string): void {
    this.#sql.exec('DELETE FROM webhooks WHERE id = ?', id);
    this.#sql.exec('DELETE FROM deliveries WHERE webhook = ?', id);
  }

  update(id: string, change: Partial<WebhookProgress>): void {
    const before = this.get(id);
    if (before === null) return;
    const next = { ...before, ...change };
    this.#sql.exec(
      `UPDATE webhooks SET state = ?, state_reason = ?, secret_n = ?, rotated_at = ?, position = ?, attempts = ?,
         next_at = ?, replay_attempts = ?, replay_at = ?, sending = ?, failing_since = ? WHERE id = ?`,
      ...[next.state, next.stateReason, next.secretN, next.rotatedAt, next.position, next.attempts],
      ...[next.nextAt, next.replayAttempts, next.replayAt],
      ...[next.sending === null ? null : JSON.stringify(next.sending), next.failingSince, id],
    );
  }

  /** Makes idle webhooks due, because there are new notices. Must run in a transaction. */
  wake(now: number): void {
    this.#sql.exec(`UPDATE webhooks SET next_at = ? WHERE next_at IS NULL AND state = 'enabled'`, now);
  }

  /** The version up to which no enabled webhook waits for a notice. @param last version of the newest notice */
  settledUpTo(last: number): number {
    const { upTo } = this.#sql
      .exec<{ upTo: number | null }>(`SELECT MIN(position) AS upTo FROM webhooks WHERE state = 'enabled'`)
      .one();
    return upTo ?? last;
  }

  /** Whether an enabled or disabled webhook waits for this notice or an earlier one. */
  isWaiting(version: number): boolean {
    return (
      this.#sql.exec(`SELECT 1 FROM webhooks WHERE position < ? AND state != 'gone'`, version).toArray()
        .length > 0
    );
  }

  /** Moves webhooks past this version, because notices up to it are gone. */
  skip(version: number): void {
    this.#sql.exec('UPDATE webhooks SET position = ?, attempts = 0 WHERE position < ?', version, version);
  }
}

/** When the next attempt for an enabled webhook may be made, in ms since 1970; null if nothing waits. */
export function dueAtOf({ state, nextAt, replayAt }: StoredWebhook): number | null {
  if (state !== 'enabled') return null;
  return nextAt === null || replayAt === null ? (nextAt ?? replayAt) : Math.min(nextAt, replayAt);
}

/** Until when the previous secret also signs, in ms since 1970; null if it no longer does. */
export function previousSecretUntil({ rotatedAt }: StoredWebhook, now: number): number | null {
  const until = rotatedAt === null ? 0 : rotatedAt + WEBHOOK_ROTATION_MS;
  return until > now ? until : null;
}

/** A webhook as admins read it. */
export function infoOf(webhook: StoredWebhook, notices: NoticeRows, now: number): WebhookInfo {
  const { id, url, types, state, stateReason, secretN, createdAt, position, attempts, failingSince } =
    webhook;
  const time = (at: number | null): string | null => (at === null ? null : timeOf(at));
  return {
    ...{ id, url, types, state, stateReason, secretNumber: secretN },
    previousSecretUntil: time(previousSecretUntil(webhook, now)),
    ...{ createdAt: timeOf(createdAt), position, waiting: notices.countAfter(position, types) },
    ...{ nextAttemptAt: time(dueAtOf(webhook)), attempts, failingSince: time(failingSince) },
  };
}

function storedOf(row: Row): StoredWebhook {
  return {
    ...{ id: row.id, url: row.url, types: JSON.parse(row.types) as NoticeType[] },
    ...{ state: row.state as WebhookState, stateReason: row.state_reason },
    ...{ secretN: row.secret_n, rotatedAt: row.rotated_at, createdAt: row.created_at },
    ...{ position: row.position, attempts: row.attempts, nextAt: row.next_at },
    ...{ replayAttempts: row.replay_attempts, replayAt: row.replay_at },
    sending: row.sending === null ? null : (JSON.parse(row.sending) as Sending),
    failingSince: row.failing_since,
  };
}
