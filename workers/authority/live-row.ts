/**
 * A row of the live layer: how it is selected, and how an admin sees it.
 */
import type { EntryInfo } from '../../shared/admin.ts';
import { timeOf } from '../../shared/hit.ts';
import { fingerprintText, LIVE_KINDS, type LiveOp, SUBJECT_BIT } from '../../shared/live/entry.ts';
import { TAILS, toE164 } from '../../shared/numbers/number.ts';
import { SUBJECTS, type Subject } from '../../shared/verdict.ts';

export const NUMBER_KIND = LIVE_KINDS.indexOf('number');

/** A row, with the subjects of one number and `seq` joined. */
export interface LiveRow extends Record<string, SqlStorageValue> {
  kind: number;
  high: number;
  low: number;
  subjects: number;
  seq: number;
  op: string;
  code: string | null;
  authority: string;
  until: number;
  source: string | null;
}

/** The same with the operation that it came with. */
export interface AuthoredRow extends LiveRow {
  at: number;
  actor: string;
  reason: string;
}

export const ENTRY = 'kind, high, low, SUM(subject) AS subjects, seq, op, code, authority, until, source';
// CROSS JOIN keeps the order of the tables: SQLite would rather begin with the small one.
export const ENTRIES = `SELECT ${ENTRY} FROM live CROSS JOIN live_changes USING (seq)`;
export const ENTRIES_BY_CHANGE = `SELECT ${ENTRY} FROM live_changes CROSS JOIN live USING (seq)`;
export const ENTRIES_WITH_AUTHOR = `SELECT ${ENTRY}, at, actor, reason FROM live CROSS JOIN live_changes USING (seq)
  CROSS JOIN (SELECT id, at, actor, reason FROM operations) ON id = operation`;
export const BY_KEY = 'GROUP BY seq, kind, high, low';
/** The same for rows that another index finds: SQLite would walk all of `live_seq`, for its order. */
export const BY_KEY_OF_FEW = 'GROUP BY +seq, kind, high, low';
export const OF_KEY =
  'WHERE kind = ? AND high = ? AND low = ? AND until > ? GROUP BY seq, kind, high, low ORDER BY seq DESC';

export function subjectsOf(mask: number): Subject[] {
  return SUBJECTS.filter((subject) => (mask & SUBJECT_BIT[subject]) !== 0);
}

/** What is in force for a key, as the audit log has it; null for nothing. */
export function stateOf(rows: readonly LiveRow[]): unknown {
  if (rows.length === 0) return null;
  return rows.map(({ op, code, subjects, until, seq }) => ({
    ...{ op, code, subjects: subjectsOf(subjects), until: timeOf(until), seq },
  }));
}

export function infoOf(row: AuthoredRow): EntryInfo {
  return {
    number: row.kind === NUMBER_KIND ? toE164(row.high * TAILS + row.low) : null,
    source: row.source,
    fingerprint: fingerprintText({ kind: LIVE_KINDS[row.kind]!, high: row.high, low: row.low }),
    op: row.op as LiveOp,
    code: row.code,
    subjects: subjectsOf(row.subjects),
    authority: row.authority,
    until: timeOf(row.until),
    seq: row.seq,
    at: new Date(row.at).toISOString(),
    by: row.actor,
    reason: row.reason,
  };
}
