/**
 * What the authority is made of, and the orders that concern more than one part of it.
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
import { ClientsStore, type Condition, unmet } from './clients-store.ts';
import { FollowUp } from './follow-up.ts';
import { guardsIn, putGuards } from './guard-store.ts';
import { HeadWriter } from './head-writer.ts';
import { Ledger } from './ledger.ts';
import { LiveStore, type Target } from './live-store.ts';
import { NamedValues } from './named-values.ts';
import { made, type Order, type Outcome, refuse, refuseField } from './order.ts';
import { ReleaseChanges } from './release-changes.ts';
import { ReleaseStore, releaseInfo } from './release-store.ts';
import { catchUp } from './restore.ts';
import { counted, RELIEF } from './room.ts';
import { SegmentStore } from './segments.ts';
import { SharedRuns } from './shared-runs.ts';
import { promoteStaged } from './staged.ts';
import { targetsOf, type Wanted } from './targets.ts';
import { ValueSweeper } from './value-sweeper.ts';

/** Time between two removals of unnamed values, in ms. */
const SWEEP_MS = 3_600_000;
/** KV operations of one sweep that are left for sealing segments and for the copy of the head. */
const SEALING_OPERATIONS = 150;
/** Of the others, those that are left for listing and removing values. */
const REMOVAL_OPERATIONS = 50;

export class Core {
  readonly ledger: Ledger;
  readonly live: LiveStore;
  readonly segments: SegmentStore;
  readonly releases: ReleaseStore;
  readonly clients: ClientsStore;
  readonly values: NamedValues;
  readonly heads: HeadWriter;
  readonly changes: ReleaseChanges;
  readonly followUp: FollowUp;
  readonly #sweeper: ValueSweeper;
  readonly #kv: KVNamespace;
  readonly #secrets: Secrets;
  readonly #sweeps = new SharedRuns<void>();
  /** Clients are changed one after the other: each is written to KV before it is decided. */
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
    this.values = new NamedValues(this, storage, kv, secrets.keys);
    this.heads = new HeadWriter(this, secrets.keys, kv, () => this.followUp.changed());
    this.#sweeper = new ValueSweeper(storage.sql, kv);
    this.followUp = new FollowUp(this, ctx);
    this.changes = new ReleaseChanges(this, {
      kv,
      secrets,
      isRemoved: (key) => this.#sweeper.isRemoved(key),
      changed: () => this.followUp.changed(),
    });
  }

  /** To be called before anything else is asked, and again until KV was read: see restore.ts. */
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

  async changeEntries(order: Order, change: EntryChange): Promise<Outcome<EntriesDone>> {
    const subjects = new Set(change.subjects).size;
    const asked = { entries: change.items.length * subjects, relieves: change.op !== 'block' };
    const known = this.ledger.begin<EntriesDone>(order, asked);
    if (known !== null) return known;
    if (change.until !== null && Date.parse(change.until) <= Date.now()) {
      return refuseField('until', 'must lie in the future');
    }
    const targets = this.targetsOf(change);
    if (!targets.ok) return targets;
    // The open tail is one segment: what does not fit in waits until it is sealed, down to TAIL_ENTRIES_MAX.
    while (this.#tail + targets.value.length > SEGMENT_ENTRIES_MAX) await this.followUp.seal();
    const now = Math.floor(Date.now() / 1000);
    // An item can make two targets: see targets.ts.
    const left = {
      ...asked,
      entries: targets.value.length * subjects - asked.entries,
      laterBytes: change.until === null ? 0 : targets.value.length * ENTRY_END_BYTES,
    };
    const done = this.ledger.change(order, left, (seq, operation) =>
      this.live.apply(change, targets.value, order, { seq, operation, now }),
    );
    if (done.ok) this.followUp.changed();
    return done;
  }

  /** Entries that are in no segment yet. */
  get #tail(): number {
    return this.live.counts(this.segments.sealedSeq).reduce((sum, { entries }) => sum + entries, 0);
  }

  targetsOf(wanted: Wanted): Outcome<Target[]> {
    return targetsOf(wanted, this.#secrets.keys, new Set(this.guards.protectedNumbers));
  }

  /** The directory with the change is put into KV, then it is decided. */
  putClient(
    order: Order,
    id: string,
    client: Client | null,
    condition: Condition,
  ): Promise<Outcome<{ seq: number }>> {
    const turn = this.#clientsTurn.then(() => this.#putClient(order, id, client, condition));
    this.#clientsTurn = turn.catch(() => undefined);
    return turn;
  }

  async #putClient(
    order: Order,
    id: string,
    client: Client | null,
    condition: Condition,
  ): Promise<Outcome<{ seq: number }>> {
    const known = this.ledger.begin<{ seq: number }>(order, RELIEF);
    if (known !== null) return known;
    const before = this.clients.client(id);
    if (client === null && before === null)
      return refuse('CLIENT_UNKNOWN', 'there is no client with this id');
    const wrong = unmet(condition, before);
    if (wrong !== null) return wrong;
    const next = this.clients.with(id, client);
    if (next.length > CLIENTS_MAX) return refuse('CLIENTS_TOO_MANY', `at most ${CLIENTS_MAX} clients`);
    const directory = await this.values.directoryOf(next);
    const done = await this.values.bring([directory], () =>
      this.ledger.change(order, counted(RELIEF), () => {
        this.values.setDirectory(directory);
        return made({}, [this.clients.put(id, client)]);
      }),
    );
    if (done.ok) this.followUp.changed();
    return done;
  }

  putToken(order: Order, id: string, token: Token | null, condition: Condition): Outcome<{ id: string }> {
    return this.ledger.note(
      order,
      RELIEF,
      () => unmet(condition, this.clients.token(id)) ?? this.clients.putToken(id, token),
    );
  }

  trimAudit(order: Order, n: number, hash: string): Outcome<AuditTrimmed> {
    const { audit } = this.ledger;
    const done = this.ledger.note(order, RELIEF, () => audit.trim({ n, hash }, Date.now()));
    if (done.ok) audit.removeTrimmed();
    return done;
  }

  get guards(): GuardSettings {
    return guardsIn(this.ledger);
  }

  putGuards(order: Order, guards: GuardSettings): Outcome<GuardSettings> {
    return putGuards(this.ledger, order, guards, this.#secrets.keys);
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

  /** What the cron asks for. Two at once would refuse each other's promotions. */
  async sweep(actor: Actor): Promise<void> {
    if (!this.heads.knowsKv) await this.catchUp();
    // Not behind the others, which may hang on KV: it keeps the fallback fresh.
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
    this.followUp.tellSealed();
    const left = operations - spent;
    const { removed, missing } = await this.#sweeper.sweep(this.#wanted(), this.values, left);
    if (removed > 0) warn('valuesRemoved', { removed });
    if (missing === 0) return;
    warn('valuesMissing', { missing });
    this.followUp.changed();
  }

  /**
   * Tells of a key whether a reader or a waiting release may want its value, as things are when it is
   * asked. Manifests are read again only where the releases have changed.
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
