/**
 * Plans what each change of a batch of rule entries does, based on the current tables. Nothing is written here.
 */
import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import { SUBJECT_BIT } from '../../shared/live/entry.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { NOT_LISTED } from '../../shared/set/number-set.ts';
import type { RuleEntryChange, RuleEntryRefusal } from '../storage/rule-entries-port.ts';
import type { EntryGuards } from './entry-guards.ts';
import { isReplaced, type Listed } from './entry-owners.ts';
import type { Listing } from './foreign-lists.ts';
import type { LiveRow, Target } from './live-row.ts';
import { NO_MARK, type PlannedRow } from './live-writer.ts';
import { RuleGuards } from './rule-guards.ts';
import type { Tables } from './tables.ts';

/** The code of blocks that are based on reports. */
const CODE = 'SENDER_REPORTED';

/** A change with its targets. There are none if the subject of the change can have no entry. */
export interface Wanted {
  readonly change: RuleEntryChange;
  readonly refused: RuleEntryRefusal | null;
  readonly targets: readonly { readonly target: Target; readonly index: number }[];
}

/** The rows that a change writes for one target. */
export interface Planned {
  readonly target: Target;
  readonly rows: readonly PlannedRow[];
}

/** The changes between two writes. Each subject occurs once. */
export class RuleBatch {
  readonly #tables: Tables;
  readonly #guards: RuleGuards;
  readonly #listed: Listed;
  readonly #now: number;
  readonly #isFull: boolean;
  /** The last live change that a readable release contains, and whether any readable release contains blocks of rules. */
  readonly #foldedSeq: number;
  readonly #hasFolded: boolean;
  #room: number;
  #roomOfLifts: number;

  /** @param now seconds since 1970 */
  constructor(tables: Tables, guards: EntryGuards, listed: Listed, now: number) {
    const { live, ledger, settings, releases } = tables;
    this.#now = now;
    this.#tables = tables;
    this.#guards = new RuleGuards(guards, settings.guards, live.rows, now);
    this.#listed = listed;
    this.#isFull = ledger.storageBudget.bytes >= STORAGE_FULL_SHARE * STORAGE_BYTES_MAX;
    const manifests = releases.readable.map(({ manifest }) => manifest);
    this.#foldedSeq = Math.max(0, ...manifests.map(({ foldedSeq }) => foldedSeq));
    this.#hasFolded = manifests.some(({ lists }) =>
      lists.some(({ authority }) => authority === SYSTEM_AUTHORITY),
    );
    const { room, roomOfLifts } = live.ofRules;
    this.#room = room;
    this.#roomOfLifts = roomOfLifts;
  }

  plan({ change, refused, targets }: Wanted): Planned[] | RuleEntryRefusal {
    if (change.op === 'lift') return this.#planLift(targets, change.until);
    if (refused !== null) return refused;
    const until = secondsOf(change.until);
    const { replacedUntil = 0 } = change;
    if (until <= this.#now) return replacedUntil > 0 ? this.#planLift(targets, replacedUntil) : 'invalid';
    for (const { target, index } of targets) {
      const other = this.#entryOfOthers(target, index);
      if (other !== null) return other;
    }
    const blocked = targets.map(({ target }) => ({ target, rows: this.#block(change, target, until) }));
    const planned = this.#planned(blocked, 'block');
    if (typeof planned === 'string') return planned;
    // A number has one target.
    const { kind, high, low } = targets[0]!.target;
    return (kind === 'number' ? this.#guards.add(high * SUFFIX_COUNT + low) : null) ?? planned;
  }

  /** @param until end of the block, ms since 1970 */
  #planLift(targets: Wanted['targets'], until: number): Planned[] | 'rulesFull' {
    const lifted = targets.map(({ target, index }) => ({ target, rows: this.#lift(until, target, index) }));
    return this.#planned(
      lifted.filter(({ rows }) => rows.length > 0),
      'lift',
    );
  }

  /** Takes the room that a change needs. @returns the plan, or `rulesFull` if there is too little room */
  #planned(planned: Planned[], op: RuleEntryChange['op']): Planned[] | 'rulesFull' {
    const growth = planned.reduce((sum, { target, rows }) => {
      const replaced = this.#rows(target).filter(({ until }) => until <= rows[0]!.until);
      return sum + countOwn(rows) - countOwn(replaced);
    }, 0);
    const isFull = op === 'block' && this.#isFull && planned.length > 0;
    if (isFull || (growth > 0 && growth > (op === 'lift' ? this.#roomOfLifts : this.#room)))
      return 'rulesFull';
    this.#room -= growth;
    this.#roomOfLifts -= growth;
    return planned;
  }

  /** The rows of the sender that are in force, by descending end. */
  #rows(target: Target): LiveRow[] {
    const rows = this.#tables.live.inForce(target, this.#now);
    return rows.filter(({ subjects }) => (subjects & SUBJECT_BIT.from) !== 0).toReversed();
  }

  /** Whether an entry or a list of another authority unblocks or blocks the target; null if none does. */
  #entryOfOthers(target: Target, index: number): 'unblocked' | 'blocked' | null {
    const rows = this.#rows(target);
    const ops = rows.flatMap(({ op, authority }) => (authority === SYSTEM_AUTHORITY ? [] : [op]));
    const effects = this.#listings(rows, index).map(({ info }) => info.effect);
    if (ops.includes('unblock') || effects.includes('allow')) return 'unblocked';
    return ops.includes('block') || effects.includes('block') ? 'blocked' : null;
  }

  /** Allow lists that contain the target, and its folded entries of others that newer live entries do not replace. */
  #listings(rows: readonly LiveRow[], index: number): Listing[] {
    return this.#listed.listings.flatMap(({ foldedSeq, found }) =>
      (found.get(index) ?? []).filter(
        ({ info, isFolded }) => !isFolded || !isReplaced(info.subjects, ['from'], rows, foldedSeq),
      ),
    );
  }

  #block({ rule, stage, replacedUntil = 0 }: RuleEntryChange, target: Target, until: number): PlannedRow[] {
    const rows = this.#rows(target);
    const folded = this.#hasFolded ? secondsOf(replacedUntil) : 0;
    const end = Math.max(folded, ...rows.filter(isOfRule).map((row) => row.until));
    const made = { operation: 0, op: 'block', code: CODE, authority: SYSTEM_AUTHORITY, until };
    const below =
      end > until
        ? without(
            rows.filter((row) => !isOfRule(row)),
            end,
            target,
          )
        : [];
    const row = { ...made, rule, stage, source: target.source };
    return [...below.filter((each) => each.until > until), row];
  }

  /** The rows to write so that no block of a rule decides. Empty if no block of a rule decides now. */
  #lift(until: number, target: Target, index: number): PlannedRow[] {
    const rows = this.#rows(target);
    const own = rows.filter(isOfRule);
    const others = rows.filter((row) => !isOfRule(row));
    const ends = own.map((row) => row.until);
    if (own.length === 0) {
      const end = secondsOf(until);
      const hides = ({ op, seq, until: last }: LiveRow): boolean =>
        op !== 'undo' && last >= end && seq > this.#foldedSeq;
      if (!this.#hasFolded || end <= this.#now || others.some(hides)) return [];
      ends.push(end);
      return without([...others, ...this.#foldedOfOthers(others, target, index)], end, target);
    }
    return without(others, Math.max(...ends), target);
  }

  /** Folded entries of others that are in force, as rows. In the release, they decide above the rule's folded block. */
  #foldedOfOthers(rows: readonly LiveRow[], target: Target, index: number): PlannedRow[] {
    return this.#listings(rows, index)
      .filter(({ isFolded, until }) => isFolded && until !== NOT_LISTED)
      .map(({ info: { effect, reason, authority }, until }) => ({
        ...{ operation: 0, op: effect === 'allow' ? 'unblock' : 'block' },
        ...{ code: effect === 'allow' ? null : reason, authority, until, source: target.source, ...NO_MARK },
      }));
  }
}

/**
 * The rows of others, which decide as before, above a row that hides the blocks of rules until these end.
 * @param end end of the blocks of rules
 */
function without(others: readonly PlannedRow[], end: number, { source }: Target): PlannedRow[] {
  const deciding = others.filter(({ op }) => op !== 'undo').toSorted((a, b) => b.until - a.until);
  const cover = deciding.findLastIndex((row) => row.until >= end);
  if (cover >= 0) return deciding.slice(cover);
  const clear = { operation: 0, op: 'clear', code: null, authority: SYSTEM_AUTHORITY, until: end };
  return [{ ...clear, source, ...NO_MARK }, ...deciding];
}

/** @param until end of a block, ms since 1970 */
function secondsOf(until: number): number {
  return Math.min(FOREVER - 1, Math.floor(until / 1000));
}

function isOfRule({ op, authority }: LiveRow): boolean {
  return op === 'block' && authority === SYSTEM_AUTHORITY;
}

function countOwn(rows: readonly Pick<PlannedRow, 'authority'>[]): number {
  return rows.filter(({ authority }) => authority === SYSTEM_AUTHORITY).length;
}
