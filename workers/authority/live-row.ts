/**
 * A row of the live layer, and how it is told to an admin.
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
  at: number;
  actor: string;
  reason: string;
}

export function subjectsOf(mask: number): Subject[] {
  return SUBJECTS.filter((subject) => (mask & SUBJECT_BIT[subject]) !== 0);
}

export function infoOf(row: LiveRow): EntryInfo {
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
