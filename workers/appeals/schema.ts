/** The tables of the store of appeals. docs/storage.md describes each. Every change appends a step; old steps never change. */
import { applySteps } from '../storage/schema-steps.ts';
import { ANCHORS, AUDIT_AND_ANSWERS } from '../storage/store-tables.ts';

const STEPS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE reference_keys (
     key_id TEXT PRIMARY KEY,
     sealed_with TEXT NOT NULL,
     sealed BLOB NOT NULL,
     at INTEGER NOT NULL
   ) WITHOUT ROWID;

   CREATE TABLE appeals (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     state TEXT NOT NULL,
     subject TEXT NOT NULL,
     number INTEGER,
     source TEXT,
     party_key TEXT NOT NULL,
     list TEXT NOT NULL,
     entry_seq INTEGER,
     code TEXT NOT NULL,
     authority TEXT NOT NULL,
     received_at INTEGER NOT NULL,
     appellants INTEGER NOT NULL,
     claimed_by TEXT,
     claimed_until INTEGER,
     decided_by TEXT,
     decided_at INTEGER,
     rejection TEXT,
     seq INTEGER
   );
   CREATE INDEX appeals_party ON appeals (party_key, id);
   CREATE INDEX appeals_open ON appeals (id) WHERE decided_at IS NULL;
   CREATE INDEX appeals_decided ON appeals (decided_at) WHERE decided_at IS NOT NULL;

   CREATE TABLE statements (
     appeal INTEGER NOT NULL,
     at INTEGER NOT NULL,
     statement TEXT NOT NULL,
     contact TEXT
   );
   CREATE INDEX statements_appeal ON statements (appeal);

   CREATE TABLE proofs (proof TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX proofs_at ON proofs (at);

   CREATE TABLE totals (name TEXT PRIMARY KEY, many INTEGER NOT NULL) WITHOUT ROWID;

   ${AUDIT_AND_ANSWERS}
   CREATE INDEX audit_subject ON audit (subject);`,
  ANCHORS,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
