/** The tables of statistics. docs/storage.md describes each table. Every change is a new step; steps are only appended. */
import { applySteps } from '../storage/schema-steps.ts';

const STEPS: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE intakes (name TEXT PRIMARY KEY) WITHOUT ROWID;

   CREATE TABLE clients (id TEXT PRIMARY KEY) WITHOUT ROWID;

   CREATE TABLE open_months (
     month TEXT PRIMARY KEY,
     day TEXT NOT NULL,
     at INTEGER NOT NULL,
     tables TEXT NOT NULL,
     reached TEXT NOT NULL
   ) WITHOUT ROWID;

   CREATE TABLE jobs (
     month TEXT NOT NULL,
     kind TEXT NOT NULL,
     version INTEGER NOT NULL,
     planned INTEGER NOT NULL,
     actor TEXT,
     reason TEXT,
     PRIMARY KEY (month, kind)
   ) WITHOUT ROWID;

   CREATE TABLE queue (
     month TEXT NOT NULL,
     kind TEXT NOT NULL,
     source TEXT NOT NULL,
     PRIMARY KEY (month, kind, source)
   ) WITHOUT ROWID;

   CREATE TABLE readings (
     month TEXT NOT NULL,
     version INTEGER NOT NULL,
     source TEXT NOT NULL,
     reading TEXT NOT NULL,
     read_at INTEGER NOT NULL,
     PRIMARY KEY (month, version, source)
   ) WITHOUT ROWID;

   CREATE TABLE checks_read (month TEXT PRIMARY KEY) WITHOUT ROWID;

   CREATE TABLE versions (
     month TEXT NOT NULL,
     version INTEGER NOT NULL,
     at INTEGER NOT NULL,
     kept TEXT NOT NULL,
     digest TEXT NOT NULL,
     salt TEXT NOT NULL,
     exact_digest TEXT NOT NULL,
     actor TEXT,
     reason TEXT,
     recorded INTEGER NOT NULL,
     PRIMARY KEY (month, version)
   ) WITHOUT ROWID;`,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
