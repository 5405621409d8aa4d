/**
 * The coordinator's tables. docs/storage.md describes each. To change the tables, append a step: existing steps must
 * not change, and older tables get the steps that they lack. Tables of a newer version are refused and left as they
 * are.
 */
import { bareOrganisation, DEFAULT_ORGANISATION } from '../../shared/organisations.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { FEED_UNREAD } from './feed-source.ts';
import { QUALIFICATION_NOTICE_TABLES } from './qualification-notices.ts';
import { insertDefaultRules, RULES } from './rule-store.ts';

/** The version of the first step. Earlier versions existed only on development machines. */
const FIRST_VERSION = 6;

const TABLES = `
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
    withdrawn_at INTEGER,
    authorities TEXT
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
  CREATE TABLE live_held (authority TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TABLE segments (
    key TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE organisations (id TEXT PRIMARY KEY, organisation TEXT NOT NULL) WITHOUT ROWID;
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
`;

/** Counters of the guards on live changes, and the data for undo. */
const GUARDS_AND_UNDO = `
  CREATE TABLE guard_hours (
    authority TEXT NOT NULL,
    counter TEXT NOT NULL,
    used INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    PRIMARY KEY (authority, counter)
  ) WITHOUT ROWID;

  CREATE TABLE undo_operations (
    operation INTEGER PRIMARY KEY,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    authority TEXT NOT NULL,
    at INTEGER NOT NULL,
    undone_by INTEGER,
    needs TEXT NOT NULL,
    undo_needs TEXT NOT NULL
  );
  CREATE INDEX undo_operations_at ON undo_operations (at);
  CREATE TABLE undone_spans (
    operation INTEGER PRIMARY KEY,
    undone_by INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL
  );
  CREATE TABLE undo_ends (
    operation INTEGER NOT NULL,
    until INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    PRIMARY KEY (operation, until)
  ) WITHOUT ROWID;
  CREATE TABLE undo_rows (
    operation INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    high INTEGER NOT NULL,
    low INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    source TEXT,
    PRIMARY KEY (operation, kind, high, low, subject, seq)
  ) WITHOUT ROWID;
  CREATE TABLE undo_changes (
    operation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    made_by INTEGER NOT NULL,
    op TEXT NOT NULL,
    code TEXT,
    authority TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (operation, seq)
  ) WITHOUT ROWID;
`;

/** Holders of tokens: see token-holders.ts. */
const TOKEN_HOLDERS = `
  CREATE TABLE token_holders (
    id TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    used_at INTEGER
  ) WITHOUT ROWID;
  INSERT INTO token_holders SELECT id, 0, NULL FROM tokens;
`;

/** The Merkle tree of the audit log, its checkpoints, and the progress of its export. */
const AUDIT_EVIDENCE = `
  CREATE TABLE audit_tiles (
    level INTEGER NOT NULL,
    i INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    kept INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (level, i)
  );
  CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL);
  CREATE INDEX checkpoints_at ON checkpoints (at);
  CREATE TABLE audit_exports (
    sink TEXT PRIMARY KEY,
    n INTEGER NOT NULL,
    pending INTEGER,
    checkpoint INTEGER NOT NULL DEFAULT 0,
    at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    retry_at INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
`;

/** Detections of enumeration. */
const DETECTIONS = `
  CREATE TABLE detections (
    day INTEGER NOT NULL,
    organisation TEXT NOT NULL,
    found TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (day, organisation)
  ) WITHOUT ROWID;
`;

/** Changes that wait for a second person: see proposal-store.ts. */
const PROPOSALS = `
  CREATE TABLE proposals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    kinds TEXT NOT NULL,
    proposer TEXT NOT NULL,
    actor TEXT NOT NULL,
    needs TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    changes INTEGER NOT NULL,
    shown TEXT NOT NULL,
    audited INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    note TEXT,
    seq INTEGER
  );
  CREATE INDEX proposals_state ON proposals (state, ends_at);
  CREATE TABLE proposal_parts (
    proposal INTEGER NOT NULL,
    part INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (proposal, part)
  ) WITHOUT ROWID;
`;

/** Qualifications of organisations: see qualification-changes.ts. */
const QUALIFICATIONS = `
  CREATE TABLE qualifications (id TEXT PRIMARY KEY, qualification TEXT) WITHOUT ROWID;
`;

/** The rule and the stage of entries that rules made: see rule-entries.ts. */
const RULE_ENTRIES = `
  ALTER TABLE live_changes ADD COLUMN rule TEXT;
  ALTER TABLE live_changes ADD COLUMN stage TEXT;
  ALTER TABLE undo_changes ADD COLUMN rule TEXT;
  ALTER TABLE undo_changes ADD COLUMN stage TEXT;
`;

/** The statements that each version adds to the previous one. */
const STEPS: readonly string[] = [
  TABLES,
  GUARDS_AND_UNDO,
  TOKEN_HOLDERS,
  AUDIT_EVIDENCE,
  DETECTIONS,
  PROPOSALS,
  QUALIFICATIONS,
  RULE_ENTRIES,
  RULES,
  FEED_UNREAD,
  QUALIFICATION_NOTICE_TABLES,
];

/** Creates the tables in a new database, and adds later steps to an older one. Fails if their version is unknown. */
export function createTables(storage: DurableObjectStorage): Result<void, Failure> {
  const { sql } = storage;
  const newest = FIRST_VERSION + STEPS.length - 1;
  return storage.transactionSync(() => {
    sql.exec('CREATE TABLE IF NOT EXISTS schema_steps (step INTEGER PRIMARY KEY)');
    const { step } = sql.exec<{ step: number | null }>('SELECT MAX(step) AS step FROM schema_steps').one();
    if (step !== null && (step < FIRST_VERSION || step > newest)) {
      const remedy =
        step > newest
          ? 'deploy the newer code again'
          : 'delete them (.wrangler/state on one machine), push a release and add the clients again';
      const message = `the coordinator's tables have version ${step}, this code reads version ${newest}: ${remedy}`;
      return fail('NOT_CONFIGURED', message);
    }
    for (let next = (step ?? FIRST_VERSION - 1) + 1; next <= newest; next++) {
      const added = STEPS[next - FIRST_VERSION]!;
      sql.exec(added);
      if (added === RULES) insertDefaultRules(sql);
      sql.exec('INSERT INTO schema_steps VALUES (?)', next);
    }
    if (step === null) {
      const organisation = JSON.stringify(bareOrganisation(DEFAULT_ORGANISATION));
      sql.exec('INSERT INTO organisations VALUES (?, ?)', DEFAULT_ORGANISATION, organisation);
    }
    return ok(undefined);
  });
}
