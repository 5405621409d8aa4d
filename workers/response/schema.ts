/**
 * The tables of the desk. docs/storage.md describes each table. Every change is a new step, and steps are only appended.
 */
import { applySteps } from '../storage/schema-steps.ts';
import { ANCHORS, AUDIT_AND_ANSWERS, AUDIT_SUBJECT } from '../storage/store-tables.ts';

const STEPS: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE report_key (key_id TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;

   CREATE TABLE shards (shard TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;

   CREATE TABLE inbox (
     id INTEGER PRIMARY KEY,
     subject TEXT NOT NULL,
     seal TEXT NOT NULL,
     decision TEXT NOT NULL,
     received_at INTEGER NOT NULL
   );

   CREATE TABLE blocks (
     id INTEGER PRIMARY KEY,
     subject TEXT NOT NULL,
     seal TEXT NOT NULL,
     hundred TEXT,
     mock INTEGER NOT NULL,
     shadow INTEGER NOT NULL,
     state TEXT NOT NULL,
     cause TEXT,
     until INTEGER,
     by_person TEXT,
     provisional_until INTEGER NOT NULL,
     rule TEXT NOT NULL,
     grounds TEXT NOT NULL,
     evidence TEXT,
     leader INTEGER,
     entry TEXT,
     entry_n INTEGER NOT NULL,
     sent_n INTEGER NOT NULL,
     seq INTEGER,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     closed_at INTEGER,
     actions TEXT NOT NULL
   );
   CREATE UNIQUE INDEX blocks_open ON blocks (subject, shadow) WHERE closed_at IS NULL;
   CREATE INDEX blocks_subject ON blocks (subject, id);
   CREATE INDEX blocks_hundred ON blocks (hundred, id) WHERE closed_at IS NULL AND hundred IS NOT NULL;
   CREATE INDEX blocks_state ON blocks (state, id);
   CREATE INDEX blocks_rule ON blocks (rule, id);
   CREATE INDEX blocks_cause ON blocks (cause, id) WHERE cause IS NOT NULL;
   CREATE INDEX blocks_until ON blocks (until) WHERE until IS NOT NULL;
   CREATE INDEX blocks_closed ON blocks (closed_at) WHERE closed_at IS NOT NULL;
   CREATE INDEX blocks_unsent ON blocks (entry_n) WHERE entry_n > sent_n;

   CREATE TABLE partners (
     id TEXT PRIMARY KEY,
     record REAL NOT NULL,
     confirmed INTEGER NOT NULL,
     appealed INTEGER NOT NULL
   ) WITHOUT ROWID;

   CREATE TABLE resets (subject TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

   CREATE TABLE withdrawals (
     partner TEXT PRIMARY KEY,
     since INTEGER NOT NULL,
     requested_at INTEGER NOT NULL,
     actor TEXT NOT NULL,
     reason TEXT NOT NULL,
     waiting TEXT NOT NULL
   ) WITHOUT ROWID;

   CREATE TABLE totals (name TEXT PRIMARY KEY, many INTEGER NOT NULL) WITHOUT ROWID;

   ${AUDIT_AND_ANSWERS}`,
  ANCHORS + AUDIT_SUBJECT,
  // The ID of a campaign of texts; null for a number or sender ID.
  `ALTER TABLE blocks ADD COLUMN campaign INTEGER;
   DROP INDEX blocks_unsent;
   CREATE INDEX blocks_unsent ON blocks ((campaign IS NOT NULL), entry_n) WHERE entry_n > sent_n;`,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
