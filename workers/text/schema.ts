/**
 * The tables of the text store. docs/storage.md describes each table. Every change is a new step; steps are only appended.
 */
import { applySteps } from '../storage/schema-steps.ts';
import { SEALED_VALUES } from '../storage/sealed-values.ts';
import { ANCHORS, AUDIT_AND_ANSWERS, AUDIT_SUBJECT } from '../storage/store-tables.ts';
import { CAMPAIGN_REASONS, CAMPAIGN_TABLES } from './stored-campaign.ts';

const STEPS: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE releases (
     place INTEGER PRIMARY KEY,
     release TEXT NOT NULL UNIQUE,
     state TEXT NOT NULL,
     share REAL,
     signed TEXT NOT NULL,
     signature TEXT NOT NULL,
     pushed_at INTEGER NOT NULL,
     pushed_by TEXT NOT NULL,
     promoted_at INTEGER
   );
   CREATE INDEX releases_state ON releases (state);

   CREATE TABLE release_values (
     key TEXT PRIMARY KEY,
     sha256 TEXT NOT NULL,
     key_id TEXT NOT NULL,
     written INTEGER NOT NULL,
     bytes BLOB NOT NULL
   );
   CREATE TABLE pushes (holder TEXT PRIMARY KEY, day INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
   ${SEALED_VALUES}
   ${AUDIT_AND_ANSWERS}${ANCHORS}${AUDIT_SUBJECT}`,
  CAMPAIGN_TABLES,
  CAMPAIGN_REASONS,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
