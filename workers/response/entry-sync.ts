/**
 * Gives the coordinator what the live layer must have of rule blocks, and the text store what it must have of campaigns, in
 * batches with rising numbers. A batch is stored before it is sent, and sent again unchanged until its results are stored,
 * so each is applied once.
 */
import { RULE_CHANGES_MAX } from '../../shared/limits/control.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { RULES_FULL_RETRY_MS } from '../../shared/limits/response.ts';
import type { ReportKeys } from '../../shared/reports/report-keys.ts';
import { warn, warnFailed } from '../log.ts';
import type { CampaignChange, CampaignRegistry } from '../storage/campaign-port.ts';
import type {
  RuleEntriesPort,
  RuleEntryChange,
  RuleEntryRefusal,
  RuleEntryResult,
} from '../storage/rule-entries-port.ts';
import { SharedWork } from '../storage/shared-work.ts';
import { within } from '../storage/single-flight.ts';
import type { BlockChanges } from './block-changes.ts';
import type { BlockRows, WantedEntry } from './block-rows.ts';
import type { Meta } from './meta.ts';
import { Retry } from './retry.ts';

/** An entry on its way. */
interface BatchItem {
  readonly block: number;
  readonly entryN: number;
  readonly seal: string;
  readonly entry: WantedEntry;
}

interface Batch {
  readonly n: number;
  readonly items: readonly BatchItem[];
}

/** Who has what rules decide. */
export interface Keepers {
  readonly coordinator: () => RuleEntriesPort;
  readonly text: () => Pick<CampaignRegistry, 'applyCampaignChanges'>;
}

type Change = RuleEntryChange | CampaignChange;

/** What both have taken. `results`: in the order of the changes; null if one has a later batch. */
type Done = Awaited<ReturnType<RuleEntriesPort['applyRuleEntries']>>;

const NOTHING: Done = { last: 0, results: [] };

export class EntrySync {
  readonly #storage: DurableObjectStorage;
  readonly #meta: Meta;
  readonly #rows: BlockRows;
  readonly #changes: BlockChanges;
  readonly #keepers: Keepers;
  readonly #keys: () => Promise<ReportKeys>;
  readonly #work = new SharedWork<void>();
  readonly #retry = new Retry();
  /** Until then, nothing is repeated that the full reserve refused, in ms since 1970. */
  #fullUntil = 0;

  constructor(
    storage: DurableObjectStorage,
    meta: Meta,
    blocks: { readonly rows: BlockRows; readonly changes: BlockChanges },
    keepers: Keepers,
    keys: () => Promise<ReportKeys>,
  ) {
    this.#storage = storage;
    this.#meta = meta;
    this.#rows = blocks.rows;
    this.#changes = blocks.changes;
    this.#keepers = keepers;
    this.#keys = keys;
  }

  /** When to call `run` again, in ms since 1970; null if the live layer has everything. */
  get dueAt(): number | null {
    return this.#isEmpty ? null : Math.max(this.#retry.at, this.#fullUntil);
  }

  /** Since when the reserve of rule entries refuses blocks, ms since 1970; null if it does not. */
  get fullSince(): number | null {
    return this.#meta.number('rulesFullSince') || null;
  }

  /** Sends what waits, unless a retry is not due. Returns once there is nothing left, or after a failure. Never throws. */
  async run(): Promise<void> {
    // What came at the end of a run needs another one.
    while (!this.#isEmpty && Date.now() >= Math.max(this.#retry.at, this.#fullUntil)) {
      await this.#work.run('send', () =>
        this.#send().catch((error: unknown) => {
          warnFailed('ruleEntriesNotSent', error);
          this.#retry.set(false);
        }),
      );
    }
  }

  /** The same for a change that a person waits for: it does not wait for a retry. */
  async runNow(): Promise<void> {
    this.#retry.set(true);
    this.#fullUntil = 0;
    await this.run();
  }

  get #isEmpty(): boolean {
    return this.#meta.json('batch') === null && !this.#rows.hasUnsent;
  }

  async #send(): Promise<void> {
    const keys = await this.#keys();
    for (let batch = this.#next(); batch !== null && this.#fullUntil <= Date.now(); batch = this.#next()) {
      const { n, items } = batch;
      const changes = await Promise.all(items.map((item) => changeOf(item, keys)));
      const known = changes.filter((change) => change !== null);
      const done = await this.#apply(n, known);
      this.#storage.transactionSync(() => {
        // Null: it has a later batch, so these tables were set back. They are sent again under a later number.
        if (done.results === null) warn('ruleEntriesSetBack', { n, last: done.last });
        else this.#take(items, changes, done.results);
        this.#meta.set('lastBatch', Math.max(n, done.last));
        this.#meta.set('batch', 'null');
      });
      this.#retry.set(true);
    }
  }

  async #apply(n: number, changes: readonly Change[]): Promise<Done> {
    const campaigns = changes.filter(isCampaign);
    const entries = changes.filter((change): change is RuleEntryChange => !isCampaign(change));
    const [live, text] = await Promise.all([
      entries.length === 0
        ? NOTHING
        : within(this.#keepers.coordinator().applyRuleEntries(n, entries), LOAD_WAIT_MS),
      campaigns.length === 0
        ? NOTHING
        : within(this.#keepers.text().applyCampaignChanges(n, campaigns), LOAD_WAIT_MS),
    ]);
    const last = Math.max(live.last, text.last);
    if (live.results === null || text.results === null) return { last, results: null };
    const [ofEntries, ofCampaigns] = [live.results.values(), text.results.values()];
    const results = changes.map(
      (change) => (isCampaign(change) ? ofCampaigns : ofEntries).next().value as RuleEntryResult,
    );
    return { last, results };
  }

  /** The batch to send, stored; null if there is none. */
  #next(): Batch | null {
    return this.#storage.transactionSync(() => {
      const stored = this.#meta.json<Batch>('batch');
      if (stored !== null) return stored;
      const items = this.#rows.unsent(RULE_CHANGES_MAX).map(({ id, seal, entry, entryN }) => ({
        ...{ block: id, entryN, seal, entry: entry! },
      }));
      if (items.length === 0) return null;
      // Above every earlier number, even if this object has lost its tables.
      const n = Math.max(this.#meta.number('lastBatch') + 1, Date.now());
      const batch = { n, items };
      this.#meta.set('batch', batch);
      return batch;
    });
  }

  /** Whether a refused change is repeated: a lift, or the next stage of a block that must not end for want of room. */
  #mustWait(block: number, { op }: WantedEntry, refusal: RuleEntryRefusal): boolean {
    if (op === 'lift') return true;
    return refusal === 'rulesFull' && (this.#rows.get(block)?.seq ?? null) !== null;
  }

  /** Must run in a transaction. */
  #take(
    items: readonly BatchItem[],
    changes: readonly (Change | null)[],
    results: readonly RuleEntryResult[],
  ): void {
    const now = Date.now();
    let place = 0;
    let isFull = false;
    for (const [index, { block, entryN, entry }] of items.entries()) {
      const result: RuleEntryResult = changes[index] === null ? { refused: 'invalid' } : results[place++]!;
      if ('applied' in result) this.#rows.setSent(block, entryN, result.applied);
      else if (this.#mustWait(block, entry, result.refused)) this.#fullUntil = now + RULES_FULL_RETRY_MS;
      else this.#changes.refused(block, entryN, result.refused, now);
      isFull ||= 'refused' in result && result.refused === 'rulesFull';
    }
    const hasRoom = items.some(({ entry }) => entry.op === 'block') && !isFull;
    if (isFull && this.fullSince === null) warn('ruleEntriesFull', { blocks: this.#rows.count('proposed') });
    if (isFull && this.fullSince === null) this.#meta.set('rulesFullSince', now);
    if (hasRoom) this.#meta.set('rulesFullSince', 0);
  }
}

function isCampaign(change: Change): change is CampaignChange {
  return change.subject.kind === 'campaign';
}

/** Null if its seal does not open: it was made with a key that is lost. */
async function changeOf({ block, seal, entry }: BatchItem, keys: ReportKeys): Promise<Change | null> {
  const subject = await keys.unseal(seal);
  if (subject === null) return null;
  const { reporters = 0, ...wanted } = entry;
  const change = { ...wanted, id: String(block) };
  return subject.kind === 'campaign' ? { ...change, subject, reporters } : { ...change, subject };
}
