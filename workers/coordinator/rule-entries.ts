/**
 * The live entries of rules (storage/rule-entries-port.ts). They have the authority of the service itself, and separate
 * room. A rule never replaces an entry of another authority that is in force.
 *
 * A lift writes a `clear` until the block would have ended, and above it again the entries that others have made since.
 * Folded entries of others are older than the lifted block or were written again: rules block no sender that has one.
 */
import type { AuditEntry } from '../../shared/audit.ts';
import { RULE_CHANGES_MAX, SEGMENT_ENTRIES_MAX } from '../../shared/limits/control.ts';
import { SUBJECT_BIT } from '../../shared/live/entry.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { formatSource } from '../../shared/sources/source.ts';
import type { RuleEntryChange, RuleEntryRefusal, RuleEntryResult } from '../storage/rule-entries-port.ts';
import type { BackgroundWork } from './background-work.ts';
import { applied, type Refusal, systemRequest, type Waiting } from './change-request.ts';
import type { EntryGuards } from './entry-guards.ts';
import type { EntryOwners, Listed } from './entry-owners.ts';
import { listsAgainstRules } from './foreign-lists.ts';
import type { PlannedPlace } from './live-writer.ts';
import { type Planned, RuleBatch, type Wanted } from './rule-batch.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import { targetsOf } from './targets.ts';

/** Maximum rows that one change writes: those of both forms of a sender ID, with the entries of others above them. */
const ROWS_PER_CHANGE = 20;

/** The last batch, as stored. */
interface Batch {
  readonly n: number;
  readonly results: readonly RuleEntryResult[];
}

export class RuleEntries {
  readonly #tables: Tables;
  readonly #background: BackgroundWork;
  readonly #owners: EntryOwners;
  readonly #guards: EntryGuards;

  constructor(tables: Tables, background: BackgroundWork, owners: EntryOwners, guards: EntryGuards) {
    this.#tables = tables;
    this.#background = background;
    this.#owners = owners;
    this.#guards = guards;
  }

  /** See RuleEntriesPort. */
  async apply(
    n: number,
    changes: readonly RuleEntryChange[],
  ): Promise<{ last: number; results: readonly RuleEntryResult[] | null }> {
    if (changes.length > RULE_CHANGES_MAX) throw new RangeError(`at most ${RULE_CHANGES_MAX} changes`);
    for (;;) {
      const { current } = this.#tables.keys;
      const wanted = this.#wantedOf(changes);
      const targets = wanted.flatMap((each) => each.targets.map(({ target }) => target));
      const listed = await this.#owners.readLists(listsAgainstRules, targets);
      if (!listed.ok) throw failed(listed);
      // In the meantime, the same batch may have been applied, LIST_KEY rotated, or another release promoted.
      const known = this.#known(n);
      if (known !== null) return known;
      if (this.#tables.keys.current !== current || !this.#owners.isCurrent(listed.value)) continue;
      const unsealed = this.#tables.unsealedEntries;
      if (unsealed > 0 && unsealed + changes.length * ROWS_PER_CHANGE > SEGMENT_ENTRIES_MAX) {
        await this.#background.seal();
        continue;
      }
      return this.#apply(n, wanted, listed.value);
    }
  }

  #known(n: number): { last: number; results: readonly RuleEntryResult[] | null } | null {
    const last = this.#tables.meta.json<Batch>('ruleEntries');
    if (last === null || n > last.n) return null;
    return { last: last.n, results: n === last.n ? last.results : null };
  }

  #wantedOf(changes: readonly RuleEntryChange[]): Wanted[] {
    let index = 0;
    return changes.map((change, item) => {
      const { subject } = change;
      const written =
        subject.kind === 'number'
          ? { number: `+${subject.n}` }
          : { source: formatSource({ kind: 'senderId', name: subject.text }) };
      const found = targetsOf(
        { op: 'block', items: [written], subjects: ['from'] },
        this.#tables.keys.current,
      );
      if (!found.ok) {
        const refused = found.code === 'ENTRY_PROTECTED' ? 'protected-number' : 'invalid';
        return { change, refused, targets: [] };
      }
      const targets = found.value.map((target) => ({ target: { ...target, item }, index: index++ }));
      return { change, refused: null, targets };
    });
  }

  #apply(n: number, wanted: readonly Wanted[], listed: Listed) {
    const { ledger, meta } = this.#tables;
    const before = ledger.seq;
    const reasons = new Set(wanted.map(({ change }) => change.reason));
    const reason = reasons.size === 1 ? [...reasons][0]! : 'rules changed their blocks';
    const done = ledger.change(systemRequest(reason), FREEING_CHANGE, (seq, operation) => {
      const results: RuleEntryResult[] = [];
      const audit: AuditEntry[] = [];
      let lastSeq = seq - 1;
      for (const run of runsOf(wanted)) {
        const batch = new RuleBatch(this.#tables, this.#guards, listed, seconds());
        const planned = run.map((each) => batch.plan(each));
        const written = this.#write(run, planned, operation, lastSeq + 1);
        if (written.audit.length > 0) lastSeq = written.toSeq;
        audit.push(...written.audit);
        for (const plan of planned)
          results.push(typeof plan === 'string' ? { refused: plan } : { applied: lastSeq });
      }
      meta.set('ruleEntries', { n, results });
      return applied({ last: n, results }, audit, null, lastSeq);
    });
    if (!done.ok) throw failed(done);
    const { last, results, seq } = done.value;
    if (seq > before) this.#background.changed();
    return { last, results };
  }

  #write(
    run: readonly Wanted[],
    planned: readonly (Planned[] | RuleEntryRefusal)[],
    operation: number,
    seq: number,
  ): { audit: AuditEntry[]; toSeq: number } {
    const { live } = this.#tables;
    const now = seconds();
    const made = planned.flatMap((plan, index) =>
      typeof plan === 'string'
        ? []
        : plan.map(({ target, rows }) => ({
            ...{ target, rows, change: run[index]!.change, before: live.stateOf(target, now) },
          })),
    );
    const places = made.map(
      ({ target, rows }): PlannedPlace => ({ key: target, subject: SUBJECT_BIT.from, rows }),
    );
    const toSeq = live.rewrite(places, operation, seq);
    // Otherwise, an undo of the change that replaced the block would revive the block.
    for (const [index, { change, targets }] of run.entries()) {
      if (change.op !== 'lift' || typeof planned[index] === 'string') continue;
      for (const { target } of targets) live.undo.dropReplaced(target, SYSTEM_AUTHORITY);
    }
    const audit = made.map(({ target, change: { id, op, reason }, before }) => {
      const after = { id, reason, entries: live.stateOf(target, now) };
      return { action: `ruleEntries.${op}`, subject: live.nameOf(target), before, after };
    });
    return { audit, toSeq };
  }
}

/** Splits a batch into parts that contain each subject at most once. */
function runsOf(wanted: readonly Wanted[]): Wanted[][] {
  const runs: Wanted[][] = [];
  let seen = new Set<string>();
  for (const each of wanted) {
    const names = each.targets.map(({ target: { kind, high, low } }) => `${kind} ${high} ${low}`);
    if (runs.length === 0 || names.some((name) => seen.has(name))) {
      runs.push([]);
      seen = new Set();
    }
    for (const name of names) seen.add(name);
    runs.at(-1)!.push(each);
  }
  return runs;
}

function failed({ code, message }: Refusal | Waiting): Error {
  return new Error(`${code}: ${message}`);
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
