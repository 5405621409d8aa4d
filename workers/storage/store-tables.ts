/**
 * The anchors of an audit chain in the audit log (anchoring.ts): record `log_n` of the log covers the records after
 * `from_n`, up to `to_n`. This is a step of each store, so it never changes.
 */
export const ANCHORS = `
   CREATE TABLE anchors (to_n INTEGER PRIMARY KEY, from_n INTEGER NOT NULL, log_n INTEGER NOT NULL);`;

/** For chains by subject, because evidence files read the records of one subject. */
export const AUDIT_SUBJECT = `
   CREATE INDEX audit_subject ON audit (subject);`;

/**
 * Tables that are the same in several stores: the audit chain by subject (audit-chain.ts), and answers for repeated
 * requests (transactions.ts). They are part of first steps, so they never change.
 */
export const AUDIT_AND_ANSWERS = `
   CREATE TABLE audit (
     n INTEGER PRIMARY KEY,
     subject TEXT NOT NULL,
     at INTEGER NOT NULL,
     actor TEXT NOT NULL,
     action TEXT NOT NULL,
     reason TEXT NOT NULL,
     before TEXT NOT NULL,
     after TEXT NOT NULL,
     hash BLOB NOT NULL
   );
   CREATE TABLE answers (
     key TEXT PRIMARY KEY,
     request_sha256 TEXT NOT NULL,
     answer TEXT NOT NULL,
     at INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX answers_at ON answers (at);`;
