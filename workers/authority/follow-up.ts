/**
 * What follows a change, behind its answer: full tails are sealed into segments, the copy of the head in
 * KV is brought up to date, and the alarm is set for what comes next. Nothing here changes what is current.
 */
import { BULK_ENTRIES_MAX } from '../../shared/limits.ts';
import type { HeadWriter } from './head-writer.ts';
import type { Ledger } from './ledger.ts';
import type { LiveStore } from './live-store.ts';
import type { NamedValues } from './named-values.ts';
import { ITSELF, made } from './order.ts';
import { RELIEF } from './room.ts';
import type { SegmentStore } from './segments.ts';
import { SharedRuns } from './shared-runs.ts';

/** After a change that could not be followed up at once, the alarm tries again, in ms. */
const AGAIN_MS = 10_000;

export interface Stores {
  readonly ledger: Ledger;
  readonly live: LiveStore;
  readonly segments: SegmentStore;
  readonly heads: HeadWriter;
  readonly values: NamedValues;
}

export class FollowUp {
  readonly #stores: Stores;
  readonly #ctx: DurableObjectState;
  readonly #runs = new SharedRuns<void>();
  /** Something has changed since the run under way began. */
  #behind = false;

  constructor(stores: Stores, ctx: DurableObjectState) {
    this.#stores = stores;
    this.#ctx = ctx;
  }

  /** After every change of the head, in the same turn: the alarm is stored with it. */
  changed(): void {
    this.#stores.heads.changed();
    this.#behind = true;
    this.#ctx.storage.setAlarm(Date.now() + AGAIN_MS).catch(() => undefined);
    // Where it fails, the alarm tries again.
    this.#ctx.waitUntil(this.run().catch(() => undefined));
  }

  /** Entries have ended, or something was left undone. */
  async alarm(): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const { ledger, live } = this.#stores;
    if ((live.nextEnd ?? Number.POSITIVE_INFINITY) <= now) {
      const order = { actor: ITSELF, reason: 'its time was over', repeat: null };
      ledger.change(order, RELIEF, () => made({}, live.expire(now, BULK_ENTRIES_MAX)));
      this.changed();
    }
    await this.run();
  }

  /** What is due now; the copy of the head in KV also where nothing has changed for long. */
  run(): Promise<void> {
    return this.#runs.run('follow up', async () => {
      do {
        this.#behind = false;
        await this.seal();
        await this.#stores.values.putMissing();
        await this.#setAlarm(await this.#stores.heads.write());
      } while (this.#behind);
    });
  }

  async #setAlarm(written: boolean): Promise<void> {
    const end = this.#stores.live.nextEnd;
    const due = [written ? null : Date.now() + AGAIN_MS, end === null ? null : end * 1000];
    const times = due.filter((time) => time !== null);
    if (times.length === 0) await this.#ctx.storage.deleteAlarm();
    else await this.#ctx.storage.setAlarm(Math.min(...times));
  }

  /** @param compact see SegmentStore.due */
  seal(compact = false): Promise<void> {
    return this.#runs.run('seal', () => this.#seal(compact));
  }

  async #seal(compact: boolean): Promise<void> {
    const { ledger, segments, heads, values } = this.#stores;
    const due = await segments.due(ledger.seq, compact);
    if (due === null) return;
    await values.bring(due.sealed, () => {
      // What was changed meanwhile is in the tail, and newer than what it replaced in a segment.
      segments.replace(due.sealed, due.replaced);
      ledger.set('sealedAt', String(ledger.seq));
      // The copy in KV names what was replaced.
      ledger.set('kvSeq', '0');
    });
    heads.changed();
  }

  /** Readers of a head from before the sealing have it under the same `seq`: they are to get the new one. */
  tellSealed(): void {
    const { ledger, segments } = this.#stores;
    if (ledger.get('sealedAt') !== String(ledger.seq) || ledger.seq === 0) return;
    const order = { actor: ITSELF, reason: 'live entries were sealed', repeat: null };
    const { named } = segments;
    const audit = [{ action: 'live.seal', subject: 'segments', before: null, after: named.length }];
    ledger.change(order, RELIEF, () => made({}, audit));
    this.changed();
  }
}
