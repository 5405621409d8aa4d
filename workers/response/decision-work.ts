/**
 * Works on the decisions in the inbox: reads the facts of their subjects, and makes, confirms or withdraws blocks. If
 * facts cannot be read, the decision and later decisions on its subject wait. After FACTS_WAIT_MS, a person decides.
 */
import {
  DECISIONS_AT_ONCE,
  FACTS_WAIT_MS,
  RANGE_NUMBERS,
  RULE_BLOCKS_MAX,
} from '../../shared/limits/response.ts';
import { durationMs } from '../../shared/reports/duration.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import type { ReportKeys } from '../../shared/reports/report-keys.ts';
import { targetOf } from '../../shared/reports/rule.ts';
import { warn, warnFailed } from '../log.ts';
import { SharedWork } from '../storage/shared-work.ts';
import type { BlockChanges } from './block-changes.ts';
import type { BlockRows } from './block-rows.ts';
import type { FactReader, Facts } from './fact-reader.ts';
import { ruleIdOf } from './grounds.ts';
import type { Inbox, InboxRow } from './inbox.ts';
import { Retry } from './retry.ts';
import type { Installed, RuleSource } from './rule-source.ts';

/** A decision with the data that is needed to apply it. */
interface Prepared {
  readonly row: InboxRow;
  readonly hundred: string | null;
  /** ID of a campaign of texts; null for any other subject. */
  readonly campaign: number | null;
  /** Null if the facts cannot be read now. */
  readonly facts: Facts | null;
}

const NO_FACTS: Facts = { registered: [], certified: [], perThousand: null, sent: null };

export class DecisionWork {
  readonly #storage: DurableObjectStorage;
  readonly #inbox: Inbox;
  readonly #rows: BlockRows;
  readonly #changes: BlockChanges;
  readonly #rules: RuleSource;
  readonly #facts: FactReader;
  readonly #keys: () => Promise<ReportKeys>;
  readonly #work = new SharedWork<void>();
  readonly #retry = new Retry();

  constructor(
    storage: DurableObjectStorage,
    parts: { readonly inbox: Inbox; readonly rows: BlockRows; readonly changes: BlockChanges },
    sources: { readonly rules: RuleSource; readonly facts: FactReader },
    keys: () => Promise<ReportKeys>,
  ) {
    this.#storage = storage;
    this.#inbox = parts.inbox;
    this.#rows = parts.rows;
    this.#changes = parts.changes;
    this.#rules = sources.rules;
    this.#facts = sources.facts;
    this.#keys = keys;
  }

  /** When to call `run` again, in ms since 1970; null if nothing waits. */
  get dueAt(): number | null {
    return this.#inbox.isEmpty ? null : this.#retry.at;
  }

  /** Never throws. @param applied called after each step that changed blocks */
  async runDue(applied: () => void): Promise<void> {
    if (this.#retry.isDue) await this.run(applied);
  }

  /** Works at once: new decisions do not wait for old ones whose facts are missing. */
  run(applied: () => void): Promise<void> {
    return this.#work.run('decide', () =>
      this.#run(applied).catch((error: unknown) => {
        warnFailed('decisionsNotApplied', error);
        this.#retry.set(false);
      }),
    );
  }

  async #run(applied: () => void): Promise<void> {
    const waiting = new Set<string>();
    let after = 0;
    for (let rows = this.#inbox.page(after, DECISIONS_AT_ONCE); rows.length > 0; ) {
      const installed = await this.#rules.read();
      const prepared = await this.#prepare(rows, installed);
      this.#storage.transactionSync(() => {
        for (const each of prepared) this.#apply(each, installed, waiting);
      });
      applied();
      after = rows.at(-1)!.id;
      rows = this.#inbox.page(after, DECISIONS_AT_ONCE);
    }
    this.#retry.set(waiting.size === 0);
  }

  async #prepare(rows: readonly InboxRow[], { rules }: Installed): Promise<Prepared[]> {
    const keys = await this.#keys();
    const subjects = await Promise.all(rows.map(({ seal }) => keys.unseal(seal)));
    const numbers = rows.map(({ decision }, index) => (decision.mock ? null : numberIn(subjects[index]!)));
    const queries = rows.flatMap(({ decision }, index) => {
      const [n, rule] = [numbers[index]!, rules.get(ruleIdOf(decision))];
      if (n === null || rule === undefined || decision.event !== 'fired') return [];
      const { channel, distinct } = decision;
      return [{ index, n, channel, distinct, windowMs: durationMs(rule.window) }];
    });
    const read = await this.#facts.read(queries);
    const facts = new Map(queries.map(({ index }, place) => [index, read[place]!]));
    return Promise.all(
      rows.map(async (row, index) => {
        const n = numbers[index]!;
        const found = facts.get(index);
        const subject = subjects[index];
        return {
          row,
          campaign: subject?.kind === 'campaign' ? subject.id : null,
          hundred: n === null ? null : await keys.hundred(Math.floor(n / RANGE_NUMBERS)),
          facts: found === undefined ? NO_FACTS : found,
        };
      }),
    );
  }

  #apply({ row, hundred, campaign, facts }: Prepared, { rules }: Installed, waiting: Set<string>): void {
    const { decision, seal, receivedAt } = row;
    const { subjectKey } = decision;
    const now = Date.now();
    const mustWait = facts === null && now - receivedAt < FACTS_WAIT_MS;
    const isFull = decision.event === 'fired' && this.#rows.openCount >= RULE_BLOCKS_MAX;
    if (isFull && waiting.size === 0) warn('ruleBlocksFull', { open: this.#rows.openCount });
    if (mustWait || isFull || waiting.has(subjectKey)) {
      waiting.add(subjectKey);
      return;
    }
    const rule = rules.get(ruleIdOf(decision));
    // A rule decides nothing any more if it was removed, switched off, or given another target.
    const target = campaign === null ? 'number' : 'campaign';
    const isGone = rule === undefined || rule.state === 'off' || targetOf(rule) !== target;
    if (decision.event !== 'fired') this.#changes.changed(decision, now);
    else if (!isGone) this.#changes.fired(decision, rule, { seal, hundred, campaign, facts }, now);
    this.#inbox.remove(row.id);
  }
}

function numberIn(subject: ReportSubject | null): number | null {
  // If the seal does not open, its key is lost.
  return subject?.kind === 'number' ? subject.n : null;
}
