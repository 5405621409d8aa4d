/**
 * The parts of the coordinator, and the changes that involve more than one of them.
 */
import type { Actor, AuditTrimmed, EntriesDone, EntryChange, StatusInfo, Token } from '../../shared/admin.ts';
import { utf8 } from '../../shared/bytes.ts';
import type { Client } from '../../shared/clients.ts';
import {
  CLIENTS_MAX,
  ENTRY_END_BYTES,
  KV_OPERATIONS_MAX,
  SEGMENT_ENTRIES_MAX,
  WAITING_KEPT_MS,
} from '../../shared/limits.ts';
import type { GuardSettings } from '../../shared/release/guards.ts';
import { RELEASE_PREFIX } from '../../shared/release/kv-keys.ts';
import type { Secrets } from '../env.ts';
import { warn } from '../log.ts';
import { BackgroundWork } from './background-work.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse, refuseField } from './change-request.ts';
import { ClientsStore, checkPrecondition, type Precondition } from './clients-store.ts';
import { guardsIn, putGuards } from './guard-store.ts';
import { HeadWriter } from './head-writer.ts';
import { Ledger } from './ledger.ts';
import { LiveStore, type Target } from './live-store.ts';
import { ReleaseChanges } from './release-changes.ts';
import { ReleaseStore, releaseInfo } from './release-store.ts';
import { catchUp } from './restore.ts';
import { SegmentStore } from './segments.ts';
import { SharedWork } from './shared-work.ts';
import { promoteStaged } from './staged.ts';
import { counted, FREEING_CHANGE } from './storage-budget.ts';
import { type TargetRequest, targetsOf } from './targets.ts';
import { ValueCollector } from './value-collector.ts';
import { ValueStore } from './value-store.ts';

/** Interval between removals of unnamed values, in ms. */
const SWEEP_MS = 3_600_000;
/** KV operations of a sweep reserved for sealing segments and for the copy of the head. */
const SEALING_OPERATIONS = 150;
/** KV operations of the rest reserved for listing and removing values. */
const REMOVAL_OPERATIONS = 50;

export class Core {
  readonly ledger: Ledger;
  readonly live: LiveStore;
  readonly segments: SegmentStore;
  readonly releases: ReleaseStore;
  readonly clients: ClientsStore;
  readonly values: ValueStore;
  readonly heads: HeadWriter;
  readonly changes: ReleaseChanges;
  readonly followUp: BackgroundWork;
  readonly #sweeper: ValueCollector;
  readonly #kv: KVNamespace;
  readonly #secrets: Secrets;
  readonly #sweeps = new SharedWork<void>();
  /** Clients are changed one at a time, because each change writes the directory to KV first. */
  #clientsTurn: Promise<unknown> = Promise.resolve();

  constructor(ctx: DurableObjectState, kv: KVNamespace, secrets: Secrets) {
    const { storage } = ctx;
    this.#kv = kv;
    this.#secrets = secrets;
    this.ledger = new Ledger(storage);
    this.live = new LiveStore(storage.sql, secrets.keys);
    this.segments = new SegmentStore(storage, this.live, secrets.keys);
    this.releases = new ReleaseStore(storage.sql);
    this.clients = new ClientsStore(storage.sql);
    this.values = new ValueStore(this, storage, kv, secrets.keys);
    this.heads = new HeadWriter(this, secrets.keys, kv, () => this.followUp.changed());
    this.#sweeper = new ValueCollector(storage.sql, kv);
    this.followUp = new BackgroundWork(this, ctx);
    this.changes = new ReleaseChanges(this, {
      kv,
      secrets,
      isRemoved: (key) => this.#sweeper.isRemoved(key),
      changed: () => this.followUp.changed(),
    });
  }

  /** Must be called before anything else, and again until KV was read: see restore.ts. */
  async catchUp(): ReturnType<typeof catchUp> {
    const caughtUp = await catchUp(this, this.#secrets, this.#kv);
    if (!caughtUp.ok) return caughtUp;
    this.heads.knowsKv = caughtUp.value !== 'unread';
    if (caughtUp.value === 'restored') this.followUp.changed();
    return caughtUp;
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    if (key.startsWith(RELEASE_PREFIX)) {
      const stored = this.releases.get(key.slice(RELEASE_PREFIX.length));
      return stored === null ? null : utf8(JSON.stringify(stored.signed));
    }
    return this.values.bytes(key);
  }

  async changeEntries(request: ChangeRequest, change: EntryChange): Promise<ChangeResult<EntriesDone>> {
    const subjects = new Set(change.subjects).size;
    const requested = { entries: change.items.length * subjects, relieves: change.op !== 'block' };
    const known = this.ledger.begin<EntriesDone>(request, requested);
    if (known !== null) return known;
    if (change.until !== null && Date.parse(change.until) <= Date.now()) {
      return refuseField('until', 'must lie in the future');
    }
    const targets = this.targetsOf(change);
    if (!targets.ok) return targets;
    // The tail must fit into one segment. A change that does not fit waits until the tail is sealed, down to
    // TAIL_ENTRIES_MAX.
    while (this.#tail + targets.value.length > SEGMENT_ENTRIES_MAX) await this.followUp.seal();
    const now = Math.floor(Date.now() / 1000);
    // One item can make two targets: see targets.ts.
    const left = {
      ...requested,
      entries: targets.value.length * subjects - requested.entries,
      laterBytes: change.until === null ? 0 : targets.value.length * ENTRY_END_BYTES,
    };
    const done = this.ledger.change(request, left, (seq, operation) =>
      this.live.apply(change, targets.value, request, { seq, operation, now }),
    );
    if (done.ok) this.followUp.changed();
    return done;
  }

  /** Number of entries that are not in a segment yet. */
  get #tail(): number {
    return this.live.counts(this.segments.sealedSeq).reduce((sum, { entries }) => sum + entries, 0);
  }

  targetsOf(wanted: TargetRequest): ChangeResult<Target[]> {
    return targetsOf(wanted, this.#secrets.keys, new Set(this.guards.protectedNumbers));
  }

  /** Writes the changed directory to KV, then applies the change. */
  putClient(
    request: ChangeRequest,
    id: string,
    client: Client | null,
    condition: Precondition,
  ): Promise<ChangeResult<{ seq: number }>> {
    const turn = this.#clientsTurn.then(() => this.#putClient(request, id, client, condition));
    this.#clientsTurn = turn.catch(() => undefined);
    return turn;
  }

  async #putClient(
    request: ChangeRequest,
    id: string,
    client: Client | null,
    condition: Precondition,
  ): Promise<ChangeResult<{ seq: number }>> {
    const known = this.ledger.begin<{ seq: number }>(request, FREEING_CHANGE);
    if (known !== null) return known;
    const before = this.clients.client(id);
    if (client === null && before === null)
      return refuse('CLIENT_UNKNOWN', 'there is no client with this id');
    const wrong = checkPrecondition(condition, before);
    if (wrong !== null) return wrong;
    const next = this.clients.with(id, client);
    if (next.length > CLIENTS_MAX) return refuse('CLIENTS_TOO_MANY', `at most ${CLIENTS_MAX} clients`);
    const directory = await this.values.directoryOf(next);
    const done = await this.values.publish([directory], () =>
      this.ledger.change(request, counted(FREEING_CHANGE), () => {
        this.values.setDirectory(directory);
        return applied({}, [this.clients.put(id, client)]);
      }),
    );
    if (done.ok) this.followUp.changed();
    return done;
  }

  putToken(
    request: ChangeRequest,
    id: string,
    token: Token | null,
    condition: Precondition,
  ): ChangeResult<{ id: string }> {
    return this.ledger.note(
      request,
      FREEING_CHANGE,
      () => checkPrecondition(condition, this.clients.token(id)) ?? this.clients.putToken(id, token),
    );
  }

  trimAudit(request: ChangeRequest, n: number, hash: string): ChangeResult<AuditTrimmed> {
    const { audit } = this.ledger;
    const done = this.ledger.note(request, FREEING_CHANGE, () => audit.trim({ n, hash }, Date.now()));
    if (done.ok) audit.removeTrimmed();
    return done;
  }

  get guards(): GuardSettings {
    return guardsIn(this.ledger);
  }

  putGuards(request: ChangeRequest, guards: GuardSettings): ChangeResult<GuardSettings> {
    return putGuards(this.ledger, request, guards, this.#secrets.keys);
  }

  status(): Omit<StatusInfo, 'propagation'> {
    const { current, candidate } = this.releases;
    const { seq, audit } = this.ledger;
    return {
      seq,
      changedAt: this.ledger.changedAt,
      current: current === null ? null : releaseInfo(current, true),
      candidate: candidate === null ? null : { ...releaseInfo(candidate, true), share: candidate.share ?? 0 },
      live: { entries: this.live.rows, segments: this.segments.named.length, tail: this.#tail },
      clients: this.clients.count,
      kvSeq: this.heads.kvSeq,
      audit: { ...audit.last, trimmedTo: audit.trimmed.n, trimmedHash: audit.trimmed.hash },
      ...this.ledger.room.info,
    };
  }

  /** Called by the cron. Sweeps do not overlap, because they would refuse each other's promotions. */
  async sweep(actor: Actor): Promise<void> {
    if (!this.heads.knowsKv) await this.catchUp();
    // Run this first, because the sweep can hang on KV: it keeps the copy in KV fresh.
    await this.followUp.run();
    await this.#sweeps.run('sweep', () => this.#sweep(actor));
  }

  async #sweep(actor: Actor): Promise<void> {
    const operations = KV_OPERATIONS_MAX - SEALING_OPERATIONS;
    const spent = await promoteStaged(this, actor, this.#kv, operations - REMOVAL_OPERATIONS);
    this.ledger.forget(Date.now());
    if (Date.now() - Number(this.ledger.get('sweptAt') ?? 0) < SWEEP_MS) return;
    this.ledger.set('sweptAt', String(Date.now()));
    const { storageBytes = 0, storageLevel: level = 'normal' } = this.ledger.room.info;
    if (level !== 'normal') warn('storageHigh', { bytes: storageBytes, level });
    await this.followUp.seal(true);
    this.followUp.publishSealed();
    const left = operations - spent;
    const { removed, missing } = await this.#sweeper.sweep(this.#wanted(), this.values, left);
    if (removed > 0) warn('valuesRemoved', { removed });
    if (missing === 0) return;
    warn('valuesMissing', { missing });
    this.followUp.changed();
  }

  /**
   * Returns a test whether a reader or a waiting release may need the value under a key at that moment. It
   * reads manifests again only after the releases have changed.
   */
  #wanted(): (key: string) => boolean {
    const since = Date.now() - WAITING_KEPT_MS;
    let { version } = this.releases;
    let keys = this.releases.keysWanted(since);
    return (key) => {
      if (version !== this.releases.version) {
        version = this.releases.version;
        keys = this.releases.keysWanted(since);
      }
      return keys.has(key) || this.values.isWanted(key);
    };
  }
}
