/** Builds the parts of a store of registrations in the order of their dependencies, and runs their common work. */
import { ALARM_AHEAD_MS_MAX, PUBLISH_RETRY_MS } from '../../shared/limits/registrations.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { Anchoring } from '../storage/anchoring.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { ChainAnchor } from '../storage/chain-anchor.ts';
import { FigureReporter } from '../storage/figure-reporter.ts';
import type { MetricTotalsObject } from '../storage/metrics-port.ts';
import { type NoticeObjects, NoticeOutbox } from '../storage/notice-outbox.ts';
import type { RegistryPort } from '../storage/registry-port.ts';
import type { StoreRequest, StoreResult } from '../storage/store-request.ts';
import { Transactions } from '../storage/transactions.ts';
import { RegistrationBudget } from './budget.ts';
import { BulkUpload } from './bulk-upload.ts';
import { CertificateStandings } from './certificate-standings.ts';
import { Certified } from './certified.ts';
import { RegistrationChanges } from './changes.ts';
import { DueWork } from './due-work.ts';
import { Events } from './events.ts';
import { Meta } from './meta.ts';
import { NumberChanges } from './number-changes.ts';
import { Outbox } from './outbox.ts';
import { PairsInForce } from './pairs-in-force.ts';
import { Publisher } from './publisher.ts';
import { RegistrationAudit } from './registration-audit.ts';
import { RegistrationRows } from './registration-rows.ts';
import { ReleaseCheck } from './release-check.ts';
import { RegistrationWriter } from './writer.ts';

export class StoreParts {
  readonly rows: RegistrationRows;
  readonly pairs: PairsInForce;
  readonly audit: RegistrationAudit;
  readonly events: Events;
  readonly changes: RegistrationChanges;
  readonly dueWork: DueWork;
  readonly upload: BulkUpload;
  readonly numberChanges: NumberChanges;
  readonly certified: Certified;
  readonly releaseCheck: ReleaseCheck;
  readonly publisher: Publisher;
  readonly anchoring: Anchoring;
  readonly reporter: FigureReporter;
  readonly notices: NoticeOutbox;
  readonly #meta: Meta;
  readonly #writer: RegistrationWriter;
  readonly #transactions: Transactions;

  /** @param anchor puts the end of the audit chain into the audit log @param receivers objects that receive notices */
  constructor(
    storage: DurableObjectStorage,
    keys: ListKeys,
    registry: () => RegistryPort,
    anchor: (organisation: string, end: ChainAnchor) => Promise<number>,
    receivers: NoticeObjects,
    totals: () => Pick<MetricTotalsObject, 'report'>,
  ) {
    const { sql } = storage;
    this.#meta = new Meta(sql);
    this.rows = new RegistrationRows(sql);
    this.pairs = new PairsInForce(sql);
    this.audit = new RegistrationAudit(sql, this.#meta, keys);
    this.anchoring = new Anchoring(
      sql,
      this.audit,
      this.#meta,
      (end) => anchor(this.organisation, end),
      'registrationsNotAnchored',
    );
    this.events = new Events(sql);
    const outbox = new Outbox(sql, this.#meta, this.pairs);
    this.publisher = new Publisher(storage, outbox, registry);
    this.reporter = new FigureReporter(() => {
      const { organisation: source } = this;
      const figures = { unsent: outbox.count };
      return source === '' ? null : { kind: 'registrations', source, figures, waitingSince: null };
    }, totals);
    this.#writer = new RegistrationWriter(this.rows, this.pairs, outbox, this.audit, this.events);
    const standings = new CertificateStandings(sql);
    this.changes = new RegistrationChanges(this.rows, this.pairs, this.#writer, standings);
    this.#transactions = new Transactions(storage, new RegistrationBudget(sql, this.#meta));
    this.notices = new NoticeOutbox(storage, () => 'registrations', receivers);
    this.dueWork = new DueWork(storage, this.#meta, this.rows, this.#writer, this.notices, [
      this.events,
      this.#transactions,
    ]);
    this.upload = new BulkUpload(this.rows, this.changes, this.dueWork);
    this.numberChanges = new NumberChanges(this.pairs, this.dueWork, this.changes, this.#writer);
    this.certified = new Certified(this.rows, this.changes, this.dueWork, standings);
    this.releaseCheck = new ReleaseCheck(this.#meta, this.pairs);
  }

  /** '' before the first registration. */
  get organisation(): string {
    return this.#meta.text('organisation') ?? '';
  }

  /**
   * Runs a change in one transaction.
   * @param budget maximum number of registrations that the change creates or edits: see `Transactions`
   */
  transact<Value>(
    request: StoreRequest,
    organisation: string,
    budget: number,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value> {
    return this.#transactions.run(request, budget, () => this.#apply(request, organisation, change));
  }

  /** Runs a change to see what it does, and rolls it back. @param budget number of registrations that the change checks */
  rehearse<Value>(
    request: StoreRequest,
    organisation: string,
    budget: number,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value> {
    return this.#transactions.rehearse(budget, () => this.#apply(request, organisation, change));
  }

  #apply<Value>(
    { actor, reason }: StoreRequest,
    organisation: string,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value> {
    if (this.#meta.text('organisation') === null) this.#meta.set('organisation', organisation);
    this.#writer.begin();
    const done = change({ actor: actor.name, reason, at: Date.now(), isRoot: actor.root });
    if (done.ok) this.#writer.end();
    return done;
  }

  /** When the alarm must come next, in ms since 1970; null for never. */
  nextDueAt(now: number): number | null {
    const { dueAt } = this.publisher;
    // The request that filled the outbox sends it. The alarm is needed only if that fails.
    const sending = dueAt === null ? null : Math.max(dueAt, now + PUBLISH_RETRY_MS);
    const others = [
      this.notices.alarmAt(now),
      this.anchoring.dueAt,
      this.rows.nextDueAt,
      this.reporter.dueAt,
    ];
    const times = [sending, ...others].filter((time) => time !== null);
    if (times.length === 0) return null;
    return Math.min(Math.max(Math.min(...times), now), now + ALARM_AHEAD_MS_MAX);
  }
}
