/**
 * The Durable Object of text risk: text releases, campaigns, and how scores move. There is one. It gives the coordinator
 * the index of what the edge needs, at most once in HEAD_PART_INTERVAL_MS. It stores no text. Expected failures are values.
 */
import { DurableObject } from 'cloudflare:workers';
import type { AuditRecord } from '../../shared/audit.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import type { CampaignRegistry, TextObject } from '../storage/text-port.ts';
import { createTables } from './schema.ts';
import { StoreParts } from './store-parts.ts';

export class TextStore extends DurableObject<ControlEnv> implements TextObject, CampaignRegistry {
  readonly #parts: StoreParts;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#parts = new StoreParts(ctx.storage, env);
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
      // The platform gives up on an alarm that fails too often.
      await this.#arm();
    });
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const { values, releases } = this.#parts.tables;
    return values.bytes(key) ?? releases.bytes(key);
  }

  async refresh(): Promise<void> {
    await this.#parts.head.refresh();
    await this.#arm();
  }

  async campaignsOf(
    fingerprints: readonly Uint16Array<ArrayBuffer>[],
    at: number,
  ): Promise<readonly number[]> {
    const ids = await this.#parts.tables.campaigns.campaignsOf(fingerprints, at);
    await this.#arm();
    return ids;
  }

  async decideCampaign(
    id: number,
    decision: Parameters<CampaignRegistry['decideCampaign']>[1],
  ): Promise<void> {
    await this.#parts.tables.campaigns.decideCampaign(id, decision);
    await this.#changed();
  }

  /** @param after number of a record */
  async audit(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this.#parts.tables.audit.records(after, limit);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    await this.#parts.runDue();
    await this.#arm();
  }

  /** After a change that is made: publishes it behind the answer. The alarm is there if that fails. */
  async #changed(): Promise<void> {
    await this.#arm();
    if (!this.#parts.tables.publication.isBehind) return;
    this.ctx.waitUntil(
      this.#parts.head
        .publish()
        .catch((error: unknown) => warnFailed('textNotPublished', error))
        .then(() => this.#arm()),
    );
  }

  /** The alarm at the next time at which there is something to do. */
  async #arm(): Promise<void> {
    const next = this.#parts.nextDueAt(Date.now());
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}
