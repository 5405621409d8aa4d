/** Builds the parts of the text store, and runs the work that is due. */

import type { TextStatus } from '../../shared/admin/text.ts';
import { ALARM_AHEAD_MS_MAX } from '../../shared/limits/registrations.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { Anchoring } from '../storage/anchoring.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { HeadValues } from '../storage/head-values.ts';
import type { TextKeeper, TextUpdate } from '../storage/text-port.ts';
import { textKeyOf } from '../storage/text-secrets.ts';
import { CampaignDecisions } from './campaign-decisions.ts';
import { CampaignImport } from './campaign-import.ts';
import { keyIdsOf } from './publication.ts';
import { ReleaseChanges } from './release-changes.ts';
import { TextTables } from './tables.ts';
import { TextValues } from './text-values.ts';

/** Delay before the alarm retries a failed publication, in ms. */
const AGAIN_MS = 10_000;

export class StoreParts {
  readonly tables: TextTables;
  readonly head: HeadValues<TextUpdate>;
  readonly releases: ReleaseChanges;
  readonly decisions: CampaignDecisions;
  readonly imports: CampaignImport;
  readonly anchoring: Anchoring;
  readonly #env: ControlEnv;

  constructor(storage: DurableObjectStorage, env: ControlEnv) {
    this.#env = env;
    this.tables = new TextTables(storage);
    this.head = new HeadValues(env, new TextValues(env, this.tables));
    this.releases = new ReleaseChanges(this.tables, env);
    this.decisions = new CampaignDecisions(this.tables);
    this.imports = new CampaignImport(this.tables);
    const recorder = () => env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as TextKeeper;
    this.anchoring = new Anchoring(
      storage.sql,
      this.tables.audit,
      this.tables.meta,
      (end) => recorder().anchorText(end),
      'textNotAnchored',
    );
  }

  /** Must run before anything else: opens the TEXT_KEY of this installation. */
  async open(): Promise<void> {
    const key = await textKeyOf(this.#env);
    this.tables.campaigns.open(key.ok ? key.value.id : null);
  }

  /**
   * Must run before the first campaign gets an ID: after a loss of the tables, counts of reports may still know old IDs.
   * @throws if the coordinator does not respond
   */
  async canBegin(): Promise<void> {
    const { campaigns } = this.tables;
    if (!campaigns.isNew) return;
    await this.head.ready();
    campaigns.begin();
  }

  async status(): Promise<TextStatus> {
    const { publication, releases, campaigns, values } = this.tables;
    const { current, candidate } = releases;
    return {
      ...{ version: publication.version, published: publication.publishedVersion },
      current: current?.release ?? null,
      candidate: candidate === null ? null : { release: candidate.release, share: candidate.share ?? 0 },
      campaigns: campaigns.counts,
      textKeyId: campaigns.keyId,
      listKeyIds: keyIdsOf(values.keyIds, releases.valuesOf([current, candidate])),
    };
  }

  /** Does everything that is due. Never throws. */
  async runDue(): Promise<void> {
    const now = Date.now();
    this.tables.campaigns.run(now);
    if (this.tables.publication.isBehind)
      await this.head.publish().catch((error: unknown) => warnFailed('textNotPublished', error));
    await this.anchoring.run();
    this.#sweep(now);
  }

  /** When the alarm must come next, in ms since 1970; null for never. */
  nextDueAt(now: number): number | null {
    const { publication, campaigns } = this.tables;
    const times = [
      // The request that made the change also publishes it. The alarm is needed only if that fails.
      publication.isBehind ? now + AGAIN_MS : null,
      campaigns.nextEndAt,
      this.anchoring.dueAt,
      this.#sweepDue,
    ].filter((time) => time !== null);
    if (times.length === 0) return null;
    return Math.min(Math.max(Math.min(...times), now), now + ALARM_AHEAD_MS_MAX);
  }

  get #sweepDue(): number | null {
    return this.tables.publication.version === 0 ? null : this.tables.meta.number('sweptAt') + DAY_MS;
  }

  /** Removes old answers to repeated requests, once a day. */
  #sweep(now: number): void {
    const due = this.#sweepDue;
    if (due === null || due > now) return;
    this.tables.transactions.forget(now);
    this.tables.meta.set('sweptAt', now);
  }
}
