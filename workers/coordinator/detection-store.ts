/** Detections of enumeration in SQLite, one for each organisation and day. The audit log keeps them longer. */
import type { DetectionInfo } from '../../shared/admin/status.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import type { Detection } from '../../shared/enumeration/detect.ts';
import { DETECTIONS_KEPT_DAYS } from '../../shared/limits/enumeration.ts';
import { DAY_MS } from '../../shared/time.ts';

interface Row extends Record<string, SqlStorageValue> {
  day: number;
  organisation: string;
  found: string;
  at: number;
}

export class DetectionStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** @param day days since 1970 */
  has(organisation: string, day: number): boolean {
    const where = 'day = ? AND organisation = ?';
    return this.#sql.exec(`SELECT 1 FROM detections WHERE ${where}`, day, organisation).toArray().length > 0;
  }

  add(organisation: string, day: number, found: readonly Detection[]): AuditEntry {
    this.#sql.exec('DELETE FROM detections WHERE day < ?', day - DETECTIONS_KEPT_DAYS);
    const row = [day, organisation, JSON.stringify(found), Date.now()];
    this.#sql.exec('INSERT INTO detections VALUES (?, ?, ?, ?)', ...row);
    const after = { day: dayText(day), found };
    return { action: 'enumeration.detected', subject: organisation, before: null, after };
  }

  newest(limit: number): DetectionInfo[] {
    return this.#sql
      .exec<Row>('SELECT * FROM detections ORDER BY day DESC, at DESC LIMIT ?', limit)
      .toArray()
      .map(({ day, organisation, found, at }) => ({
        organisation,
        day: dayText(day),
        at: new Date(at).toISOString(),
        found: JSON.parse(found) as Detection[],
      }));
  }
}

function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
