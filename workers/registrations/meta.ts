/** Single values of a store of registrations. */
export class Meta {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  text(key: 'organisation' | 'checkedRelease'): string | null {
    return this.#get(key);
  }

  /** 0 if it is not set. */
  number(key: 'acknowledged' | 'anchoredN' | 'anchoredAt' | 'budgetHour' | 'budgetUsed'): number {
    return Number(this.#get(key) ?? 0);
  }

  set(key: string, value: string | number): void {
    this.#sql.exec('INSERT OR REPLACE INTO meta VALUES (?, ?)', key, String(value));
  }

  #get(key: string): string | null {
    const [row] = this.#sql.exec<{ value: string }>('SELECT value FROM meta WHERE key = ?', key).toArray();
    return row?.value ?? null;
  }
}
