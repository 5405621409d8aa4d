/**
 * The tables of a store of registrations. docs/storage.md describes each. To change the tables, append a step: existing
 * steps must not change.
 */
import { NOTICE_OUTBOX_TABLES } from '../storage/notice-outbox.ts';
import { applySteps } from '../storage/schema-steps.ts';
import { ANCHORS } from '../storage/store-tables.ts';

const TABLES = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE registrations (
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    approved_version INTEGER,
    suspended_from TEXT,
    basis TEXT NOT NULL,
    number_from INTEGER NOT NULL,
    number_to INTEGER NOT NULL,
    mock INTEGER NOT NULL,
    reference TEXT,
    content TEXT NOT NULL,
    ends_at INTEGER,
    approved TEXT,
    claimed_by TEXT,
    claimed_until INTEGER,
    reasons TEXT NOT NULL,
    reminded INTEGER,
    due_at INTEGER,
    publish_n INTEGER,
    published_at INTEGER,
    waiting INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    submitted_at INTEGER
  );
  CREATE UNIQUE INDEX registrations_reference ON registrations (reference)
    WHERE reference IS NOT NULL AND state <> 'closed';
  CREATE INDEX registrations_state ON registrations (state, id);
  CREATE INDEX registrations_number ON registrations (number_from);
  CREATE INDEX registrations_due ON registrations (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX registrations_publish ON registrations (publish_n) WHERE published_at IS NULL;
  CREATE TABLE registration_clients (
    client TEXT NOT NULL,
    registration INTEGER NOT NULL,
    PRIMARY KEY (client, registration)
  ) WITHOUT ROWID;

  CREATE TABLE pairs (
    client TEXT NOT NULL,
    number_from INTEGER NOT NULL,
    number_to INTEGER NOT NULL,
    registration INTEGER NOT NULL,
    own INTEGER NOT NULL,
    PRIMARY KEY (client, number_from, number_to, registration)
  ) WITHOUT ROWID;
  CREATE INDEX pairs_registration ON pairs (registration);
  CREATE INDEX pairs_number ON pairs (number_from);

  CREATE TABLE outbox (n INTEGER PRIMARY KEY, changes TEXT NOT NULL, queue TEXT NOT NULL);
  CREATE TABLE waiting (
    client TEXT NOT NULL,
    number_from INTEGER NOT NULL,
    number_to INTEGER NOT NULL,
    PRIMARY KEY (client, number_from, number_to)
  ) WITHOUT ROWID;

  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    registration INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    days INTEGER,
    mock INTEGER NOT NULL
  );
  CREATE INDEX events_at ON events (at);

  CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    registration INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    hash BLOB NOT NULL
  );
  CREATE INDEX audit_registration ON audit (registration);

  CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    request_sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX answers_at ON answers (at);
`;

/** The statements that each version adds to the previous one. */
const STEPS: readonly string[] = [
  TABLES,
  `CREATE TABLE pairs_used (pairs INTEGER NOT NULL, ranges INTEGER NOT NULL);
   INSERT INTO pairs_used SELECT
     COALESCE(SUM(CASE WHEN number_to - number_from < 64 THEN number_to - number_from + 1 ELSE 0 END), 0),
     COALESCE(SUM(number_to - number_from >= 64), 0)
   FROM pairs;`,
  `ALTER TABLE registrations ADD COLUMN certificate TEXT;
   CREATE INDEX registrations_certificate ON registrations (certificate) WHERE certificate IS NOT NULL;
   CREATE TABLE certificates (digest TEXT PRIMARY KEY, standing TEXT NOT NULL) WITHOUT ROWID;`,
  NOTICE_OUTBOX_TABLES,
  ANCHORS,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
