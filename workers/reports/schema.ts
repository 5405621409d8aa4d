/**
 * The tables of the objects that keep reports. docs/storage.md describes each. A change is a further step: steps are only
 * appended.
 */
import { applySteps } from '../storage/schema-steps.ts';

const INTAKE = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE reports (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    reporter TEXT NOT NULL,
    traits INTEGER NOT NULL,
    at INTEGER NOT NULL,
    received INTEGER NOT NULL,
    state INTEGER NOT NULL,
    relay_code TEXT,
    operator TEXT,
    campaign TEXT
  );

  CREATE TABLE withdrawals (seq INTEGER PRIMARY KEY, report INTEGER NOT NULL);

  CREATE TABLE requests (last INTEGER PRIMARY KEY, seals TEXT NOT NULL);

  CREATE TABLE totals (acknowledged INTEGER NOT NULL, withdrawn INTEGER NOT NULL, over_budget INTEGER NOT NULL,
    day INTEGER NOT NULL, day_used INTEGER NOT NULL);
  INSERT INTO totals VALUES (0, 0, 0, 0, 0);
`;

const BUDGET = `
  CREATE TABLE pairs (
    day INTEGER NOT NULL, reporter TEXT NOT NULL, subject TEXT NOT NULL,
    PRIMARY KEY (day, reporter, subject)
  ) WITHOUT ROWID;
`;

export function createIntakeTables(storage: DurableObjectStorage): void {
  applySteps(storage, [INTAKE]);
}

export function createBudgetTables(storage: DurableObjectStorage): void {
  applySteps(storage, [BUDGET]);
}
