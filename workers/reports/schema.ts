/**
 * The tables of the objects that keep reports. docs/storage.md describes each table. Every change is a new step, and
 * steps are only appended.
 */
import { NOTICE_OUTBOX_TABLES } from '../storage/notice-outbox.ts';
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

/**
 * Counts by month (month-counts.ts), filled from the reports that are kept. traits.ts defines the bits of `traits`:
 * channel 0 is a text, origin 1 is abroad, kind 9 is `notSpam`.
 */
const MONTHS = `
  CREATE TABLE months (
    month TEXT NOT NULL, facet TEXT NOT NULL, name TEXT NOT NULL,
    acknowledged INTEGER NOT NULL, withdrawn INTEGER NOT NULL,
    PRIMARY KEY (month, facet, name)
  ) WITHOUT ROWID;

  INSERT INTO months
    SELECT strftime('%Y-%m', MIN(at, received) / 1000 + 32400, 'unixepoch') AS month, 'traits', CAST(traits AS TEXT),
      COUNT(*), SUM((state & 2) / 2) FROM reports GROUP BY month, traits;
  INSERT INTO months
    SELECT strftime('%Y-%m', MIN(at, received) / 1000 + 32400, 'unixepoch') AS month, 'relay', relay_code,
      COUNT(*), SUM((state & 2) / 2) FROM reports
    WHERE relay_code IS NOT NULL AND (traits & 3) = 0 AND (traits >> 8) <> 9 GROUP BY month, relay_code;
  INSERT INTO months
    SELECT strftime('%Y-%m', MIN(at, received) / 1000 + 32400, 'unixepoch') AS month, 'operator', operator,
      COUNT(*), SUM((state & 2) / 2) FROM reports
    WHERE operator IS NOT NULL AND (traits & 15) = 4 AND (traits >> 8) <> 9 GROUP BY month, operator;
`;

/** Fingerprints of texts, until the text store has given them campaigns. */
const TEXTS = `
  ALTER TABLE reports ADD COLUMN text_campaign INTEGER;

  CREATE TABLE fingerprints (seq INTEGER PRIMARY KEY, key_id TEXT NOT NULL, fingerprint BLOB NOT NULL);
`;

const BUDGET = `
  CREATE TABLE pairs (
    day INTEGER NOT NULL, partner TEXT NOT NULL, reporter TEXT NOT NULL, subject TEXT NOT NULL,
    PRIMARY KEY (day, partner, reporter, subject)
  ) WITHOUT ROWID;
`;

const SUBJECTS = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE sources (
    id INTEGER PRIMARY KEY, intake TEXT NOT NULL UNIQUE,
    partner TEXT NOT NULL, kind TEXT NOT NULL, n INTEGER NOT NULL
  );

  CREATE TABLE subjects (
    key TEXT PRIMARY KEY, seal TEXT NOT NULL, mock INTEGER NOT NULL,
    received INTEGER NOT NULL, counted INTEGER NOT NULL, over_budget INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL, not_spam INTEGER NOT NULL,
    reset_at INTEGER NOT NULL, last_at INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE reports (
    subject TEXT NOT NULL, source INTEGER NOT NULL, seq INTEGER NOT NULL,
    reporter TEXT NOT NULL, traits INTEGER NOT NULL, at INTEGER NOT NULL, arrived_at INTEGER NOT NULL,
    PRIMARY KEY (subject, source, seq)
  ) WITHOUT ROWID;

  CREATE TABLE decisions (
    subject TEXT NOT NULL, rule TEXT NOT NULL, ends_at INTEGER NOT NULL, basis TEXT NOT NULL,
    PRIMARY KEY (subject, rule)
  ) WITHOUT ROWID;

  CREATE TABLE outbox (n INTEGER PRIMARY KEY, decisions TEXT NOT NULL);

  CREATE TABLE totals (received INTEGER NOT NULL, counted INTEGER NOT NULL, over_budget INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL, not_spam INTEGER NOT NULL);
  INSERT INTO totals VALUES (0, 0, 0, 0, 0);
`;

const REPORTED = `
  CREATE TABLE reported (hour INTEGER NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (hour, subject)) WITHOUT ROWID;
  ${NOTICE_OUTBOX_TABLES}
`;

/** Reports of each subject by day (days since 1970, of Asia/Seoul) and traits, without reporters. */
const DAYS = `
  CREATE TABLE days (
    day INTEGER NOT NULL, subject TEXT NOT NULL, traits INTEGER NOT NULL,
    received INTEGER NOT NULL, over_budget INTEGER NOT NULL, withdrawn INTEGER NOT NULL,
    PRIMARY KEY (day, subject, traits)
  ) WITHOUT ROWID;
`;

/** 1 if the subject is a campaign of texts. */
const CAMPAIGNS = `
  ALTER TABLE subjects ADD COLUMN campaign INTEGER NOT NULL DEFAULT 0;
`;

export function createIntakeTables(storage: DurableObjectStorage): void {
  applySteps(storage, [INTAKE, MONTHS, TEXTS]);
}

export function createBudgetTables(storage: DurableObjectStorage): void {
  applySteps(storage, [BUDGET]);
}

export function createSubjectTables(storage: DurableObjectStorage): void {
  applySteps(storage, [SUBJECTS, REPORTED, DAYS, CAMPAIGNS]);
}
