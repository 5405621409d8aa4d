/** The tables of the feed. docs/storage.md describes each. A change is a further step: steps are only appended. */
import { applySteps } from '../storage/schema-steps.ts';

const STEPS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE places (
     place TEXT PRIMARY KEY,
     rows TEXT NOT NULL,
     seq INTEGER NOT NULL,
     ends INTEGER NOT NULL,
     pass INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX places_seq ON places (seq);
   CREATE INDEX places_ends ON places (ends);
   CREATE INDEX places_pass ON places (pass);

   CREATE TABLE parties (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     party TEXT NOT NULL,
     subject TEXT NOT NULL,
     skeleton TEXT,
     source TEXT,
     reference TEXT NOT NULL,
     entry TEXT,
     position INTEGER NOT NULL,
     due INTEGER,
     UNIQUE (party, subject)
   );
   CREATE INDEX parties_skeleton ON parties (skeleton) WHERE skeleton IS NOT NULL;
   CREATE INDEX parties_due ON parties (due) WHERE due IS NOT NULL;
   CREATE INDEX parties_entries ON parties (id) WHERE entry IS NOT NULL;

   CREATE TABLE epochs (
     epoch INTEGER PRIMARY KEY,
     first INTEGER NOT NULL,
     start TEXT NOT NULL,
     note TEXT NOT NULL,
     at INTEGER NOT NULL
   );

   CREATE TABLE events (
     position INTEGER PRIMARY KEY,
     reference TEXT NOT NULL,
     entry TEXT,
     before TEXT,
     at INTEGER NOT NULL,
     digest TEXT NOT NULL
   );

   CREATE TABLE pollers (
     client TEXT PRIMARY KEY,
     covered INTEGER NOT NULL,
     offered INTEGER NOT NULL,
     at INTEGER NOT NULL
   ) WITHOUT ROWID;`,
  `CREATE TABLE texts (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     kind TEXT NOT NULL,
     name TEXT NOT NULL,
     reference TEXT NOT NULL,
     entry TEXT NOT NULL,
     position INTEGER NOT NULL,
     owner INTEGER NOT NULL,
     pass INTEGER NOT NULL,
     UNIQUE (kind, name)
   );
   CREATE INDEX texts_pass ON texts (pass) WHERE kind = 'campaign';`,
];

export function createTables(storage: DurableObjectStorage): void {
  applySteps(storage, STEPS);
}
