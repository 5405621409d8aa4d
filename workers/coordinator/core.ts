/**
 * Builds the parts of the coordinator in the order of their dependencies, and runs the work that involves all of them.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { ListKeyInfo } from '../../shared/admin/list-key.ts';
import type { StatusInfo } from '../../shared/admin/status.ts';
import { utf8 } from '../../shared/bytes.ts';
import { EXPIRY_WARNING_MS, UNDO_KEPT_MS } from '../../shared/limits/control.ts';
import { KV_OPERATIONS_MAX } from '../../shared/limits/lists.ts';
import type { HeadCredentials, HeadRegistrations, HeadText } from '../../shared/release/head.ts';
import {
  CREDENTIALS_PREFIX,
  REGISTRATIONS_PREFIX,
  RELEASE_PREFIX,
  TEXT_PREFIX,
} from '../../shared/release/kv-keys.ts';
import type { Failure } from '../../shared/result.ts';
import type { NoteSigner } from '../../shared/signed-note.ts';
import type { Secrets } from '../env.ts';
import { warn } from '../log.ts';
import type { CredentialObject } from '../storage/credentials-port.ts';
import { FeedPokes } from '../storage/feed-pokes.ts';
import type { FeedObject } from '../storage/feed-port.ts';
import type { RegistryObject } from '../storage/registry-port.ts';
import { SharedWork } from '../storage/shared-work.ts';
import type { TextObject } from '../storage/text-port.ts';
import { AuditExports } from './audit-exports.ts';
import { BackgroundWork } from './background-work.ts';
import { Checkpoints } from './checkpoints.ts';
import { ClientChanges } from './client-changes.ts';
import { EntryChanges } from './entry-changes.ts';
import { EntryGuards } from './entry-guards.ts';
import { EntryOwners } from './entry-owners.ts';
import { EntryUndo } from './entry-undo.ts';
import { EnumerationChanges } from './enumeration-changes.ts';
import { ForeignLists } from './foreign-lists.ts';
import { HeadPartCalls } from './head-part-calls.ts';
import { HeadWriter } from './head-writer.ts';
import { KeyRotation } from './key-rotation.ts';
import type { Meta } from './meta.ts';
import type { PeopleEnv } from './people.ts';
import { ProposalChanges } from './proposal-changes.ts';
import { QualificationChanges } from './qualification-changes.ts';
import { RegistrationFactsSource } from './registration-facts.ts';
import { ReleaseChanges } from './release-changes.ts';
import { catchUp } from './restore.ts';
import { RuleEntries } from './rule-entries.ts';
import { Signers } from './signers.ts';
import { promoteStaged } from './staged.ts';
import { StandingBlocks } from './standing-blocks.ts';
import { Tables } from './tables.ts';
import { ValueCollector } from './value-collector.ts';
import { ValueStore } from './value-store.ts';

/** Interval between removals of unnamed values, in ms. */
const SWEEP_MS = 3_600_000;
/** KV operations of a sweep reserved for sealing segments and for the copy of the head. */
const SEALING_OPERATIONS = 150;
/** KV operations of the rest reserved for listing and removing values. */
const REMOVAL_OPERATIONS = 50;

/** The objects that give parts of the head, and the feed, which follows the head. */
export interface OtherObjects {
  readonly registry: () => RegistryObject;
  readonly credentials: () => CredentialObject;
  readonly text: () => TextObject;
  /** Null if there is no feed. */
  readonly feed: (() => FeedObject) | null;
}

export class Core {
  readonly tables: Tables;
  readonly heads: HeadWriter;
  readonly background: BackgroundWork;
  readonly entryChanges: EntryChanges;
  readonly ruleEntries: RuleEntries;
  readonly entryUndo: EntryUndo;
  readonly standingBlocks: StandingBlocks;
  readonly clientChanges: ClientChanges;
  readonly qualificationChanges: QualificationChanges;
  readonly enumerationChanges: EnumerationChanges;
  readonly releaseChanges: ReleaseChanges;
  readonly keyRotation: KeyRotation;
  readonly checkpoints: Checkpoints;
  readonly exports: AuditExports;
  readonly proposalChanges: ProposalChanges;
  readonly signers: Signers;
  readonly registrationFacts: RegistrationFactsSource;
  readonly registry: HeadPartCalls<HeadRegistrations>;
  readonly credentials: HeadPartCalls<HeadCredentials>;
  readonly text: HeadPartCalls<HeadText>;
  readonly #values: ValueStore;
  readonly #collector: ValueCollector;
  readonly #kv: KVNamespace;
  readonly #secrets: Secrets;
  /** Whether the environment turns approvals off, so that no change waits for a second person. */
  readonly #isOff: boolean;
  readonly #sweeps = new SharedWork<void>();

  constructor(
    ctx: DurableObjectState,
    kv: KVNamespace,
    secrets: Secrets,
    signer: NoteSigner | null,
    people: PeopleEnv,
    objects: OtherObjects,
  ) {
    const { storage } = ctx;
    const tables = new Tables(storage, secrets.keys, people);
    const { registry, credentials, text, feed } = objects;
    tables.feed.isOn = feed !== null;
    const values = new ValueStore(storage, tables, kv, [
      { prefix: REGISTRATIONS_PREFIX, part: tables.registeredSenders, source: registry },
      { prefix: CREDENTIALS_PREFIX, part: tables.credentials, source: credentials },
      { prefix: TEXT_PREFIX, part: tables.text, source: text },
    ]);
    const heads = new HeadWriter(tables, values, kv);
    const pokes = new FeedPokes(ctx, feed);
    const background = new BackgroundWork(ctx, tables, values, heads, pokes);
    const collector = new ValueCollector(storage.sql, tables.releases, values, kv);
    this.tables = tables;
    this.heads = heads;
    this.background = background;
    const lists = new ForeignLists(tables.keys, kv);
    const owners = new EntryOwners(tables, lists);
    const guards = new EntryGuards(storage.sql);
    this.entryChanges = new EntryChanges(tables, background, owners, guards);
    this.ruleEntries = new RuleEntries(tables, background, owners, guards);
    this.standingBlocks = new StandingBlocks(tables, lists);
    this.entryUndo = new EntryUndo(tables, background);
    const signing = secrets.publicKeys.map(({ owner }) => owner);
    this.signers = new Signers(tables, secrets.publicKeys);
    this.clientChanges = new ClientChanges(tables, values, background, signing);
    this.keyRotation = new KeyRotation(storage.sql, tables, values, background, this.clientChanges);
    this.qualificationChanges = new QualificationChanges(tables, this.clientChanges);
    this.enumerationChanges = new EnumerationChanges(tables, this.clientChanges);
    this.releaseChanges = new ReleaseChanges(tables, collector, background, kv, secrets, this.signers);
    this.checkpoints = new Checkpoints(storage.sql, tables.meta, tables.ledger.tree, signer, kv);
    this.exports = new AuditExports(storage.sql, tables.ledger, this.checkpoints);
    this.proposalChanges = new ProposalChanges(tables, {
      ...{ entries: this.entryChanges, undo: this.entryUndo, clients: this.clientChanges },
      ...{ releases: this.releaseChanges, signers: this.signers, background },
      qualifications: this.qualificationChanges,
    });
    this.registrationFacts = new RegistrationFactsSource(tables);
    const parts = { values, background };
    this.registry = new HeadPartCalls(ctx, tables, parts, tables.registeredSenders, registry, {
      ...{ reason: 'registered senders changed', failedEvent: 'registryFailed' },
    });
    this.credentials = new HeadPartCalls(ctx, tables, parts, tables.credentials, credentials, {
      ...{ reason: 'sender credentials changed', failedEvent: 'credentialsFailed' },
    });
    this.text = new HeadPartCalls(ctx, tables, parts, tables.text, text, {
      ...{ reason: 'text releases or campaigns changed', failedEvent: 'textFailed' },
    });
    this.#isOff = people.APPROVALS === 'off';
    this.#values = values;
    this.#collector = collector;
    this.#kv = kv;
    this.#secrets = secrets;
  }

  /** Must be called before anything else, and again until KV has been read: see restore.ts. */
  async catchUp(): Promise<Awaited<ReturnType<typeof catchUp>> | Failure> {
    const { keys, releases } = this.tables;
    const started = keys.start(releases.current?.manifest.keyId ?? null);
    if (!started.ok) return started;
    const caughtUp = await catchUp(this.tables, this.#values, this.#secrets, this.#kv);
    if (!caughtUp.ok) return caughtUp;
    this.heads.knowsKv = caughtUp.value !== 'unread';
    if (caughtUp.value === 'restored') this.background.changed();
    if (this.#isOff) this.tables.settings.resetApprovals();
    this.signers.record();
    return caughtUp;
  }

  /** A manifest, segment or client directory. */
  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!key.startsWith(RELEASE_PREFIX)) return this.#values.bytes(key);
    const stored = this.tables.releases.get(key.slice(RELEASE_PREFIX.length));
    return stored === null ? null : utf8(JSON.stringify(stored.signed));
  }

  status(): Omit<StatusInfo, 'propagation'> {
    const { meta, keys, ledger, live, segments, releases, clients, unsealedEntries, proposals } = this.tables;
    const { current, candidate } = releases;
    const { audit, seq, storageBudget } = ledger;
    return {
      seq,
      changedAt: meta.text('changedAt'),
      current: current === null ? null : releases.info(current),
      candidate: candidate === null ? null : { ...releases.info(candidate), share: candidate.share ?? 0 },
      live: {
        ...{ entries: live.rows, segments: segments.named.length, tail: unsealedEntries },
        rules: live.ofRules.entries,
      },
      clients: clients.count,
      listKeys: {
        ...{ ids: keys.ring.ids, current: keys.current.keyId, rotated: rotatedOf(meta) },
        registrations: this.tables.registeredSenders.keyIds,
        credentials: this.tables.credentials.keyIds,
        text: this.tables.text.keyIds,
      },
      expiring: this.tables.expiringKeys(Date.now()),
      dueQualifications: this.tables.dueQualifications(Date.now()),
      proposals: proposals.openCounts,
      droppedSeq: meta.number('droppedSeq'),
      kvSeq: this.heads.kvSeq,
      audit: {
        ...audit.last,
        trimmedTo: audit.trimmed.n,
        trimmedHash: audit.trimmed.hash,
        ...this.#evidence,
      },
      ...storageBudget.info,
    };
  }

  get #evidence(): Pick<StatusInfo['audit'], 'checkpoint' | 'checkpointKey' | 'exports'> {
    const { newest, verifierKey } = this.checkpoints;
    const checkpoint = newest === null ? null : { size: newest.size, at: newest.at };
    return { checkpoint, checkpointKey: verifierKey, exports: this.exports.info };
  }

  /** Gets the parts of the head that other objects give: after a rotation of LIST_KEY, and as a repair. */
  refreshParts(): void {
    this.registry.refresh();
    this.credentials.refresh();
    this.text.refresh();
  }

  /** Called by the cron. Sweeps do not overlap, because they would refuse each other's promotions. */
  async sweep(actor: Actor): Promise<void> {
    if (!this.heads.knowsKv) await this.catchUp();
    // This keeps the copy of the head in KV fresh. Run it first, because the sweep can hang on KV.
    await this.background.run();
    await this.proposalChanges.settleDue();
    this.refreshParts();
    await this.#sweeps.run('sweep', () => this.#sweep(actor));
  }

  /** Warns once a day of keys that end soon or ended recently, and of inspections that are due. */
  #warnOfExpiring(now: number): void {
    const { meta } = this.tables;
    if (now - meta.number('expiryWarnedAt') < EXPIRY_WARNING_MS) return;
    meta.set('expiryWarnedAt', now);
    for (const { kind, id, expires } of this.tables.expiringKeys(now))
      warn('keyExpires', { kind, id, expires });
    for (const { organisation, due, at } of this.tables.dueQualifications(now))
      warn('qualificationDue', { organisation, due, at });
  }

  async #sweep(actor: Actor): Promise<void> {
    const { meta, ledger, live } = this.tables;
    const operations = KV_OPERATIONS_MAX - SEALING_OPERATIONS;
    const operationsMax = operations - REMOVAL_OPERATIONS;
    const spent = await promoteStaged(this.tables, this.releaseChanges, actor, this.#kv, operationsMax);
    ledger.forget(Date.now());
    live.undo.forget(Date.now() - UNDO_KEPT_MS);
    this.#warnOfExpiring(Date.now());
    await this.checkpoints.run(Date.now());
    if (Date.now() - meta.number('sweptAt') < SWEEP_MS) return;
    meta.set('sweptAt', Date.now());
    const { storageBytes = 0, storageLevel: level = 'normal' } = ledger.storageBudget.info;
    if (level !== 'normal') warn('storageHigh', { bytes: storageBytes, level });
    await this.background.seal(true);
    this.background.publishSealed();
    const { removed, missing } = await this.#collector.sweep(operations - spent);
    if (removed > 0) warn('valuesRemoved', { removed });
    if (missing === 0) return;
    warn('valuesMissing', { missing });
    this.background.changed();
  }
}

/** The last rotation of LIST_KEY, or null. */
function rotatedOf(meta: Meta): ListKeyInfo['rotated'] {
  const rotated = meta.json<{ from: string; to: string; at: number }>('listKeyRotated');
  return rotated === null ? null : { ...rotated, at: new Date(rotated.at).toISOString() };
}
