/**
 * The tables of the credential store. docs/storage.md describes each. A change is a further step: steps are only
 * appended.
 */
import { applySteps } from '../storage/schema-steps.ts';
import { PASSPORT_TABLES } from './passport-rows.ts';

const STEPS: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE sealed_values (
     place TEXT NOT NULL,
     key TEXT NOT NULL,
     sha256 TEXT NOT NULL,
     key_id TEXT NOT NULL,
     state INTEGER NOT NULL,
     written INTEGER NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (place, key)
   );
   CREATE INDEX sealed_values_key ON sealed_values (key);`,
  PASSPORT_TABLES,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
