/** Single values of a Durable Object, which are stored in its table `meta`. */
export class SingleValues<Key extends string> {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The value, or null if it was never set. */
  text(key: Key): string | null {
    const [row] = this.#sql.exec<{ value: string }>('SELECT value FROM meta WHERE key = ?', key).toArray();
    return row?.value ?? null;
  }

  /** A number; 0 if it was never set. */
  number(key: Key): number {
    return Number(this.text(key) ?? 0);
  }

  /** A value that was set as an object, or null. */
  json<Value>(key: Key): Value | null {
    return JSON.parse(this.text(key) ?? 'null') as Value | null;
  }

  /** @param value objects are stored as JSON */
  set(key: Key, value: string | number | object): void {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    this.#sql.exec('INSERT OR REPLACE INTO meta VALUES (?, ?)', key, text);
  }
}
