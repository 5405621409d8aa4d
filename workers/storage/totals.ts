/** Stored counts of rows. Counting rows in each request would cost too much: an upload would count 100,000 certificates. */
export class Totals {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get(name: string): number {
    const [row] = this.#sql.exec<{ many: number }>('SELECT many FROM totals WHERE name = ?', name).toArray();
    return row?.many ?? 0;
  }

  /** Must run in the transaction that adds or removes the rows. */
  add(name: string, many: number): void {
    this.#sql.exec(
      'INSERT INTO totals VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET many = many + excluded.many',
      ...[name, many],
    );
  }
}
