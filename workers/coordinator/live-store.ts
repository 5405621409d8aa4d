/**
 * The live layer in SQLite: one row in `live` per entry and subject, one row in `live_changes` per change. A new
 * entry replaces those of its number and subject that expire no later, and covers those that last longer.
 */
import type { EntryChange, EntryInfo, EntryPage } from '../../shared/admin.ts';
import { type AuditEntry, keyedNumber } from '../../shared/audit.ts';
import { ENTRIES_PER_KEY_MAX } from '../../shared/limits.ts';
import {
  fingerprintText,
  LIVE_KINDS,
  type LiveEntry,
  type LiveKey,
  type LiveOp,
  SUBJECT_BIT,
} from '../../shared/live/entry.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { formatUntil } from '../../shared/screening/finding.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import type { Code } from '../../shared/verdict.ts';
import {
  type AppliedChange,
  applied,
  type ChangeRequest,
  type ChangeResult,
  refuse,
} from './change-request.ts';
import { Growth, LiveRoom } from './live-room.ts';
import {
  type AuthoredRow,
  BY_KEY,
  BY_KEY_OF_FEW,
  ENTRIES,
  ENTRIES_BY_CHANGE,
  ENTRIES_WITH_AUTHOR,
  type LiveRow,
  NUMBER_KIND,
  OF_KEY,
  stateOf,
  subjectsOf,
  toEntryInfo,
} from './live-row.ts';

/** The target of an operation: a key, and the text if it is a source. */
export interface Target extends LiveKey {
  readonly source: string | null;
}

/** The context of a change. */
interface Place {
  readonly seq: number;
  /** Id in `operations`. */
  readonly operation: number;
  /** Seconds since 1970. */
  readonly now: number;
}

export class LiveStore {
  readonly #sql: SqlStorage;
  readonly #room: LiveRoom;
  readonly #keys: ListKeys;

  constructor(sql: SqlStorage, keys: ListKeys) {
    this.#sql = sql;
    this.#room = new LiveRoom(sql);
    this.#keys = keys;
  }

  /** Applies one operation to all targets. */
  apply(
    { items, op, code, subjects, until }: EntryChange,
    targets: readonly Target[],
    { actor }: ChangeRequest,
    { seq, operation, now }: Place,
  ): ChangeResult<AppliedChange<{ changed: number }>> {
    const end = until === null ? FOREVER : Math.min(FOREVER, Math.floor(Date.parse(until) / 1000));
    this.#addChange(seq, operation, [op, op === 'block' ? code : null, actor.authority, end]);
    const audit: AuditEntry[] = [];
    const replaced = new Set<number>();
    const growth = new Growth();
    const bits = [...new Set(subjects)].map((subject) => SUBJECT_BIT[subject]);
    for (const [index, target] of targets.entries()) {
      const place = [LIVE_KINDS.indexOf(target.kind), target.high, target.low] as const;
      const before = this.#stateOf(place, now);
      for (const bit of bits) {
        if (!this.#put([...place, bit], { seq, end, source: target.source }, replaced, growth)) {
          const message = `the entry would lie over ${ENTRIES_PER_KEY_MAX} others: clear it first`;
          return refuse('LIVE_FULL', message, { items: [{ index, code: 'LIVE_FULL', message }] });
        }
        growth.add(actor.authority, 1);
      }
      audit.push({
        action: `entries.${op}`,
        subject: this.#nameOf(target),
        before,
        after: this.#stateOf(place, now),
      });
    }
    const full = this.#room.refusal(op, actor, growth);
    if (full !== null) return full;
    this.#dropEmpty(replaced);
    this.#room.add(growth);
    return applied({ changed: items.length }, audit);
  }

  /**
   * Restores entries that the tables have lost, in their original order.
   * @param operation the restoration: the original authors and reasons are lost
   */
  restore(entries: readonly LiveEntry[], operation: number): void {
    const replaced = new Set<number>();
    const growth = new Growth();
    for (const entry of entries.toSorted((a, b) => a.seq - b.seq)) {
      const { kind, high, low, subjects, seq, op, code, authority, until } = entry;
      this.#addChange(seq, operation, [op, code, authority, until]);
      const place = [LIVE_KINDS.indexOf(kind), high, low];
      const source = kind === 'source' ? `fingerprint ${fingerprintText(entry)}` : null;
      for (const subject of subjectsOf(subjects)) {
        const added = this.#put(
          [...place, SUBJECT_BIT[subject]],
          { seq, end: until, source },
          replaced,
          growth,
        );
        if (added) growth.add(authority, 1);
      }
    }
    this.#dropEmpty(replaced);
    this.#room.add(growth);
  }

  /** @param shared op, code, authority and expiry of all its entries */
  #addChange(seq: number, operation: number, shared: readonly SqlStorageValue[]): void {
    this.#sql.exec('INSERT OR IGNORE INTO live_changes VALUES (?, ?, ?, ?, ?, ?)', seq, operation, ...shared);
  }

  /** Deletes those of these changes that have no entries left. */
  #dropEmpty(seqs: Iterable<number>): void {
    for (const seq of seqs) {
      this.#sql.exec(
        'DELETE FROM live_changes WHERE seq = ? AND NOT EXISTS (SELECT 1 FROM live WHERE live.seq = ?)',
        ...[seq, seq],
      );
    }
  }

  /** Number of entries. Each number and subject counts as one. */
  get rows(): number {
    return this.#room.entries;
  }

  /**
   * Inserts a row and deletes those of its key and subject that expire no later.
   * @param place kind, high, low, subject
   * @param replaced collects the changes of the deleted rows; `growth` gets the loss of their authorities
   * @returns false if too many rows would lie beneath it
   */
  #put(
    place: readonly number[],
    { seq, end, source }: { seq: number; end: number; source: string | null },
    replaced: Set<number>,
    growth: Growth,
  ): boolean {
    const others = this.#sql
      .exec<{ seq: number; until: number; authority: string }>(
        `SELECT seq, until, authority FROM live CROSS JOIN live_changes USING (seq)
         WHERE kind = ? AND high = ? AND low = ? AND subject = ?`,
        ...place,
      )
      .toArray();
    const ended = others.filter(({ until }) => until <= end);
    if (others.length - ended.length >= ENTRIES_PER_KEY_MAX) return false;
    for (const other of ended) {
      this.#sql.exec(
        'DELETE FROM live WHERE kind = ? AND high = ? AND low = ? AND subject = ? AND seq = ?',
        ...[...place, other.seq],
      );
      replaced.add(other.seq);
      growth.add(other.authority, -1);
    }
    this.#sql.exec('INSERT INTO live VALUES (?, ?, ?, ?, ?, ?)', ...place, seq, source);
    return true;
  }

  /** The entries in force for a key, for the audit log: newest first. */
  #stateOf(place: readonly number[], now: number): unknown {
    return stateOf(this.#sql.exec<LiveRow>(`${ENTRIES} ${OF_KEY}`, ...place, now).toArray());
  }

  #nameOf({ kind, high, low, source }: Target): string {
    return kind === 'number' ? keyedNumber(high * SUFFIX_COUNT + low, this.#keys) : `source ${source}`;
  }

  /** The entries in force for one number or source. */
  find({ kind, high, low }: Target, now: number): EntryInfo[] {
    return this.#sql
      .exec<AuthoredRow>(`${ENTRIES_WITH_AUTHOR} ${OF_KEY}`, LIVE_KINDS.indexOf(kind), high, low, now)
      .toArray()
      .map(toEntryInfo);
  }

  /**
   * Entries by ascending `seq`.
   * @param after cursor of the previous page, or ''
   * @param upTo last `seq` to return
   */
  page(after: string, upTo: number, limit: number): EntryPage {
    const [seq = -1, kind = 0, high = 0, keyed = 0] = after === '' ? [] : after.split('.').map(Number);
    // The cursor appears in URLs, and numbers must not: its suffix is permuted.
    const { permutation } = this.#keys;
    const low = kind === NUMBER_KIND ? permutation.invert(keyed % SUFFIX_COUNT) : keyed;
    const rows = this.#sql
      .exec<AuthoredRow>(
        `${ENTRIES_WITH_AUTHOR} WHERE seq <= ? AND (seq, kind, high, low) > (?, ?, ?, ?) ${BY_KEY} ORDER BY seq, kind, high, low LIMIT ?`,
        ...[upTo, seq, kind, high, low, limit + 1],
      )
      .toArray();
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const entries = shown.map(toEntryInfo);
    if (last === undefined || rows.length <= limit) return { upTo, entries, next: null };
    const keyedLow = last.kind === NUMBER_KIND ? permutation.permute(last.low) : last.low;
    return { upTo, entries, next: [last.seq, last.kind, last.high, keyedLow].join('.') };
  }

  /** Entries with `seq` above `from` and up to `to`, for a segment. */
  entries(from: number, to: number): LiveEntry[] {
    return this.#sql
      .exec<LiveRow>(`${ENTRIES} WHERE seq > ? AND seq <= ? ${BY_KEY}`, from, to)
      .toArray()
      .map(({ kind, high, low, subjects, seq, op, code, authority, until }) => ({
        ...{ kind: LIVE_KINDS[kind]!, high, low, subjects, seq, authority, until },
        op: op as LiveOp,
        code: code as Code | null,
      }));
  }

  /** How many entries each change above `from` still has, by ascending `seq`. */
  counts(from: number): { seq: number; entries: number }[] {
    return this.#sql
      .exec<{ seq: number; entries: number }>(
        `SELECT seq, COUNT(*) AS entries FROM (SELECT seq FROM live WHERE seq > ? ${BY_KEY}) GROUP BY seq ORDER BY seq`,
        from,
      )
      .toArray();
  }

  /** When the next entry expires, in seconds since 1970, or null. */
  get nextEnd(): number | null {
    return this.#sql
      .exec<{ until: number | null }>('SELECT MIN(until) AS until FROM live_changes WHERE until < ?', FOREVER)
      .one().until;
  }

  /** Removes expired entries, at most `limit`. @returns their audit entries */
  expire(now: number, limit: number): AuditEntry[] {
    const ended = this.#sql
      .exec<LiveRow>(
        `${ENTRIES_BY_CHANGE} WHERE until <= ? ${BY_KEY_OF_FEW} ORDER BY until LIMIT ?`,
        ...[now, limit],
      )
      .toArray();
    const growth = new Growth();
    for (const { kind, high, low, subjects, seq, authority } of ended) {
      this.#sql.exec(
        'DELETE FROM live WHERE kind = ? AND high = ? AND low = ? AND seq = ?',
        ...[kind, high, low, seq],
      );
      growth.add(authority, -subjectsOf(subjects).length);
    }
    this.#dropEmpty(new Set(ended.map(({ seq }) => seq)));
    this.#room.add(growth);
    return ended.map((row) => ({
      action: 'entries.end',
      subject: this.#nameOf({
        kind: LIVE_KINDS[row.kind]!,
        high: row.high,
        low: row.low,
        source: row.source,
      }),
      before: { op: row.op, subjects: subjectsOf(row.subjects), until: formatUntil(row.until), seq: row.seq },
      after: null,
    }));
  }

  /** Removes entries that every readable release has folded in. */
  dropFolded(foldedSeq: number): void {
    const growth = new Growth();
    const folded = this.#sql.exec<{ authority: string; count: number }>(
      `SELECT authority, COUNT(*) AS count FROM live CROSS JOIN live_changes USING (seq)
       WHERE seq <= ? GROUP BY authority`,
      foldedSeq,
    );
    for (const { authority, count } of folded) growth.add(authority, -count);
    this.#sql.exec('DELETE FROM live WHERE seq <= ?', foldedSeq);
    this.#sql.exec('DELETE FROM live_changes WHERE seq <= ?', foldedSeq);
    this.#room.add(growth);
  }
}
