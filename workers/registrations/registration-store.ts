/**
 * The Durable Object that keeps the registrations of one organisation. Its name is the ID of the organisation. Bulk
 * uploads of one organisation slow down neither the others nor the coordinator. Expected failures are values.
 */
import { ok } from '../../shared/result.ts';
import type { AffectedRegistration, NumberChange } from '../../shared/senders/number-event.ts';
import type {
  Registration,
  RegistrationContent,
  RegistrationFacts,
  RegistrationReason,
} from '../../shared/senders/registration.ts';
import type { ImportDone, ImportLine, ImportOptions } from '../../shared/senders/registration-import.ts';
import { openKeyRing } from '../../shared/set/key-ring.ts';
import type { ControlEnv } from '../env.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { CertificateChange, CertifiedRegistrations } from '../storage/certified-port.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { RegistrationEvidenceSource } from '../storage/evidence-port.ts';
import { METRIC_TOTALS_NAME } from '../storage/metrics-port.ts';
import { type AnchorRecorder, REGISTRY_NAME, type RegistrationSource } from '../storage/registry-port.ts';
import { refuse, type StoreRequest, type StoreResult, systemRequest } from '../storage/store-request.ts';
import { refuseLines } from './bulk-upload.ts';
import type { Act } from './changes.ts';
import { PARTS, RegistrationReads } from './registration-reads.ts';
import type { StoredRegistration } from './registration-rows.ts';
import { createTables } from './schema.ts';
import { shown } from './shown.ts';
import { StoreParts } from './store-parts.ts';

/** For `If-Match`: the version that the caller has seen; null for any. */
export interface VersionCondition {
  readonly match: string | null;
}

export class RegistrationStore
  extends RegistrationReads
  implements RegistrationSource, CertifiedRegistrations, RegistrationEvidenceSource
{
  #parts: StoreParts | null = null;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      createTables(ctx.storage);
      this.#alarmAt = await ctx.storage.getAlarm();
      const ring = await openKeyRing(env.LIST_KEY ?? '');
      if (ring.ok) {
        const registry = () => this.env.REGISTRY.getByName(REGISTRY_NAME);
        const recorder = () => this.env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as AnchorRecorder;
        this.#parts = new StoreParts(
          ctx.storage,
          ring.value.writer,
          registry,
          (organisation, end) => recorder().anchorRegistrations(organisation, end),
          () => this.env.NOTICES,
          () => this.env.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME),
        );
        // Set the alarm again. The platform drops an alarm that fails too often, which happens while LIST_KEY is invalid.
        await this.#arm();
      }
    });
  }

  protected override get [PARTS](): StoreParts {
    // Admin routes call the coordinator first, which checks LIST_KEY.
    if (this.#parts === null) throw new Error('LIST_KEY is not valid');
    return this.#parts;
  }

  async create(
    request: StoreRequest,
    facts: RegistrationFacts,
    content: RegistrationContent,
    submit: boolean,
  ): Promise<StoreResult<Registration>> {
    return this.#change(request, facts, 1, (author) =>
      this[PARTS].changes.create(author, facts, content, submit),
    );
  }

  /** @returns what is wrong or missing; empty if the content could be submitted */
  async validate(
    facts: RegistrationFacts,
    content: RegistrationContent,
  ): Promise<readonly RegistrationReason[]> {
    const valid = this[PARTS].changes.validate(content, facts, null);
    return valid.ok ? valid.value.missing : (valid.extras?.reasons ?? []);
  }

  async edit(
    request: StoreRequest,
    facts: RegistrationFacts,
    id: number,
    patch: Partial<RegistrationContent>,
    condition: VersionCondition,
  ): Promise<StoreResult<Registration>> {
    return this.#changeOne(request, facts, id, condition, 1, (author, before) =>
      this[PARTS].changes.edit(author, facts, before, patch),
    );
  }

  async act(
    request: StoreRequest,
    facts: RegistrationFacts,
    id: number,
    act: Act,
    condition: VersionCondition,
  ): Promise<StoreResult<Registration>> {
    // Among the actions, only a submission makes work for others.
    const budget = act.action === 'submit' ? 1 : 0;
    return this.#changeOne(request, facts, id, condition, budget, (author, before) =>
      this[PARTS].changes.act(author, facts, before, act),
    );
  }

  /** One piece of a bulk upload: all lines or none, unless `skipInvalid`. */
  async import(
    request: StoreRequest,
    facts: RegistrationFacts,
    lines: readonly ImportLine[],
    { submit, skipInvalid, dryRun }: ImportOptions,
  ): Promise<StoreResult<ImportDone>> {
    const apply = (author: Author): StoreResult<ImportDone> => {
      const rows = this[PARTS].upload.apply(author, facts, lines, submit);
      const wrong = rows.filter(({ result }) => result === 'rejected');
      return wrong.length === 0 || skipInvalid || dryRun ? ok({ rows }) : refuseLines(wrong);
    };
    if (dryRun) return this[PARTS].rehearse(request, facts.organisation, lines.length, apply);
    const done = this[PARTS].transact(request, facts.organisation, lines.length, apply);
    if (done.ok) await this.#publish();
    return done;
  }

  /** Handles numbers that have changed hands. @returns the registrations in force that have one of the numbers */
  async numbersChanged(
    request: StoreRequest,
    organisation: string,
    change: NumberChange,
  ): Promise<StoreResult<readonly AffectedRegistration[]>> {
    // Most organisations have none of the numbers. Then nothing is written.
    if (!change.numbers.some((n) => this[PARTS].pairs.registrationsOf(n).length > 0)) return ok([]);
    const done = this[PARTS].transact(request, organisation, 0, (author) =>
      ok(this[PARTS].numberChanges.apply(author, organisation, change)),
    );
    if (done.ok) await this.#publish();
    return done;
  }

  async checkCertified(
    facts: RegistrationFacts,
    contents: readonly RegistrationContent[],
  ): Promise<readonly RegistrationReason[]> {
    const request = systemRequest('a rehearsal');
    const done = this[PARTS].rehearse(request, facts.organisation, contents.length, (author) =>
      this[PARTS].certified.register(author, facts, '', contents, false),
    );
    if (done.ok) return [];
    const help = 'close registrations that you do not use';
    return done.extras?.reasons ?? [{ field: 'clients', code: done.code, detail: done.message, help }];
  }

  async registerCertified(
    request: StoreRequest,
    facts: RegistrationFacts,
    certificate: string,
    contents: readonly RegistrationContent[],
    isApproved: boolean,
  ): Promise<StoreResult<readonly string[]>> {
    const done = this[PARTS].transact(request, facts.organisation, contents.length, (author) =>
      this[PARTS].certified.register(author, facts, certificate, contents, isApproved),
    );
    if (done.ok) await this.#publish();
    return done;
  }

  async certificatesChanged(
    request: StoreRequest,
    facts: RegistrationFacts,
    changes: readonly CertificateChange[],
  ): Promise<StoreResult<{ readonly changed: number }>> {
    const done = this[PARTS].transact(request, facts.organisation, 0, (author) =>
      ok({ changed: this[PARTS].certified.follow(author, facts, changes) }),
    );
    if (done.ok) await this.#publish();
    return done;
  }

  /** Suspends registrations whose numbers this release lists as terminated. @returns whether all were checked */
  async checkRelease(release: string): Promise<boolean> {
    return this[PARTS].releaseCheck.run(release, this.env, async (numbers) => {
      const at = Date.now();
      const change = { event: 'terminated', at, numbers, listed: numbers, operation: null } as const;
      await this.numbersChanged(
        systemRequest(`release ${release} lists the number as terminated`),
        this[PARTS].organisation,
        change,
      );
    });
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const { dueWork, publisher, notices, organisation, anchoring, reporter } = this[PARTS];
    dueWork.run(Date.now());
    await Promise.all([publisher.run(organisation), notices.run()]);
    await anchoring.run();
    reporter.changed();
    await reporter.run();
    await this.#arm();
  }

  async #changeOne(
    request: StoreRequest,
    facts: RegistrationFacts,
    id: number,
    { match }: VersionCondition,
    budget: number,
    change: (author: Author, before: StoredRegistration) => StoreResult<StoredRegistration>,
  ): Promise<StoreResult<Registration>> {
    return this.#change(request, facts, budget, (author) => {
      const before = this[PARTS].dueWork.current(id, author.at);
      if (before === null)
        return refuse('REGISTRATION_UNKNOWN', 'no registration of the organisation has this id');
      if (match !== null && match !== String(before.version)) {
        return refuse('PRECONDITION_FAILED', 'it has changed since you read it: read it again');
      }
      return change(author, before);
    });
  }

  async #change(
    request: StoreRequest,
    facts: RegistrationFacts,
    budget: number,
    change: (author: Author) => StoreResult<StoredRegistration>,
  ): Promise<StoreResult<Registration>> {
    const done = this[PARTS].transact(request, facts.organisation, budget, (author) => {
      const changed = change(author);
      return changed.ok ? ok(shown(changed.value, facts.organisation)) : changed;
    });
    if (done.ok) await this.#publish();
    return done;
  }

  /** Sends the outbox after the response. The alarm retries if that fails. */
  async #publish(): Promise<void> {
    const { publisher, notices, organisation, reporter } = this[PARTS];
    await this.#arm();
    this.ctx.waitUntil(
      Promise.all([publisher.run(organisation), notices.run()]).then(() => {
        reporter.changed();
        return this.#arm();
      }),
    );
  }

  /** Sets the alarm to the next time at which work is due. */
  async #arm(): Promise<void> {
    const next = this[PARTS].nextDueAt(Date.now());
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}
