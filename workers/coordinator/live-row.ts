/**
 * A row of the live layer: how it is selected, and how the admin API shows it.
 */
import type { EntryInfo } from '../../shared/admin/entries.ts';
import {
  fingerprintText,
  LIVE_KINDS,
  type LiveKey,
  type LiveOp,
  SUBJECT_BIT,
} from '../../shared/live/entry.ts';
import { SUFFIX_COUNT, toE164 } from '../../shared/numbers/number.ts';
import { formatUntil } from '../../shared/screening/finding.ts';
import { type BlockStage, type RuleMark, SUBJECTS, type Subject } from '../../shared/verdict.ts';

export const NUMBER_KIND = LIVE_KINDS.indexOf('number');

/** A key, and the text if it is a source. */
export interface NamedKey extends LiveKey {
  readonly source: string | null;
}

/** The target of an operation. */
export interface Target extends NamedKey {
  /** Index of the item that it comes from. */
  readonly item: number;
  /** For an unblock of a source: the key of everything that looks like the source, if it differs from its own key. */
  readonly alike: LiveKey | null;
}

/** A row, with the subjects of one number and `seq` merged. */
export interface LiveRow extends Record<string, SqlStorageValue> {
  kind: number;
  high: number;
  low: number;
  subjects: number;
  seq: number;
  operation: number;
  op: string;
  code: string | null;
  authority: string;
  until: number;
  source: string | null;
  rule: string | null;
  stage: string | null;
}

/** A row with its operation. */
export interface AuthoredRow extends LiveRow {
  at: number;
  actor: string;
  reason: string;
}

export const ENTRY =
  'kind, high, low, SUM(subject) AS subjects, seq, operation, op, code, authority, until, source, rule, stage';
// CROSS JOIN fixes the order of the tables: SQLite would otherwise start with the small one.
export const ENTRIES = `SELECT ${ENTRY} FROM live CROSS JOIN live_changes USING (seq)`;
export const ENTRIES_BY_CHANGE = `SELECT ${ENTRY} FROM live_changes CROSS JOIN live USING (seq)`;
export const ENTRIES_WITH_AUTHOR = `SELECT ${ENTRY}, at, actor, reason FROM live CROSS JOIN live_changes USING (seq)
  CROSS JOIN (SELECT id, at, actor, reason FROM operations) ON id = operation`;
export const BY_KEY = 'GROUP BY seq, kind, high, low';
/**
 * For rows that another index finds. Without the `+`, SQLite would scan all of `live_seq` to use its order.
 */
export const BY_KEY_OF_FEW = 'GROUP BY +seq, kind, high, low';
export const OF_KEY =
  'WHERE kind = ? AND high = ? AND low = ? AND until > ? GROUP BY seq, kind, high, low ORDER BY seq DESC';

export function subjectsOf(mask: number): Subject[] {
  return SUBJECTS.filter((subject) => (mask & SUBJECT_BIT[subject]) !== 0);
}

/** The entries in force for a key, as written to the audit log; null if there are none. */
export function stateOf(rows: readonly LiveRow[]): unknown {
  if (rows.length === 0) return null;
  return rows.map(({ op, code, subjects, until, seq, operation, ...row }) => ({
    ...{ op, code, subjects: subjectsOf(subjects), until: formatUntil(until), seq, operation },
    ...markIn(row),
  }));
}

/** The rule that made a row, and its stage. Empty if no rule made the row. */
export function markIn({ rule, stage }: Pick<LiveRow, 'rule' | 'stage'>): Partial<RuleMark> {
  return rule === null ? {} : { rule, stage: stage as BlockStage };
}

export function toEntryInfo(row: AuthoredRow): EntryInfo {
  return {
    number: row.kind === NUMBER_KIND ? toE164(row.high * SUFFIX_COUNT + row.low) : null,
    source: row.source,
    fingerprint: fingerprintText({ kind: LIVE_KINDS[row.kind]!, high: row.high, low: row.low }),
    op: row.op as LiveOp,
    code: row.code,
    subjects: subjectsOf(row.subjects),
    authority: row.authority,
    until: formatUntil(row.until),
    seq: row.seq,
    at: new Date(row.at).toISOString(),
    by: row.actor,
    reason: row.reason,
    operation: row.operation,
    ...markIn(row),
  };
}
