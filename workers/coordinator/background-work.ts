/**
 * The recurring work of the coordinator: seal live entries into segments, update the copy of the head in KV,
 * remove expired entries, and set the alarm for the next task. It runs after each change, from the alarm, from
 * the cron, and before a change that needs room. Removing expired entries and publishing segments raise `seq`.
 */
import { BULK_ENTRIES_MAX } from '../../shared/limits/control.ts';
import type { FeedPokes } from '../storage/feed-pokes.ts';
import { SharedWork } from '../storage/shared-work.ts';
import { applied, systemRequest } from './change-request.ts';
import type { HeadWriter } from './head-writer.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import type { ValueStore } from './value-store.ts';

/** Delay before the alarm retries unfinished work, in ms. */
const AGAIN_MS = 10_000;

export class BackgroundWork {
  readonly #ctx: DurableObjectState;
  readonly #tables: Tables;
  readonly #values: ValueStore;
  readonly #heads: HeadWriter;
  readonly #pokes: FeedPokes;
  readonly #runs = new SharedWork<void>();
  /** Whether something has changed since the current run began. */
  #behind = false;

  constructor(
    ctx: DurableObjectState,
    tables: Tables,
    values: ValueStore,
    heads: HeadWriter,
    pokes: FeedPokes,
  ) {
    this.#ctx = ctx;
    this.#tables = tables;
    this.#values = values;
    this.#heads = heads;
    this.#pokes = pokes;
  }

  /** Call after every change of the head, in the same turn, so that the alarm is stored with the change. */
  changed(): void {
    this.#heads.changed();
    this.#pokes.poke();
    this.#behind = true;
    this.#ctx.storage.setAlarm(Date.now() + AGAIN_MS).catch(() => undefined);
    // If this fails, the alarm retries it.
    this.#ctx.waitUntil(this.run().catch(() => undefined));
  }

  /** Runs when entries have expired or work was left unfinished. */
  async alarm(): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const { ledger, live } = this.#tables;
    if ((live.nextEnd ?? Number.POSITIVE_INFINITY) <= now) {
      ledger.change(systemRequest('live entries expired'), FREEING_CHANGE, () =>
        applied({}, live.expire(now, BULK_ENTRIES_MAX)),
      );
      this.changed();
    }
    await this.run();
  }

  /**
   * Does the work that is due. Also refreshes the copy of the head in KV if nothing has changed for a long
   * time.
   */
  run(): Promise<void> {
    return this.#runs.run('follow up', async () => {
      do {
        this.#behind = false;
        await this.seal();
        await this.#values.putMissing();
        await this.#setAlarm(await this.#heads.write(() => this.changed()));
      } while (this.#behind);
    });
  }

  async #setAlarm(written: boolean): Promise<void> {
    const end = this.#tables.live.nextEnd;
    const due = [written ? null : Date.now() + AGAIN_MS, end === null ? null : end * 1000];
    const times = due.filter((time) => time !== null);
    if (times.length === 0) await this.#ctx.storage.deleteAlarm();
    else await this.#ctx.storage.setAlarm(Math.min(...times));
  }

  /** @param compact see SegmentStore.due */
  seal(compact = false): Promise<void> {
    return this.#runs.run('seal', () => this.#seal(compact));
  }

  /** Runs work while no sealing is in progress. */
  async withoutSealing<Value>(work: () => Promise<Value>): Promise<Value> {
    let done: { readonly value: Value } | null = null;
    // If a run of this name is in progress, `run` joins it and does not run this work. Then try again.
    while (done === null) {
      await this.#runs.run('seal', async () => {
        done = { value: await work() };
      });
    }
    return (done as { readonly value: Value }).value;
  }

  async #seal(compact: boolean): Promise<void> {
    const { meta, ledger, segments } = this.#tables;
    const due = await segments.due(ledger.seq, compact);
    if (due === null) return;
    await this.#values.publish(due.sealed, () => {
      // Entries that changed in the meantime are unsealed, and newer than their old versions in a segment.
      segments.replace(due.sealed, due.replaced);
      meta.set('sealedAt', ledger.seq);
      // The copy in KV still names the replaced segments.
      meta.set('kvSeq', 0);
    });
    this.#heads.changed();
  }

  /** Sealing does not change `seq`, so readers keep the old head. This change gives them the new one. */
  publishSealed(): void {
    const { meta, ledger, segments } = this.#tables;
    if (ledger.seq === 0 || meta.number('sealedAt') !== ledger.seq) return;
    const after = segments.named.length;
    ledger.change(systemRequest('live entries were sealed'), FREEING_CHANGE, () =>
      applied({}, [{ action: 'live.seal', subject: 'segments', before: null, after }]),
    );
    this.changed();
  }
}
