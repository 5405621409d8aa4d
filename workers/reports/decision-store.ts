/**
 * The decisions of rules about the subjects of one shard: decisions that a block may still be based on, and decisions
 * that the desk does not have yet. The outbox holds sealed subjects, which are opened only when they are sent.
 */
import { DECISIONS_KEPT_MS } from '../../shared/limits/intake.ts';
import { isShadow, ruleRef } from '../../shared/reports/rule.ts';
import type { RuleDecision } from '../storage/response-port.ts';
import { SingleValues } from '../storage/single-values.ts';
import type { Basis, Move } from './subject-rules.ts';
import type { Subject } from './subject-store.ts';

type Key = 'context' | 'sent' | 'shard' | 'swept' | 'sweepAt';

/** Single values of the counts. docs/storage.md describes each key. */
export class SubjectMeta extends SingleValues<Key> {}

/** A decision in the outbox. */
export interface SealedDecision extends Omit<RuleDecision, 'subject'> {
  readonly seal: string;
}

export interface DecisionBatch {
  readonly n: number;
  readonly decisions: readonly SealedDecision[];
}

type OutboxRow = { n: number; decisions: string };

export class DecisionStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #meta: SubjectMeta;

  constructor(storage: DurableObjectStorage, meta: SubjectMeta) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#meta = meta;
  }

  /** Decisions that a block may still be based on. */
  held(subject: string): Basis[] {
    return this.#sql
      .exec<{ basis: string }>('SELECT basis FROM decisions WHERE subject = ?', subject)
      .toArray()
      .map(({ basis }) => JSON.parse(basis) as Basis);
  }

  /** Stores changed decisions, and returns them for the outbox. Must run in the transaction of their cause. */
  store({ key, seal, mock, resetAt }: Subject, moves: readonly Move[]): SealedDecision[] {
    return moves.map(({ event, basis }) => {
      const { rule, channel, distinct, kinds, byPartner, decidedAt, endsAt } = basis;
      if (event === 'unsupported')
        this.#sql.exec('DELETE FROM decisions WHERE subject = ? AND rule = ?', key, rule.id);
      else
        this.#sql.exec(
          'INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?)',
          ...[key, rule.id, endsAt, JSON.stringify(basis)],
        );
      const decided = { channel, distinct, kinds, byPartner, decidedAt, resetAt, mock, event };
      return { subjectKey: key, seal, rule: ruleRef(rule), shadow: isShadow(rule), ...decided };
    });
  }

  /** Removes the decisions of a subject. The desk already knows that they have ended. */
  forget(subject: string): void {
    this.#sql.exec('DELETE FROM decisions WHERE subject = ?', subject);
  }

  removeEnded(now: number): void {
    this.#sql.exec('DELETE FROM decisions WHERE ends_at <= ?', now - DECISIONS_KEPT_MS);
  }

  /** Adds a batch to the outbox. Must run in the transaction of its cause. */
  add(decisions: readonly SealedDecision[]): void {
    if (decisions.length === 0) return;
    const { n } = this.#sql.exec<{ n: number | null }>('SELECT MAX(n) AS n FROM outbox').one();
    const next = (n ?? this.#meta.number('sent')) + 1;
    this.#sql.exec('INSERT INTO outbox VALUES (?, ?)', next, JSON.stringify(decisions));
  }

  /** The oldest batch that the desk does not have; null if there is none. */
  next(): DecisionBatch | null {
    const [row] = this.#sql.exec<OutboxRow>('SELECT * FROM outbox ORDER BY n LIMIT 1').toArray();
    if (row === undefined) return null;
    return { n: row.n, decisions: JSON.parse(row.decisions) as SealedDecision[] };
  }

  get isEmpty(): boolean {
    return this.#sql.exec('SELECT 1 FROM outbox LIMIT 1').toArray().length === 0;
  }

  /** Removes a batch, and all older ones, once the desk has it. */
  sent(n: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('DELETE FROM outbox WHERE n <= ?', n);
      this.#meta.set('sent', n);
    });
  }

  /** Renumbers the batches to follow the last batch of the desk, after these tables were set back to an earlier state. */
  renumber(last: number): void {
    this.#storage.transactionSync(() => {
      const rows = this.#sql.exec<OutboxRow>('SELECT * FROM outbox ORDER BY n').toArray();
      this.#sql.exec('DELETE FROM outbox');
      rows.forEach(({ decisions }, index) => {
        this.#sql.exec('INSERT INTO outbox VALUES (?, ?)', last + 1 + index, decisions);
      });
    });
  }
}
