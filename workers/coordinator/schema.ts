/**
 * The coordinator's tables. Migrations only go forward: never edit a step that has run anywhere, add a new
 * one at the end. docs/storage.md describes each table.
 */

/**
 * Steps up to this one created tables of an older shape, before any installation existed. Their content is
 * not converted.
 */
const OLD_STEPS = 3;

const STEPS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE releases (
    release TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    manifest TEXT NOT NULL,
    signature TEXT NOT NULL,
    staged_at INTEGER NOT NULL,
    staged_by TEXT NOT NULL,
    refusal_code TEXT,
    refusal_message TEXT,
    place INTEGER,
    promoted_at INTEGER,
    promoted_by TEXT,
    share REAL,
    withdrawn_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX releases_place ON releases (place);

  CREATE TABLE operations (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
  );

  CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    operation INTEGER NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    hash BLOB NOT NULL
  );

  CREATE TABLE live_changes (
    seq INTEGER PRIMARY KEY,
    operation INTEGER NOT NULL,
    op TEXT NOT NULL,
    code TEXT,
    authority TEXT NOT NULL,
    until INTEGER NOT NULL
  );
  CREATE INDEX live_changes_until ON live_changes (until);

  CREATE TABLE live (
    kind INTEGER NOT NULL,
    high INTEGER NOT NULL,
    low INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    source TEXT,
    PRIMARY KEY (kind, high, low, subject, seq)
  ) WITHOUT ROWID;
  CREATE INDEX live_seq ON live (seq);

  CREATE TABLE segments (
    key TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE clients (id TEXT PRIMARY KEY, client TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE tokens (id TEXT PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    request_sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX answers_at ON answers (at);

  CREATE TABLE budgets (
    actor TEXT NOT NULL,
    budget TEXT NOT NULL,
    used INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    PRIMARY KEY (actor, budget)
  ) WITHOUT ROWID;

  CREATE TABLE unnamed_values (key TEXT PRIMARY KEY, since INTEGER NOT NULL, removed_at INTEGER) WITHOUT ROWID;
  CREATE TABLE values_to_put (key TEXT PRIMARY KEY) WITHOUT ROWID;
  `,
  `
  CREATE TABLE live_held (authority TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO live_held
    SELECT authority, COUNT(*) FROM live CROSS JOIN live_changes USING (seq) GROUP BY authority;
  DELETE FROM meta WHERE key = 'liveRows';
  `,
];

/**
 * Migrates the tables.
 * @returns why this code cannot use them, or null
 */
export function migrate(storage: DurableObjectStorage): string | null {
  const { sql } = storage;
  return storage.transactionSync(() => {
    sql.exec('CREATE TABLE IF NOT EXISTS schema_steps (step INTEGER PRIMARY KEY)');
    const { step } = sql.exec<{ step: number | null }>('SELECT MAX(step) AS step FROM schema_steps').one();
    const done = step ?? OLD_STEPS;
    const newest = OLD_STEPS + STEPS.length;
    if (step !== null && step <= OLD_STEPS) {
      const remedy =
        'delete them (.wrangler/state on one machine), then push a release and add the clients again';
      return `the coordinator's tables are of an older version (step ${step}), which is not converted: ${remedy}`;
    }
    if (done > newest) {
      return `the coordinator's tables are at step ${done}, this code knows ${newest}: deploy the newer code again`;
    }
    for (const [index, statements] of STEPS.slice(done - OLD_STEPS).entries()) {
      sql.exec(statements);
      sql.exec('INSERT INTO schema_steps (step) VALUES (?)', done + index + 1);
    }
    return null;
  });
}
