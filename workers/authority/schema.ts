/**
 * The authority's tables. Migrations go forward only: a step that has run anywhere is never edited, a
 * change is a new step at the end. docs/storage.md describes each table.
 */

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
    share REAL
  ) WITHOUT ROWID;
  CREATE INDEX releases_place ON releases (place);

  CREATE TABLE live (
    kind INTEGER NOT NULL,
    high INTEGER NOT NULL,
    low INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    op TEXT NOT NULL,
    code TEXT,
    authority TEXT NOT NULL,
    until INTEGER NOT NULL,
    source TEXT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, high, low, subject, seq)
  ) WITHOUT ROWID;
  CREATE INDEX live_seq ON live (seq);
  CREATE INDEX live_until ON live (until);

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

  CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    seq INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
  );

  CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    request_sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX answers_at ON answers (at);

  CREATE TABLE unnamed_values (key TEXT PRIMARY KEY, since INTEGER NOT NULL, removed_at INTEGER) WITHOUT ROWID;
  `,
  'CREATE TABLE values_to_put (key TEXT PRIMARY KEY) WITHOUT ROWID;',
  // Of those that were withdrawn before, the values are kept as if it were now.
  `
  ALTER TABLE releases ADD COLUMN withdrawn_at INTEGER;
  UPDATE releases SET withdrawn_at = unixepoch() * 1000 WHERE state = 'withdrawn';
  `,
];

/** Bring the tables up to date. @throws if they were made by newer code: it must not be run backwards */
export function migrate(storage: DurableObjectStorage): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    sql.exec('CREATE TABLE IF NOT EXISTS schema_steps (step INTEGER PRIMARY KEY)');
    const done =
      sql.exec<{ step: number | null }>('SELECT MAX(step) AS step FROM schema_steps').one().step ?? 0;
    if (done > STEPS.length) {
      throw new Error(`the authority's tables are at step ${done}, this code knows ${STEPS.length}`);
    }
    for (let step = done; step < STEPS.length; step++) {
      sql.exec(STEPS[step]!);
      sql.exec('INSERT INTO schema_steps (step) VALUES (?)', step + 1);
    }
  });
}
