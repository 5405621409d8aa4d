/**
 * Sends one keeper the entries of rule blocks that it must have, in batches with rising numbers. The coordinator keeps
 * numbers and sender IDs for the live layer; the text store keeps campaigns. Each keeper has its own batches, so a keeper
 * that does not respond does not delay the other one. A batch is stored before it is sent, and sent again unchanged until
 * its results are stored, so each batch is applied once.
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
import type { Meta, MetaKey } from './meta.ts';
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

type Change = RuleEntryChange | CampaignChange;

/** The object that keeps the entries of rule blocks: the coordinator or the text store. */
export interface Keeper {
  /** True if it keeps only campaigns; false if it keeps all other subjects. */
  readonly ofCampaigns: boolean;
  /** Where the desk stores the batch, the number of the last batch, and since when the keeper has no room. */
  readonly batch: MetaKey;
  readonly lastBatch: MetaKey;
  readonly fullSince: MetaKey;
  readonly apply: (n: number, changes: readonly Change[]) => ReturnType<RuleEntriesPort['applyRuleEntries']>;
}

export function liveKeeper(coordinator: () => RuleEntriesPort): Keeper {
  return {
    ...{ ofCampaigns: false, batch: 'batch', lastBatch: 'lastBatch', fullSince: 'rulesFullSince' },
    apply: (n, changes) => coordinator().applyRuleEntries(n, changes as readonly RuleEntryChange[]),
  };
}

export function campaignKeeper(text: () => Pick<CampaignRegistry, 'applyCampaignChanges'>): Keeper {
  return {
    ...{ ofCampaigns: true, batch: 'campaignBatch', lastBatch: 'lastCampaignBatch' },
    fullSince: 'campaignsFullSince',
    apply: (n, changes) => text().applyCampaignChanges(n, changes as readonly CampaignChange[]),
  };
}

export class EntrySync {
  readonly #storage: DurableObjectStorage;
  readonly #meta: Meta;
  readonly #rows: BlockRows;
  readonly #changes: BlockChanges;
  readonly #keeper: Keeper;
  readonly #keys: () => Promise<ReportKeys>;
  readonly #work = new SharedWork<void>();
  readonly #retry = new Retry();
  /** Nothing is sent before this time, in ms since 1970, because the keeper refused changes for lack of room. */
  #fullUntil = 0;

  constructor(
    storage: DurableObjectStorage,
    meta: Meta,
    blocks: { readonly rows: BlockRows; readonly changes: BlockChanges },
    keeper: Keeper,
    keys: () => Promise<ReportKeys>,
  ) {
    this.#storage = storage;
    this.#meta = meta;
    this.#rows = blocks.rows;
    this.#changes = blocks.changes;
    this.#keeper = keeper;
    this.#keys = keys;
  }

  /** When to call `run` again, in ms since 1970; null if the keeper has everything. */
  get dueAt(): number | null {
    return this.#isEmpty ? null : Math.max(this.#retry.at, this.#fullUntil);
  }

  /** Since when the keeper has no room for more blocks, ms since 1970; null if it has room. */
  get fullSince(): number | null {
    return this.#meta.number(this.#keeper.fullSince) || null;
  }

  /** Sends waiting entries, unless a retry is not due. Returns once nothing is left, or after a failure. Never throws. */
  async run(): Promise<void> {
    // Entries that arrive at the end of a run need another run.
    while (!this.#isEmpty && Date.now() >= Math.max(this.#retry.at, this.#fullUntil)) {
      await this.#work.run('send', () =>
        this.#send().catch((error: unknown) => {
          warnFailed('ruleEntriesNotSent', error);
          this.#retry.set(false);
        }),
      );
    }
  }

  /** Like `run`, but does not wait for a retry, because a person waits for the change. */
  async runNow(): Promise<void> {
    this.#retry.set(true);
    this.#fullUntil = 0;
    await this.run();
  }

  get #isEmpty(): boolean {
    const { batch, ofCampaigns } = this.#keeper;
    return this.#meta.json(batch) === null && !this.#rows.hasUnsent(ofCampaigns);
  }

  async #send(): Promise<void> {
    const keys = await this.#keys();
    for (let batch = this.#next(); batch !== null && this.#fullUntil <= Date.now(); batch = this.#next()) {
      const { n, items } = batch;
      const changes = await Promise.all(items.map((item) => changeOf(item, keys)));
      const known = changes.filter((change) => change !== null);
      const done =
        known.length === 0
          ? { last: 0, results: [] }
          : await within(this.#keeper.apply(n, known), LOAD_WAIT_MS);
      this.#storage.transactionSync(() => {
        // Null: the keeper has a later batch, so these tables were set back. The changes are sent again under a later number.
        if (done.results === null) warn('ruleEntriesSetBack', { n, last: done.last });
        else this.#take(items, changes, done.results);
        this.#meta.set(this.#keeper.lastBatch, Math.max(n, done.last));
        this.#meta.set(this.#keeper.batch, 'null');
      });
      this.#retry.set(true);
    }
  }

  /** The batch to send, which is stored before it is sent; null if there is none. */
  #next(): Batch | null {
    return this.#storage.transactionSync(() => {
      const { batch: key, lastBatch, ofCampaigns } = this.#keeper;
      const stored = this.#meta.json<Batch>(key);
      if (stored !== null) return stored;
      const items = this.#rows.unsent(RULE_CHANGES_MAX, ofCampaigns).map(({ id, seal, entry, entryN }) => ({
        ...{ block: id, entryN, seal, entry: entry! },
      }));
      if (items.length === 0) return null;
      // Above every earlier number, even if this object has lost its tables.
      const n = Math.max(this.#meta.number(lastBatch) + 1, Date.now());
      const batch = { n, items };
      this.#meta.set(key, batch);
      return batch;
    });
  }

  /** Whether a refused change is sent again: a lift, or a later stage of a block, which must not end for lack of room. */
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
    if (isFull && this.fullSince === null)
      warn('ruleEntriesFull', { blocks: this.#rows.count('proposed'), campaigns: this.#keeper.ofCampaigns });
    if (isFull && this.fullSince === null) this.#meta.set(this.#keeper.fullSince, now);
    if (hasRoom) this.#meta.set(this.#keeper.fullSince, 0);
  }
}

/** Null if the seal does not open, because its key is lost. */
async function changeOf({ block, seal, entry }: BatchItem, keys: ReportKeys): Promise<Change | null> {
  const subject = await keys.unseal(seal);
  if (subject === null) return null;
  const { reporters = 0, ...wanted } = entry;
  const change = { ...wanted, id: String(block) };
  return subject.kind === 'campaign' ? { ...change, subject, reporters } : { ...change, subject };
}
