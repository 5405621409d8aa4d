/**
 * The Durable Object that keeps the registrations of one organisation, and is named by its ID. Bulk uploads of one
 * organisation slow neither the others nor the coordinator. Expected failures are values.
 */
import { DurableObject } from 'cloudflare:workers';
import type { AuditRecord } from '../../shared/audit.ts';
import { INVALID_LINES_MAX } from '../../shared/limits/registrations.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import { ok } from '../../shared/result.ts';
import type { AffectedRegistration, NumberChange } from '../../shared/senders/number-event.ts';
import type {
  Registration,
  RegistrationContent,
  RegistrationEvent,
  RegistrationFacts,
  RegistrationPage,
  RegistrationReason,
} from '../../shared/senders/registration.ts';
import type {
  ImportDone,
  ImportedRow,
  ImportLine,
  ImportOptions,
} from '../../shared/senders/registration-import.ts';
import { openKeyRing } from '../../shared/set/key-ring.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import type { Author } from '../storage/audit-chain.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import {
  type AnchorRecorder,
  type PublishedPair,
  type QueueChange,
  REGISTRY_NAME,
  type RegistrationSource,
} from '../storage/registry-port.ts';
import { refuse, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import type { Act } from './changes.ts';
import { type RegistrationFilter, type StoredRegistration, shown } from './registration-rows.ts';
import { createTables } from './schema.ts';
import { StoreParts } from './store-parts.ts';
import { queueChangeOf } from './writer.ts';

/** For `If-Match`: the version that the caller has seen; null for any. */
export interface VersionCondition {
  readonly match: string | null;
}

export class RegistrationStore extends DurableObject<ControlEnv> implements RegistrationSource {
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
        this.#parts = new StoreParts(ctx.storage, ring.value.writer, registry);
        // The platform gives up on an alarm that fails too often, as it does while LIST_KEY is not valid.
        await this.#arm();
      }
    });
  }

  get #store(): StoreParts {
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
      this.#store.changes.create(author, facts, content, submit),
    );
  }

  /** @returns what is wrong or missing; empty if it could be submitted */
  async validate(
    facts: RegistrationFacts,
    content: RegistrationContent,
  ): Promise<readonly RegistrationReason[]> {
    const valid = this.#store.changes.validate(content, facts, null);
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
      this.#store.changes.edit(author, facts, before, patch),
    );
  }

  async act(
    request: StoreRequest,
    facts: RegistrationFacts,
    id: number,
    act: Act,
    condition: VersionCondition,
  ): Promise<StoreResult<Registration>> {
    // Of the actions, only a submission makes work for others.
    const budget = act.action === 'submit' ? 1 : 0;
    return this.#changeOne(request, facts, id, condition, budget, (author, before) =>
      this.#store.changes.act(author, facts, before, act),
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
      const rows = this.#store.upload.apply(author, facts, lines, submit);
      const wrong = rows.filter(({ result }) => result === 'rejected');
      return wrong.length === 0 || skipInvalid || dryRun ? ok({ rows }) : refuseLines(wrong);
    };
    if (dryRun) return this.#store.rehearse(request, facts.organisation, apply);
    const done = this.#store.transact(request, facts.organisation, lines.length, apply);
    if (done.ok) await this.#publish();
    return done;
  }

  /** Numbers have changed hands. @returns the registrations in force that have one of them */
  async numbersChanged(
    request: StoreRequest,
    organisation: string,
    change: NumberChange,
  ): Promise<StoreResult<readonly AffectedRegistration[]>> {
    // Most organisations have none of the numbers: then nothing is written.
    if (!change.numbers.some((n) => this.#store.pairs.registrationsOf(n).length > 0)) return ok([]);
    const done = this.#store.transact(request, organisation, 0, (author) =>
      ok(this.#store.numberChanges.apply(author, organisation, change)),
    );
    if (done.ok) await this.#publish();
    return done;
  }

  /** Suspends registrations whose numbers this release lists as terminated. @returns whether all were checked */
  async checkRelease(release: string): Promise<boolean> {
    return this.#store.releaseCheck.run(release, this.env, async (numbers) => {
      const at = Date.now();
      const change = { event: 'terminated', at, numbers, listed: numbers, operation: null } as const;
      await this.numbersChanged(listRequest(release), this.#store.organisation, change);
    });
  }

  async get(id: number): Promise<Registration | null> {
    const found = this.#store.rows.get(id);
    return found && this.#shown(found);
  }

  /** @param after ID of a registration */
  async page(filter: RegistrationFilter, after: number, limit: number): Promise<RegistrationPage> {
    const { found, isLast } = this.#store.rows.page(filter, after, limit);
    const registrations = found.map((each) => this.#shown(each));
    return { registrations, next: isLast ? null : String(found.at(-1)!.id) };
  }

  /** Those whose newest or approved version has one of the numbers. */
  async find(numbers: Span, limit: number): Promise<readonly Registration[]> {
    return this.#store.rows.overlapping(numbers, limit).map((each) => this.#shown(each));
  }

  /** @param after number of a record */
  async audit(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this.#store.audit.records(after, limit);
  }

  async history(id: number, after: number, limit: number): Promise<readonly AuditRecord[] | null> {
    return this.#store.rows.get(id) === null ? null : this.#store.audit.history(id, after, limit);
  }

  async events(after: number, limit: number): Promise<readonly RegistrationEvent[]> {
    return this.#store.events.page(after, limit);
  }

  /** Registrations that are not closed. */
  async openCount(): Promise<number> {
    return this.#store.rows.openCount;
  }

  async published(
    after: string | null,
    limit: number,
  ): Promise<{ readonly pairs: readonly PublishedPair[]; readonly next: string | null }> {
    return this.#store.pairs.page(this.#store.organisation, after, limit);
  }

  /** The part of the review queue that belongs to the organisation, by ID. For a repair of the registry. */
  async queued(after: number, limit: number): Promise<readonly QueueChange[]> {
    return this.#store.rows.queued(after, limit).map(queueChangeOf);
  }

  async usage() {
    return this.#store.pairs.usage;
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const { dueWork, publisher, organisation } = this.#store;
    dueWork.run(Date.now());
    await publisher.run(organisation);
    await this.#anchor();
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
      const before = this.#store.dueWork.current(id, author.at);
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
    const done = this.#store.transact(request, facts.organisation, budget, (author) => {
      const changed = change(author);
      return changed.ok ? ok(shown(changed.value, facts.organisation)) : changed;
    });
    if (done.ok) await this.#publish();
    return done;
  }

  /** Sends the outbox behind the answer. The alarm is there if that fails. */
  async #publish(): Promise<void> {
    const { publisher, organisation } = this.#store;
    await this.#arm();
    this.ctx.waitUntil(publisher.run(organisation).then(() => this.#arm()));
  }

  async #anchor(): Promise<void> {
    const { anchorDue, organisation } = this.#store;
    if (anchorDue === null || anchorDue > Date.now()) return;
    const coordinator = this.env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as AnchorRecorder;
    const { last } = this.#store.audit;
    try {
      await coordinator.anchorRegistrations(organisation, last);
      this.#store.anchored(last.n, Date.now());
    } catch (error) {
      warnFailed('registrationsNotAnchored', error);
      this.#store.anchored(null, Date.now());
    }
  }

  /** The alarm at the next time at which there is something to do. */
  async #arm(): Promise<void> {
    const next = this.#store.nextDueAt(Date.now());
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }

  #shown(registration: StoredRegistration): Registration {
    return shown(registration, this.#store.organisation);
  }
}

function refuseLines(wrong: readonly ImportedRow[]): StoreResult<never> {
  const many = `${wrong.length} invalid line${wrong.length === 1 ? '' : 's'}`;
  const message = `nothing was stored, because of ${many}: see "lines"; skipInvalid=true leaves them out`;
  return refuse('REGISTRATIONS_INVALID', message, { lines: wrong.slice(0, INVALID_LINES_MAX) });
}

/** The service itself, because of a list. */
function listRequest(release: string): StoreRequest {
  const actor = { name: 'numgate', scopes: [], root: false, organisation: null, authority: null };
  return { actor, reason: `release ${release} lists the number as terminated`, repeat: null };
}
