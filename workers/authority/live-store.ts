/**
 * The live layer in SQLite. `live` has one row an entry and subject; what all entries of one change share is one
 * row in `live_changes`. A new entry replaces those of its number and subject that end no later; one that ends
 * lies over those that last longer.
 */
import type { EntryChange, EntryInfo, EntryPage } from '../../shared/admin.ts';
import { type AuditEntry, keyedNumber } from '../../shared/audit.ts';
import { timeOf } from '../../shared/hit.ts';
import {
  ENTRIES_PER_KEY_MAX,
  LIVE_ENTRIES_MAX,
  RELEASES_BACK,
  UNBLOCK_RESERVE,
} from '../../shared/limits.ts';
import {
  fingerprintText,
  LIVE_KINDS,
  type LiveEntry,
  type LiveKey,
  type LiveOp,
  SUBJECT_BIT,
} from '../../shared/live/entry.ts';
import { TAILS } from '../../shared/numbers/number.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import type { Code } from '../../shared/verdict.ts';
import type { Ledger } from './ledger.ts';
import {
  type AuthoredRow,
  BY_KEY,
  BY_KEY_OF_FEW,
  ENTRIES,
  ENTRIES_BY_CHANGE,
  ENTRIES_WITH_AUTHOR,
  infoOf,
  type LiveRow,
  NUMBER_KIND,
  OF_KEY,
  stateOf,
  subjectsOf,
} from './live-row.ts';
import { type Made, made, type Order, type Outcome, refuse } from './order.ts';

/** What an operation is done to: a key, and of a source its text. */
export interface Target extends LiveKey {
  readonly source: string | null;
}

/** Where and under what a change is made. */
interface Place {
  readonly seq: number;
  /** In `operations`. */
  readonly operation: number;
  /** Seconds since 1970. */
  readonly now: number;
}

export class LiveStore {
  readonly #sql: SqlStorage;
  readonly #ledger: Ledger;
  readonly #keys: ListKeys;

  constructor(sql: SqlStorage, ledger: Ledger, keys: ListKeys) {
    this.#sql = sql;
    this.#ledger = ledger;
    this.#keys = keys;
  }

  /** Apply one operation to all targets. */
  apply(
    { items, op, code, subjects, until }: EntryChange,
    targets: readonly Target[],
    { actor }: Order,
    { seq, operation, now }: Place,
  ): Outcome<Made<{ changed: number }>> {
    const end = until === null ? FOREVER : Math.min(FOREVER, Math.floor(Date.parse(until) / 1000));
    this.#addChange(seq, operation, [op, op === 'block' ? code : null, actor.authority, end]);
    const audit: AuditEntry[] = [];
    const replaced = new Set<number>();
    let rows = this.rows;
    const bits = [...new Set(subjects)].map((subject) => SUBJECT_BIT[subject]);
    for (const [index, target] of targets.entries()) {
      const place = [LIVE_KINDS.indexOf(target.kind), target.high, target.low] as const;
      const before = this.#stateOf(place, now);
      for (const bit of bits) {
        const added = this.#put([...place, bit], { seq, end, source: target.source }, replaced);
        if (added === null) {
          const message = `the entry would lie over ${ENTRIES_PER_KEY_MAX} others: clear it first`;
          return refuse('LIVE_FULL', message, { items: [{ index, code: 'LIVE_FULL', message }] });
        }
        rows += added;
      }
      audit.push({
        action: `entries.${op}`,
        subject: this.#nameOf(target),
        before,
        after: this.#stateOf(place, now),
      });
    }
    const most = op === 'unblock' ? LIVE_ENTRIES_MAX : LIVE_ENTRIES_MAX - UNBLOCK_RESERVE;
    // What takes no more room than there was is never refused.
    if (rows > most && rows > this.rows) {
      const reserve = op === 'unblock' ? '' : ` (and ${UNBLOCK_RESERVE} for unblock)`;
      const dropped = `the current release and the ${RELEASES_BACK} before it have all folded them in`;
      return refuse('LIVE_FULL', `room for ${most} live entries${reserve}: they are dropped once ${dropped}`);
    }
    this.#dropEmpty(replaced);
    this.#setRows(rows);
    return made({ changed: items.length }, audit);
  }

  /**
   * Put entries back that the tables have lost. What stood over others that end no later replaces them.
   * @param operation of the restoration: who made them, and why, is lost
   */
  restore(entries: readonly LiveEntry[], operation: number): void {
    const replaced = new Set<number>();
    let rows = this.rows;
    for (const entry of entries.toSorted((a, b) => a.seq - b.seq)) {
      const { kind, high, low, subjects, seq, op, code, authority, until } = entry;
      this.#addChange(seq, operation, [op, code, authority, until]);
      const place = [LIVE_KINDS.indexOf(kind), high, low];
      const source = kind === 'source' ? `fingerprint ${fingerprintText(entry)}` : null;
      for (const subject of subjectsOf(subjects)) {
        rows += this.#put([...place, SUBJECT_BIT[subject]], { seq, end: until, source }, replaced) ?? 0;
      }
    }
    this.#dropEmpty(replaced);
    this.#setRows(rows);
  }

  /** @param shared op, code, authority and end of all its entries */
  #addChange(seq: number, operation: number, shared: readonly SqlStorageValue[]): void {
    this.#sql.exec('INSERT OR IGNORE INTO live_changes VALUES (?, ?, ?, ?, ?, ?)', seq, operation, ...shared);
  }

  /** Forget those of these changes that have no entry left. */
  #dropEmpty(seqs: Iterable<number>): void {
    for (const seq of seqs) {
      this.#sql.exec(
        'DELETE FROM live_changes WHERE seq = ? AND NOT EXISTS (SELECT 1 FROM live WHERE live.seq = ?)',
        ...[seq, seq],
      );
    }
  }

  /** Entries, one for each number and subject. Kept beside the table: counting it would read it whole. */
  get rows(): number {
    return Number(this.#ledger.get('liveRows') ?? 0);
  }

  #setRows(rows: number): void {
    this.#ledger.set('liveRows', String(rows));
  }

  /**
   * Put one row in, for those of its key and subject that end no later.
   * @param place kind, high, low, subject @param replaced gets the changes of the rows that it replaces
   * @returns how many rows there are more than before, or null where too many would lie under it
   */
  #put(
    place: readonly number[],
    { seq, end, source }: { seq: number; end: number; source: string | null },
    replaced: Set<number>,
  ): number | null {
    const others = this.#sql
      .exec<{ seq: number; until: number }>(
        `SELECT seq, until FROM live CROSS JOIN live_changes USING (seq)
         WHERE kind = ? AND high = ? AND low = ? AND subject = ?`,
        ...place,
      )
      .toArray();
    const ended = others.filter(({ until }) => until <= end);
    if (others.length - ended.length >= ENTRIES_PER_KEY_MAX) return null;
    for (const other of ended) {
      this.#sql.exec(
        'DELETE FROM live WHERE kind = ? AND high = ? AND low = ? AND subject = ? AND seq = ?',
        ...[...place, other.seq],
      );
      replaced.add(other.seq);
    }
    this.#sql.exec('INSERT INTO live VALUES (?, ?, ?, ?, ?, ?)', ...place, seq, source);
    return 1 - ended.length;
  }

  /** What is in force for a key, for the audit log: newest first. */
  #stateOf(place: readonly number[], now: number): unknown {
    return stateOf(this.#sql.exec<LiveRow>(`${ENTRIES} ${OF_KEY}`, ...place, now).toArray());
  }

  #nameOf({ kind, high, low, source }: Target): string {
    return kind === 'number' ? keyedNumber(high * TAILS + low, this.#keys) : `source ${source}`;
  }

  /** What is in force for one number or source. */
  find({ kind, high, low }: Target, now: number): EntryInfo[] {
    return this.#sql
      .exec<AuthoredRow>(`${ENTRIES_WITH_AUTHOR} ${OF_KEY}`, LIVE_KINDS.indexOf(kind), high, low, now)
      .toArray()
      .map(infoOf);
  }

  /**
   * Entries by rising `seq`.
   * @param after cursor of the page before, or '' @param upTo last `seq` that is told
   */
  page(after: string, upTo: number, limit: number): EntryPage {
    const [seq = -1, kind = 0, high = 0, keyed = 0] = after === '' ? [] : after.split('.').map(Number);
    // The cursor stands in URLs, and a number does not: its tail is permuted there.
    const { permutation } = this.#keys;
    const low = kind === NUMBER_KIND ? permutation.invert(keyed % TAILS) : keyed;
    const rows = this.#sql
      .exec<AuthoredRow>(
        `${ENTRIES_WITH_AUTHOR} WHERE seq <= ? AND (seq, kind, high, low) > (?, ?, ?, ?) ${BY_KEY} ORDER BY seq, kind, high, low LIMIT ?`,
        ...[upTo, seq, kind, high, low, limit + 1],
      )
      .toArray();
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const more = rows.length > limit && last !== undefined;
    const keyedLow = (row: LiveRow): number =>
      row.kind === NUMBER_KIND ? permutation.permute(row.low) : row.low;
    return {
      upTo,
      entries: shown.map(infoOf),
      next: more ? [last.seq, last.kind, last.high, keyedLow(last)].join('.') : null,
    };
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

  /** How many entries each change above `from` has left, by rising `seq`. */
  counts(from: number): { seq: number; entries: number }[] {
    return this.#sql
      .exec<{ seq: number; entries: number }>(
        `SELECT seq, COUNT(*) AS entries FROM (SELECT seq FROM live WHERE seq > ? ${BY_KEY}) GROUP BY seq ORDER BY seq`,
        from,
      )
      .toArray();
  }

  /** When the first entry ends, in seconds since 1970, or null. */
  get nextEnd(): number | null {
    return this.#sql
      .exec<{ until: number | null }>('SELECT MIN(until) AS until FROM live_changes WHERE until < ?', FOREVER)
      .one().until;
  }

  /** Remove what has ended. @returns the audit entries of it, at most `limit` */
  expire(now: number, limit: number): AuditEntry[] {
    const ended = this.#sql
      .exec<LiveRow>(
        `${ENTRIES_BY_CHANGE} WHERE until <= ? ${BY_KEY_OF_FEW} ORDER BY until LIMIT ?`,
        ...[now, limit],
      )
      .toArray();
    let rows = this.rows;
    for (const { kind, high, low, subjects, seq } of ended) {
      this.#sql.exec(
        'DELETE FROM live WHERE kind = ? AND high = ? AND low = ? AND seq = ?',
        ...[kind, high, low, seq],
      );
      rows -= subjectsOf(subjects).length;
    }
    this.#dropEmpty(new Set(ended.map(({ seq }) => seq)));
    this.#setRows(rows);
    return ended.map((row) => ({
      action: 'entries.end',
      subject: this.#nameOf({
        kind: LIVE_KINDS[row.kind]!,
        high: row.high,
        low: row.low,
        source: row.source,
      }),
      before: { op: row.op, subjects: subjectsOf(row.subjects), until: timeOf(row.until), seq: row.seq },
      after: null,
    }));
  }

  /** Remove what every release that can still be read has folded in. */
  dropFolded(foldedSeq: number): void {
    const { count } = this.#sql
      .exec<{ count: number }>('SELECT COUNT(*) AS count FROM live WHERE seq <= ?', foldedSeq)
      .one();
    this.#sql.exec('DELETE FROM live WHERE seq <= ?', foldedSeq);
    this.#sql.exec('DELETE FROM live_changes WHERE seq <= ?', foldedSeq);
    this.#setRows(this.rows - count);
  }
}
