/** Builds the parts of the desk, and runs the work that is due. */
import { STORAGE_BYTES_MAX, STORAGE_FULL_SHARE } from '../../shared/limits/control.ts';
import { ALARM_AHEAD_MS_MAX } from '../../shared/limits/registrations.ts';
import { RESPONSE_RETRY_MS, RULE_BLOCKS_AT_ONCE, RULE_BLOCKS_KEPT_MS } from '../../shared/limits/response.ts';
import type { ReportKeys } from '../../shared/reports/report-keys.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { Anchoring } from '../storage/anchoring.ts';
import { AuditChain, type Author } from '../storage/audit-chain.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { ResponseKeeper } from '../storage/response-port.ts';
import type { StoreRequest, StoreResult } from '../storage/store-request.ts';
import { TEXT_NAME } from '../storage/text-port.ts';
import { Transactions } from '../storage/transactions.ts';
import { BlockChanges } from './block-changes.ts';
import { BlockRows } from './block-rows.ts';
import { BlockViews } from './block-views.ts';
import { BlockWriter } from './block-writer.ts';
import { DecisionWork } from './decision-work.ts';
import { campaignKeeper, EntrySync, liveKeeper } from './entry-sync.ts';
import { FactReader } from './fact-reader.ts';
import { Inbox } from './inbox.ts';
import { Meta } from './meta.ts';
import { PartnerRecords } from './partner-records.ts';
import { Resets } from './resets.ts';
import { RuleSource } from './rule-source.ts';
import { Withdrawals } from './withdrawals.ts';

export class DeskParts {
  readonly rows: BlockRows;
  readonly records: PartnerRecords;
  readonly rules: RuleSource;
  readonly audit: AuditChain;
  readonly inbox: Inbox;
  readonly changes: BlockChanges;
  readonly views: BlockViews;
  /** Sends entries of numbers and sender IDs to the coordinator. */
  readonly entries: EntrySync;
  /** Sends campaigns to the text store. */
  readonly campaigns: EntrySync;
  readonly withdrawals: Withdrawals;
  readonly anchoring: Anchoring;
  readonly #storage: DurableObjectStorage;
  readonly #meta: Meta;
  readonly #work: DecisionWork;
  readonly #resets: Resets;
  readonly #transactions: Transactions;

  /** @param keys throws while the key of reports is lost */
  constructor(storage: DurableObjectStorage, env: ControlEnv, keys: () => Promise<ReportKeys>) {
    const { sql } = storage;
    const keeper = () => env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as ResponseKeeper;
    this.#storage = storage;
    this.#meta = new Meta(sql);
    this.audit = new AuditChain(sql, { column: 'subject', prefix: '', subjectOf: String });
    this.rows = new BlockRows(sql);
    this.records = new PartnerRecords(sql, this.audit);
    this.rules = new RuleSource(keeper, this.#meta, this.records);
    this.inbox = new Inbox(storage);
    this.#resets = new Resets(sql, (shard) => env.SUBJECTS.getByName(shard));
    const writer = new BlockWriter(this.#meta, this.rows, this.audit, this.records, this.#resets);
    this.changes = new BlockChanges(this.rows, writer);
    this.views = new BlockViews(this.rows);
    const blocks = { rows: this.rows, changes: this.changes };
    const text = campaignKeeper(() => env.TEXT.getByName(TEXT_NAME));
    this.entries = new EntrySync(storage, this.#meta, blocks, liveKeeper(keeper), keys);
    this.campaigns = new EntrySync(storage, this.#meta, blocks, text, keys);
    this.withdrawals = new Withdrawals(sql, this.audit, (name) => env.REPORTS.getByName(name));
    const facts = new FactReader(env, keeper);
    this.#work = new DecisionWork(
      storage,
      { ...blocks, inbox: this.inbox },
      { rules: this.rules, facts },
      keys,
    );
    const anchor = (end: Parameters<ResponseKeeper['anchorResponse']>[0]) => keeper().anchorResponse(end);
    this.anchoring = new Anchoring(sql, this.audit, this.#meta, anchor, 'responseNotAnchored');
    this.#transactions = new Transactions(storage, { charge: () => null });
  }

  /** Whether there is no room for more decisions of rules. Actions of people are always accepted. */
  get isFull(): boolean {
    return this.#storage.sql.databaseSize >= STORAGE_BYTES_MAX * STORAGE_FULL_SHARE;
  }

  transact<Value>(request: StoreRequest, change: (author: Author) => StoreResult<Value>): StoreResult<Value> {
    const { actor, reason } = request;
    return this.#transactions.run(request, 0, () => change({ actor: actor.name, reason, at: Date.now() }));
  }

  /** Works on new decisions, and sends the changes that they cause. Never throws. */
  async decide(): Promise<void> {
    // Entries are sent while the next decisions are prepared.
    const sending: Promise<void>[] = [];
    await this.#work.run(() => sending.push(this.entries.run(), this.campaigns.run()));
    await Promise.all(sending);
    await this.#resets.run();
  }

  /** Sends everything that waits. Never throws. */
  async send(): Promise<void> {
    const { entries, campaigns, withdrawals } = this;
    await Promise.all([entries.run(), campaigns.run(), this.#resets.run(), withdrawals.run()]);
  }

  /** Does everything that is due. Never throws. */
  async runDue(): Promise<void> {
    const now = Date.now();
    this.#storage.transactionSync(() => this.changes.endDue(now, RULE_BLOCKS_AT_ONCE));
    await this.#work.runDue(() => undefined);
    await this.send();
    await this.anchoring.run();
    this.#sweep();
  }

  /** When the alarm must come next, in ms since 1970; null for never. */
  nextDueAt(now: number): number | null {
    // The call that leaves work also sends it. The alarm is needed only if that fails.
    const later = (at: number | null): number | null =>
      at === null ? null : Math.max(at, now + RESPONSE_RETRY_MS);
    const { entries, campaigns, rows, withdrawals, anchoring } = this;
    const times = [
      ...[later(this.#work.dueAt), later(entries.dueAt), later(campaigns.dueAt), later(this.#resets.dueAt)],
      ...[later(withdrawals.dueAt), rows.nextDueAt, anchoring.dueAt, this.#sweepDue],
    ].filter((time) => time !== null);
    if (times.length === 0) return null;
    return Math.min(Math.max(Math.min(...times), now), now + ALARM_AHEAD_MS_MAX);
  }

  get #sweepDue(): number | null {
    return this.#meta.number('lastBlock') === 0 ? null : this.#meta.number('sweptAt') + DAY_MS;
  }

  /** Removes old blocks and answers, once a day. */
  #sweep(): void {
    const now = Date.now();
    const due = this.#sweepDue;
    if (due === null || due > now) return;
    this.#storage.transactionSync(() => {
      this.#transactions.forget(now);
      const hasMore = this.rows.forget(now - RULE_BLOCKS_KEPT_MS, RULE_BLOCKS_AT_ONCE);
      if (!hasMore) this.#meta.set('sweptAt', now);
    });
  }
}
