/** The stored sketches of a scan detector: one row for each window. They hold no number. */
import type { ScanData } from '../../shared/enumeration/scan-sketch.ts';

const TABLE = `
  CREATE TABLE IF NOT EXISTS sketches (
    days INTEGER PRIMARY KEY,
    began INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    numbers INTEGER NOT NULL,
    in_runs INTEGER NOT NULL,
    level INTEGER NOT NULL,
    entries BLOB NOT NULL,
    canaries BLOB NOT NULL
  );
`;

interface Row extends Record<string, SqlStorageValue> {
  days: number;
  began: number;
  numbers: number;
  in_runs: number;
  level: number;
  entries: ArrayBuffer;
  canaries: ArrayBuffer;
}

export interface StoredWindow {
  readonly days: number;
  /** Day on which the window began, in days since 1970. */
  readonly from: number;
  readonly data: ScanData;
}

export class ScanStore {
  readonly #sql: SqlStorage;

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql;
    sql.exec(TABLE);
  }

  /** The windows that were stored with this LIST_KEY. */
  load(keyId: string): StoredWindow[] {
    return this.#sql
      .exec<Row>('SELECT * FROM sketches WHERE key_id = ?', keyId)
      .toArray()
      .map(({ days, began, numbers, in_runs: inRuns, level, entries, canaries }) => ({
        ...{ days, from: began },
        data: {
          numbers,
          inRuns,
          level,
          entries: new Int32Array(entries),
          canaries: new Int32Array(canaries),
        },
      }));
  }

  save(keyId: string, windows: readonly StoredWindow[]): void {
    for (const { days, from, data } of windows) {
      const { numbers, inRuns, level, entries, canaries } = data;
      this.#sql.exec(
        'INSERT OR REPLACE INTO sketches VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        ...[days, from, keyId, numbers, inRuns, level, entries.buffer, canaries.buffer],
      );
    }
  }
}
