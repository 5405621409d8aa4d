/**
 * The progress of the audit log export to each sink (workers/admin/audit-export.ts). A piece is fixed before it is
 * sent, so a retry sends the same bytes under the same name. A checkpoint is sent after the records that it covers.
 */

import { auditLine } from '../../shared/audit.ts';
import type { ExportInfo, Sink } from '../../shared/evidence.ts';
import { EXPORT_PAUSE_MS_MAX, PAGE_MAX } from '../../shared/limits/control.ts';
import { ok } from '../../shared/result.ts';
import { MINUTE_MS } from '../../shared/time.ts';
import { type ChangeResult, refuseField } from './change-request.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Ledger } from './ledger.ts';

/** Digits of a record number in a name. The fixed width makes names sort like numbers. */
const DIGITS = 15;

export interface ExportPiece {
  readonly kind: 'records' | 'checkpoint';
  /** Unique, and the same in every attempt. */
  readonly name: string;
  /** The last record in the piece, or the size of the checkpoint. */
  readonly to: number;
  readonly text: string;
}

interface Row extends Record<string, SqlStorageValue> {
  sink: Sink;
  /** The last exported record. */
  n: number;
  /** The last record of the piece that is being sent; null for none. */
  pending: number | null;
  /** Size of the last exported checkpoint. */
  checkpoint: number;
  at: number | null;
  failures: number;
  error: string | null;
  retry_at: number;
}

export class AuditExports {
  readonly #sql: SqlStorage;
  readonly #ledger: Ledger;
  readonly #checkpoints: Checkpoints;

  constructor(sql: SqlStorage, ledger: Ledger, checkpoints: Checkpoints) {
    this.#sql = sql;
    this.#ledger = ledger;
    this.#checkpoints = checkpoints;
  }

  get #rows(): Row[] {
    return this.#sql.exec<Row>('SELECT * FROM audit_exports ORDER BY sink').toArray();
  }

  get info(): ExportInfo[] {
    return this.#rows.map(({ sink, n, at, error, failures }) => ({
      ...{ sink, n, error, failures },
      at: at === null ? null : new Date(at).toISOString(),
    }));
  }

  /** Forgets all other sinks. A new sink starts with the oldest record that is kept. */
  configure(sinks: readonly Sink[]): void {
    const known = this.#rows.map(({ sink }) => sink);
    for (const sink of known.filter((each) => !sinks.includes(each)))
      this.#sql.exec('DELETE FROM audit_exports WHERE sink = ?', sink);
    for (const sink of sinks.filter((each) => !known.includes(each)))
      this.#sql.exec('INSERT INTO audit_exports (sink, n) VALUES (?, ?)', sink, this.#ledger.audit.trimmed.n);
  }

  /** @returns null if the sink has everything, or pauses after a failure */
  next(sink: Sink, now: number): ExportPiece | null {
    const row = this.#rows.find((each) => each.sink === sink);
    if (row === undefined || row.retry_at > now) return null;
    return this.#nextCheckpoint(row) ?? this.#nextRecords(row);
  }

  #nextCheckpoint({ n, checkpoint }: Row): ExportPiece | null {
    const [due] = this.#checkpoints.page(checkpoint, 1);
    if (due === undefined || this.#ledger.tree.state.start.n + due.size > n) return null;
    const { size: to, checkpoint: text } = due;
    return { kind: 'checkpoint', name: `audit/checkpoints/${padded(to)}.txt`, to, text };
  }

  #nextRecords({ sink, n, pending }: Row): ExportPiece | null {
    const records = this.#ledger.audit.records(n, pending === null ? PAGE_MAX : pending - n);
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return null;
    this.#sql.exec('UPDATE audit_exports SET pending = ? WHERE sink = ?', last.n, sink);
    const text = records.map((record) => `${auditLine(record)}\n`).join('');
    return { kind: 'records', name: `audit/${padded(first.n)}-${padded(last.n)}.ndjson`, to: last.n, text };
  }

  /** @param error null for success; never the URL or the token of the sink */
  end(sink: Sink, { kind, to }: ExportPiece, error: string | null, now: number): void {
    if (error !== null) {
      const { failures = 0 } = this.#rows.find((each) => each.sink === sink) ?? {};
      const pause = Math.min(MINUTE_MS * 2 ** Math.min(failures, DIGITS), EXPORT_PAUSE_MS_MAX);
      this.#sql.exec(
        'UPDATE audit_exports SET failures = failures + 1, error = ?, retry_at = ? WHERE sink = ?',
        ...[error, now + pause - MINUTE_MS / 2, sink],
      );
      return;
    }
    const column = kind === 'records' ? 'pending = NULL, n' : 'checkpoint';
    const before = kind === 'records' ? 'n' : 'checkpoint';
    this.#sql.exec(
      // An overlapping run must not move the position back.
      `UPDATE audit_exports SET ${column} = ?, at = ?, failures = 0, error = NULL, retry_at = 0
       WHERE sink = ? AND ${before} < ?`,
      ...[to, now, sink, to],
    );
  }

  /** Refuses to trim records that a sink does not have yet. */
  checkTrim(n: number): ChangeResult<void> {
    const behind = this.#rows.find((row) => row.n < n);
    if (behind === undefined) return ok(undefined);
    const exported = behind.n.toLocaleString('en');
    const remedy = 'wait for the export, or remove the sink';
    return refuseField(
      'n',
      `must be at most ${exported}: the sink ${behind.sink} lacks later records; ${remedy}`,
    );
  }
}

function padded(n: number): string {
  return String(n).padStart(DIGITS, '0');
}
