/**
 * The live layer in SQLite: one row in `live` per entry and subject, one row in `live_changes` per change. A new entry
 * replaces entries of its number and subject that expire no later, and covers entries that last longer.
 */
import type { EntryChange, EntryInfo, EntryPage } from '../../shared/admin/entries.ts';
import { type AuditEntry, keyedNumber } from '../../shared/audit.ts';
import { ENTRIES_PER_KEY_MAX } from '../../shared/limits/control.ts';
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
import { FOREVER } from '../../shared/set/layout.ts';
import type { Code } from '../../shared/verdict.ts';
import type { ActiveKeys } from './active-keys.ts';
import { type AppliedChange, applied, type ChangeResult, type Needs, refuse } from './change-request.ts';
import { entryPage } from './live-page.ts';
import { type EntryAuthor, type Growth, grow, LiveRoom } from './live-room.ts';
import {
  type AuthoredRow,
  BY_KEY,
  BY_KEY_OF_FEW,
  ENTRIES,
  ENTRIES_BY_CHANGE,
  ENTRIES_WITH_AUTHOR,
  type LiveRow,
  markIn,
  type NamedKey,
  OF_KEY,
  stateOf,
  subjectsOf,
  toEntryInfo,
} from './live-row.ts';
import { LiveWriter, NO_MARK, type PlannedPlace, type ReplacedRow } from './live-writer.ts';
import { UndoStore } from './undo-store.ts';

/** The context of a change. */
interface Place {
  readonly seq: number;
  /** Id in `operations`. */
  readonly operation: number;
  /** Seconds since 1970. */
  readonly now: number;
  readonly needs: Needs;
}

export class LiveStore {
  readonly #sql: SqlStorage;
  readonly #room: LiveRoom;
  readonly #writer: LiveWriter;
  readonly #keys: ActiveKeys;
  readonly undo: UndoStore;

  constructor(sql: SqlStorage, keys: ActiveKeys) {
    this.#sql = sql;
    this.#room = new LiveRoom(sql);
    this.#writer = new LiveWriter(sql);
    this.#keys = keys;
    this.undo = new UndoStore(sql, this.#room, this.#writer);
  }

  /** Applies one operation to all targets. */
  apply(
    { items, op, code: blockCode, subjects, until: end }: EntryChange,
    targets: readonly NamedKey[],
    actor: EntryAuthor,
    { seq, operation, now, needs }: Place,
  ): ChangeResult<AppliedChange<{ changed: number; replaced: number }>> {
    const { authority } = actor;
    const code = op === 'block' ? blockCode : null;
    const until = end === null ? FOREVER : Math.min(FOREVER, Math.floor(Date.parse(end) / 1000));
    this.#writer.addChange({ seq, operation, op, code, authority, until, ...NO_MARK });
    const audit: AuditEntry[] = [];
    const replaced: ReplacedRow[] = [];
    const growth: Growth = new Map();
    for (const [index, target] of targets.entries()) {
      const before = this.stateOf(target, now);
      for (const subject of new Set(subjects)) {
        const row = { ...target, subject: SUBJECT_BIT[subject], seq, until };
        const ended = this.#writer.put(row, growth, ENTRIES_PER_KEY_MAX);
        if (ended === null) {
          const problem = `this number or source already has ${ENTRIES_PER_KEY_MAX} entries that end later: clear it first`;
          const item = { index, code: 'LIVE_FULL', message: problem };
          return refuse('LIVE_FULL', problem, { extras: { items: [item] } });
        }
        replaced.push(...ended);
        grow(growth, authority, 1);
      }
      const after = this.stateOf(target, now);
      audit.push({ action: `entries.${op}`, subject: this.nameOf(target), before, after });
    }
    const room = this.#room.check(op, actor, growth);
    if (!room.ok) return room;
    this.#writer.dropEmpty(replaced.map((row) => row.seq));
    this.#room.add(growth);
    const inForce = replaced.filter((row) => row.until > now);
    const entries = targets.length * new Set(subjects).size;
    const ends = new Map([[until, entries]]);
    const undoNeeds = { kinds: [], authorities: [] };
    const made = { operation, fromSeq: seq, toSeq: seq, authority, needs, undoNeeds };
    this.undo.keep({ ...made, ends, replaced: inForce, now });
    return applied({ changed: items.length, replaced: inForce.length }, audit);
  }

  /** Writes the rows of places as planned, and counts them. @returns the `seq` of the last row */
  rewrite(places: readonly PlannedPlace[], by: number, fromSeq: number): number {
    const { growth, toSeq } = this.#writer.rewrite(places, by, fromSeq);
    this.#room.add(growth);
    return toSeq;
  }

  /** The number of entries that rules have, and how many more they may add. */
  get ofRules(): { readonly entries: number; readonly room: number; readonly roomOfLifts: number } {
    return this.#room.ofRules;
  }

  /**
   * Restores entries that the tables have lost, in their original order.
   * @param operation the restoration: the original authors and reasons are lost
   */
  restore(entries: readonly LiveEntry[], operation: number): void {
    const replaced: number[] = [];
    const growth: Growth = new Map();
    for (const entry of entries.toSorted((a, b) => a.seq - b.seq)) {
      const { kind, seq, op, code, authority, until, rule = null, stage = null } = entry;
      this.#writer.addChange({ seq, operation, op, code, authority, until, rule, stage });
      const source = kind === 'source' ? `fingerprint ${fingerprintText(entry)}` : null;
      for (const subject of subjectsOf(entry.subjects)) {
        const row = { ...entry, source, subject: SUBJECT_BIT[subject] };
        // An undo can leave one entry more than a change may.
        const ended = this.#writer.put(row, growth, ENTRIES_PER_KEY_MAX + 1);
        if (ended === null) continue;
        replaced.push(...ended.map((other) => other.seq));
        grow(growth, authority, 1);
      }
    }
    this.#writer.dropEmpty(replaced);
    this.#room.add(growth);
  }

  /** Number of entries. Each number and subject counts as one. */
  get rows(): number {
    return this.#room.entries;
  }

  /** The rows in force for a key, newest first. @param query ENTRIES or ENTRIES_WITH_AUTHOR */
  #ofKey<Row extends LiveRow>(query: string, { kind, high, low }: LiveKey, now: number): Row[] {
    return this.#sql.exec<Row>(`${query} ${OF_KEY}`, LIVE_KINDS.indexOf(kind), high, low, now).toArray();
  }

  /** The entries in force for a key, newest first. */
  inForce(key: LiveKey, now: number): LiveRow[] {
    return this.#ofKey(ENTRIES, key, now);
  }

  /** The authorities of the entries of changes above `from` and up to `to`. */
  authorities(from: number, to: number): string[] {
    const query = 'SELECT DISTINCT authority FROM live_changes WHERE seq > ? AND seq <= ?';
    return [...this.#sql.exec<{ authority: string }>(query, from, to)].map(({ authority }) => authority);
  }

  /** The entries in force for a key, for the audit log. */
  stateOf(key: LiveKey, now: number): unknown {
    return stateOf(this.inForce(key, now));
  }

  /** The name of a number or source in the audit log. */
  nameOf({ kind, high, low, source }: NamedKey): string {
    return kind === 'number'
      ? keyedNumber(high * SUFFIX_COUNT + low, this.#keys.current)
      : `source ${source}`;
  }

  /** The entries in force for one number or source. */
  find(key: LiveKey, now: number): EntryInfo[] {
    return this.#ofKey<AuthoredRow>(ENTRIES_WITH_AUTHOR, key, now).map(toEntryInfo);
  }

  /** See live-page.ts. */
  page(after: string, upTo: number, limit: number): EntryPage {
    return entryPage(this.#sql, this.#keys, { after, upTo, limit });
  }

  /** Entries with `seq` above `from` and up to `to`, for a segment. */
  entries(from: number, to: number): LiveEntry[] {
    return this.#sql
      .exec<LiveRow>(`${ENTRIES} WHERE seq > ? AND seq <= ? ${BY_KEY}`, from, to)
      .toArray()
      .map(({ kind, high, low, subjects, seq, op, code, authority, until, ...row }) => ({
        ...{ kind: LIVE_KINDS[kind]!, high, low, subjects, seq, authority, until, ...markIn(row) },
        op: op as LiveOp,
        code: code as Code | null,
      }));
  }

  /** Deletes the entries of a source. */
  dropSource({ high, low }: Pick<LiveKey, 'high' | 'low'>): void {
    const place = [LIVE_KINDS.indexOf('source'), high, low];
    const growth: Growth = new Map();
    const rows = this.#sql
      .exec<{ seq: number; authority: string }>(
        `SELECT seq, authority FROM live CROSS JOIN live_changes USING (seq)
         WHERE kind = ? AND high = ? AND low = ?`,
        ...place,
      )
      .toArray();
    for (const { authority } of rows) grow(growth, authority, -1);
    this.#sql.exec('DELETE FROM live WHERE kind = ? AND high = ? AND low = ?', ...place);
    this.#writer.dropEmpty(rows.map(({ seq }) => seq));
    this.#room.add(growth);
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
    const growth: Growth = new Map();
    const audit = ended.map(
      ({ kind, high, low, subjects: mask, seq, authority, op, until, source, ...row }) => {
        const subjects = subjectsOf(mask);
        this.#sql.exec(
          'DELETE FROM live WHERE kind = ? AND high = ? AND low = ? AND seq = ?',
          ...[kind, high, low, seq],
        );
        grow(growth, authority, -subjects.length);
        return {
          action: 'entries.end',
          subject: this.nameOf({ kind: LIVE_KINDS[kind]!, high, low, source }),
          before: { op, subjects, until: formatUntil(until), seq, ...markIn(row) },
          after: null,
        };
      },
    );
    this.#writer.dropEmpty(ended.map(({ seq }) => seq));
    this.#room.add(growth);
    return audit;
  }

  /** Removes entries that every readable release has folded in. */
  dropFolded(foldedSeq: number): void {
    const growth: Growth = new Map();
    const folded = this.#sql.exec<{ authority: string; count: number }>(
      `SELECT authority, COUNT(*) AS count FROM live CROSS JOIN live_changes USING (seq)
       WHERE seq <= ? GROUP BY authority`,
      foldedSeq,
    );
    for (const { authority, count } of folded) grow(growth, authority, -count);
    this.#sql.exec('DELETE FROM live WHERE seq <= ?', foldedSeq);
    this.#sql.exec('DELETE FROM live_changes WHERE seq <= ?', foldedSeq);
    this.#room.add(growth);
    this.undo.dropFolded(foldedSeq);
  }
}
