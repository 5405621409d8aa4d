/** Creates the tables of a Durable Object in a new database, and adds later steps to an older one. */
export function applySteps(storage: DurableObjectStorage, all: readonly string[]): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    sql.exec('CREATE TABLE IF NOT EXISTS schema_steps (step INTEGER PRIMARY KEY)');
    const { steps } = sql.exec<{ steps: number }>('SELECT COUNT(*) AS steps FROM schema_steps').one();
    all.slice(steps).forEach((step, index) => {
      sql.exec(step);
      sql.exec('INSERT INTO schema_steps VALUES (?)', steps + index + 1);
    });
  });
}
