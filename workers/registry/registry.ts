/**
 * The Durable Object with the changes of the registrations of all organisations since the releases that readers may
 * use. An installation has one. It gives these changes to the coordinator for the head, at most once every
 * HEAD_PART_INTERVAL_MS, so no upload costs the coordinator more than that.
 *
 * A batch counts as published once the head has it. If the registry loses its tables, it reads the changes back from
 * the head and its segments, so nothing that was published is lost.
 */
import { DurableObject } from 'cloudflare:workers';
import { sha256Hex, toBase64, utf8 } from '../../shared/bytes.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import {
  REGISTRATION_BUILD_SHARE,
  REGISTRATION_CHANGES_MAX,
  REGISTRATION_REMOVALS_RESERVE,
} from '../../shared/limits/registrations.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { HeadRegistrations } from '../../shared/release/head.ts';
import { fail, ok, type Result } from '../../shared/result.ts';
import type { PairsUsage } from '../../shared/senders/pairs.ts';
import { encodeRegistrationSegment } from '../../shared/senders/registration-segment.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { type ControlEnv, openSecrets } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { HeadPublication, valuePutter } from '../storage/head-publication.ts';
import type {
  Published,
  PublishedChange,
  QueueChange,
  RegistryKeeper,
  RegistryObject,
  RegistryStatus,
} from '../storage/registry-port.ts';
import { SharedWork } from '../storage/shared-work.ts';
import { within } from '../storage/single-flight.ts';
import { ChangeTable } from './change-table.ts';
import { NumberIndex } from './number-index.ts';
import { QueueIndex } from './queue-index.ts';
import { readStores } from './read-stores.ts';
import { Reports } from './reports.ts';
import { restoreChanges } from './restore.ts';
import { SegmentStore } from './segment-store.ts';

/** Delay before the alarm retries to give changes to the coordinator, in ms. */
const AGAIN_MS = 10_000;
/** Time between two warnings that a build is due, in ms. */
const WARNING_MS = 3_600_000;

export class Registry extends DurableObject<ControlEnv> implements RegistryObject {
  readonly #table: ChangeTable;
  readonly #queue: QueueIndex;
  readonly #numbers: NumberIndex;
  readonly #reports: Reports;
  readonly #segments: SegmentStore;
  readonly #work = new SharedWork<void>();
  /** Whether the tables are known to be at least as new as the head. */
  #isReady = false;
  #keys: KeyRing | null = null;
  /** ID of the key that segments are sealed with. The coordinator chooses the key. */
  #keyId = '';
  readonly #publication = new HeadPublication(() => this.#publish());
  #warnedAt = 0;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    this.#table = new ChangeTable(ctx.storage);
    this.#queue = new QueueIndex(ctx.storage);
    this.#numbers = new NumberIndex(ctx.storage);
    this.#reports = new Reports(ctx.storage);
    this.#segments = new SegmentStore(ctx.storage, this.#table);
  }

  get #coordinator(): RegistryKeeper {
    return this.env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as RegistryKeeper;
  }

  async publish(
    organisation: string,
    n: number,
    changes: readonly PublishedChange[],
    queue: readonly QueueChange[],
    usage?: PairsUsage,
  ): Promise<Published> {
    await this.#ready();
    const stored = await this.#store(organisation, n, changes, queue);
    if (!stored.ok) return stored;
    this.#reports.clearRefused(organisation);
    if (usage !== undefined) this.#reports.setUsage(organisation, usage);
    const version = this.#table.get('version');
    if (changes.length > 0) await this.#publication.upTo(version);
    return ok({ version });
  }

  async #store(
    organisation: string,
    n: number,
    changes: readonly PublishedChange[],
    queue: readonly QueueChange[],
  ): Promise<Result<void, Exclude<Published, { ok: true }>>> {
    const digest = await sha256Hex(utf8(JSON.stringify([changes, queue])));
    const last = this.#table.lastBatch(organisation);
    // The answer to this batch was lost. Its changes may still have to reach the head.
    if (n === last.n && digest === last.digest) return ok(undefined);
    if (n <= last.n) {
      const message = `the last batch of this organisation was ${last.n}`;
      return { ...fail('BATCH_KNOWN', message), last: last.n };
    }
    const applied = this.ctx.storage.transactionSync(() => {
      const made = this.#table.apply(organisation, n, digest, changes);
      if (!made.ok) return made;
      this.#queue.apply(organisation, queue);
      this.#numbers.apply(organisation, changes, queue);
      return made;
    });
    if (applied.ok) {
      this.ctx.waitUntil(this.ctx.storage.setAlarm(Date.now() + AGAIN_MS));
      return applied;
    }
    if (applied.code === 'CHANGE_IMPOSSIBLE') {
      this.#reports.setRefused(organisation, Date.now());
      warn('registrationsRefused', { organisation, n });
      return applied;
    }
    this.#table.setWaiting(organisation, Date.now());
    warn('registrationsFull', { organisation, changes: this.#table.get('changes') });
    return applied;
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#segments.bytes(key);
  }

  async refresh(): Promise<void> {
    await this.#ready();
    if (this.#table.get('version') === 0) return;
    this.#publication.setStale();
    await this.#publication.upTo(this.#table.get('version'));
    const changes = this.#table.get('changes');
    const room = REGISTRATION_CHANGES_MAX - REGISTRATION_REMOVALS_RESERVE;
    if (changes < room * REGISTRATION_BUILD_SHARE || Date.now() - this.#warnedAt < WARNING_MS) return;
    this.#warnedAt = Date.now();
    warn('registrationsHigh', { changes, room });
  }

  async queued(after: string | null, limit: number, organisation: string | null = null) {
    return this.#queue.page(after, limit, organisation);
  }

  async publishers(): Promise<readonly string[] | null> {
    await this.#ready();
    return this.#table.get('requeue') === 1 ? null : this.#table.publishers;
  }

  async organisationsOf(numbers: Span, limit: number): Promise<readonly string[] | null> {
    await this.#ready();
    return this.#table.get('requeue') === 1 ? null : this.#numbers.organisationsOf(numbers, limit);
  }

  async organisationsOfEach(
    numbers: readonly number[],
    limit: number,
  ): Promise<readonly (readonly string[])[] | null> {
    await this.#ready();
    if (this.#table.get('requeue') === 1) return null;
    return numbers.map((n) => this.#numbers.organisationsOf({ from: n, to: n }, limit));
  }

  async status(): Promise<RegistryStatus> {
    await this.#ready();
    return { ...this.#table.status(Date.now()), ...this.#reports.status };
  }

  override async alarm(): Promise<void> {
    try {
      await this.#ready();
      await this.#publication.upTo(this.#table.get('version'));
      if (this.#table.get('requeue') === 0) return;
      const tables = {
        ...{ table: this.#table, queue: this.#queue },
        numbers: this.#numbers,
        reports: this.#reports,
      };
      await readStores(await this.#coordinator.organisations(), this.env.REGISTRATIONS, tables);
      this.#table.set('requeue', 0);
    } catch (error) {
      warnFailed('registryFailed', error);
      await this.ctx.storage.setAlarm(Date.now() + AGAIN_MS);
    }
  }

  /** Reads the changes back from the head if the head has later ones, because then tables were lost or set back. */
  async #ready(): Promise<void> {
    if (this.#isReady) return;
    await this.#work.run('ready', async () => {
      if (this.#isReady) return;
      const secrets = await openSecrets(this.env);
      if (!secrets.ok) throw new Error(secrets.message);
      this.#keys = secrets.value.keys;
      const { head, keyId } = await within(this.#coordinator.registrations(), LOAD_WAIT_MS);
      if (head !== null && head.version > this.#table.get('version')) {
        await restoreChanges(head, this.#table, this.#keys, this.env.LISTS);
        this.#segments.drop(this.#table.get('dropped'));
      }
      // The head does not have the queue, so the alarm reads it from the stores.
      if (this.#table.get('requeue') === 1) await this.ctx.storage.setAlarm(Date.now());
      this.#keyId = keyId;
      this.#isReady = true;
    });
  }

  /** Seals the changes that are due, and gives the coordinator the part of the head. @returns the version in the head */
  async #publish(): Promise<number> {
    const keys = this.#keys!.of(this.#keyId);
    if (keys === null) throw new Error(`the key ${this.#keyId} is not in LIST_KEY`);
    // Batches that came during a run are sealed in the next one.
    while (await this.#segments.seal(keys, valuePutter(this.env.LISTS)));
    const { registrations, unwritten } = this.#state;
    const update = { registrations, unwritten, keyIds: this.#segments.keyIds };
    const answer = await within(this.#coordinator.putRegistrations(update), LOAD_WAIT_MS);
    if (!answer.ok) {
      // The head has a later version, or the coordinator is full. Read the head again, and retry.
      this.#isReady = false;
      throw new Error(answer.message);
    }
    this.#segments.setWritten(unwritten);
    this.#segments.removeReplaced();
    const { keyId, droppedVersion } = answer.value;
    const isDropping = droppedVersion > this.#table.get('dropped');
    // The next run seals with that key, and without the dropped changes.
    if (keyId !== this.#keyId || isDropping) this.#publication.setStale();
    this.#keyId = keyId;
    if (isDropping) await this.#drop(droppedVersion);
    const isDone = !this.#publication.isStale && this.#table.get('version') === registrations.version;
    if (isDone && this.#table.get('requeue') === 0) await this.ctx.storage.deleteAlarm();
    return registrations.version;
  }

  /** The part of the head. It is read in one turn, so nothing changes in between. */
  get #state(): { registrations: HeadRegistrations; unwritten: string[] } {
    const version = this.#table.get('version');
    const unsealed = this.#table.rows(this.#segments.sealedVersion, version);
    return {
      registrations: {
        version,
        droppedVersion: this.#table.get('dropped'),
        segments: this.#segments.named,
        unsealed: toBase64(encodeRegistrationSegment(unsealed)),
      },
      unwritten: this.#segments.unwritten,
    };
  }

  async #drop(version: number): Promise<void> {
    while (this.#table.drop(version)) await new Promise((resolve) => setTimeout(resolve, 0));
    this.#segments.drop(version);
  }
}
