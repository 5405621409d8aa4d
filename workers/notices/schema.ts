/** The tables of a store of notices. docs/storage.md describes each. A change is a further step: steps are only appended. */
import { applySteps } from '../storage/schema-steps.ts';
import { ANCHORS, AUDIT_AND_ANSWERS } from '../storage/store-tables.ts';

const STEPS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE senders (sender TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;

   CREATE TABLE notices (
     version INTEGER PRIMARY KEY,
     key TEXT NOT NULL,
     type TEXT NOT NULL,
     at INTEGER NOT NULL,
     kept_at INTEGER NOT NULL,
     subject TEXT NOT NULL,
     data TEXT NOT NULL,
     mock INTEGER NOT NULL,
     respond_by INTEGER,
     delivered_at INTEGER,
     attempts INTEGER NOT NULL,
     informed INTEGER,
     informed_at INTEGER,
     note TEXT,
     acknowledged_at INTEGER,
     acknowledged_by TEXT
   );
   CREATE UNIQUE INDEX notices_key ON notices (key);
   CREATE INDEX notices_subject ON notices (subject, version);
   CREATE INDEX notices_open ON notices (respond_by) WHERE respond_by IS NOT NULL AND acknowledged_at IS NULL;

   CREATE TABLE counts (
     month TEXT NOT NULL,
     type TEXT NOT NULL,
     notices INTEGER NOT NULL,
     delivered INTEGER NOT NULL,
     acknowledged INTEGER NOT NULL,
     informed INTEGER NOT NULL,
     PRIMARY KEY (month, type)
   ) WITHOUT ROWID;

   CREATE TABLE webhooks (
     id TEXT PRIMARY KEY,
     url TEXT NOT NULL,
     types TEXT NOT NULL,
     state TEXT NOT NULL,
     state_reason TEXT,
     secret_n INTEGER NOT NULL,
     rotated_at INTEGER,
     created_at INTEGER NOT NULL,
     position INTEGER NOT NULL,
     attempts INTEGER NOT NULL,
     next_at INTEGER,
     replay_attempts INTEGER NOT NULL,
     replay_at INTEGER,
     sending TEXT,
     failing_since INTEGER
   ) WITHOUT ROWID;

   CREATE TABLE deliveries (
     webhook TEXT NOT NULL,
     version INTEGER NOT NULL,
     state TEXT NOT NULL,
     settled_at INTEGER NOT NULL,
     attempts INTEGER NOT NULL,
     log TEXT NOT NULL,
     PRIMARY KEY (webhook, version)
   ) WITHOUT ROWID;
   CREATE INDEX deliveries_replaying ON deliveries (webhook, version) WHERE state = 'replaying';
   CREATE INDEX deliveries_failed ON deliveries (webhook, version) WHERE state = 'failed';
   CREATE INDEX deliveries_version ON deliveries (version);

   ${ANCHORS}
   ${AUDIT_AND_ANSWERS}
   CREATE INDEX audit_subject ON audit (subject);`,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
