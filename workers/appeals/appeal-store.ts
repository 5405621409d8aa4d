/**
 * The Durable Object that keeps appeals against blocks, one per installation. Appeals need no key, so
 * shared/limits/appeals.ts bounds whatever they cost here. Expected failures are values.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Actor } from '../../shared/admin/actor.ts';
import type {
  AcceptAppeal,
  AppealDetails,
  AppealInfo,
  AppealPage,
  AppealSummary,
} from '../../shared/admin/appeals.ts';
import type { AppealStatus, Rejection, SubmittedAppeal } from '../../shared/appeals/appeal.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import { APPEAL_OVERDUE_MS, APPEAL_SUMMARY_MS } from '../../shared/limits/appeals.ts';
import { openKeyRing } from '../../shared/set/key-ring.ts';
import type { AppealMonth } from '../../shared/statistics/figures.ts';
import { HOUR_MS } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { warn } from '../log.ts';
import { Anchoring } from '../storage/anchoring.ts';
import type {
  AppealFigures,
  AppealObject,
  BlockSource,
  LiftRequest,
  LiftResult,
} from '../storage/appeals-port.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { AppealEvidenceSource, AppealParty, EvidencePeriod } from '../storage/evidence-port.ts';
import { RESPONSE_NAME } from '../storage/response-port.ts';
import type { StoreRequest, StoreResult } from '../storage/store-request.ts';
import { TEXT_NAME } from '../storage/text-port.ts';
import { appealMonth } from './appeal-month.ts';
import { infoOf } from './appeal-rows.ts';
import { authorityOf, Decisions } from './decisions.ts';
import { appealEvidence } from './evidence.ts';
import { openReferenceKeys } from './reference-keys.ts';
import { createTables } from './schema.ts';
import { Submissions } from './submissions.ts';
import { Tables } from './tables.ts';

interface Parts {
  readonly submissions: Submissions;
  readonly decisions: Decisions;
}

export class AppealStore extends DurableObject<ControlEnv> implements AppealObject, AppealEvidenceSource {
  readonly #tables: Tables;
  readonly #anchoring: Anchoring;
  /** Null while LIST_KEY is not valid. */
  #parts: Parts | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#tables = new Tables(ctx.storage);
    const coordinator = () => env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as BlockSource;
    const desk = () => env.RESPONSE.getByName(RESPONSE_NAME);
    const text = () => env.TEXT.getByName(TEXT_NAME);
    const { audit, meta } = this.#tables;
    this.#anchoring = new Anchoring(
      ctx.storage.sql,
      audit,
      meta,
      (end) => coordinator().anchorAppeals(end),
      'appealsNotAnchored',
    );
    ctx.blockConcurrencyWhile(async () => {
      const ring = await openKeyRing(env.LIST_KEY ?? '');
      if (!ring.ok) return;
      const keys = await openReferenceKeys(ctx.storage, ring.value);
      this.#parts = {
        submissions: new Submissions(this.#tables, keys),
        decisions: new Decisions(this.#tables, ring.value.writer, { coordinator, desk, text }),
      };
    });
  }

  async submit(appeal: SubmittedAppeal, proof: string | null): Promise<StoreResult<{ token: string }>> {
    return this.#opened.submissions.submit(appeal, proof, Date.now());
  }

  async status(token: string): Promise<AppealStatus | null> {
    return this.#opened.submissions.status(token, Date.now());
  }

  /** @param isOpen null for all @param after ID of an appeal */
  async page(actor: Actor, isOpen: boolean | null, after: number, limit: number): Promise<AppealPage> {
    const now = Date.now();
    const filter = { isOpen, authority: authorityOf(actor) };
    const found = this.#tables.appeals.page(filter, after, limit);
    return {
      appeals: found.map((each) => infoOf(each, now)),
      next: found.length < limit ? null : found.at(-1)!.id,
    };
  }

  async details(actor: Actor, id: number): Promise<StoreResult<AppealDetails>> {
    return this.#opened.decisions.details(actor, id);
  }

  async claim(request: StoreRequest, id: number): Promise<StoreResult<AppealInfo>> {
    return this.#opened.decisions.claim(request, id);
  }

  async release(request: StoreRequest, id: number): Promise<StoreResult<AppealInfo>> {
    return this.#opened.decisions.release(request, id);
  }

  async accept(request: LiftRequest, id: number, options: AcceptAppeal): Promise<LiftResult<AppealInfo>> {
    return this.#opened.decisions.accept(request, id, options);
  }

  async reject(request: StoreRequest, id: number, code: Rejection): Promise<StoreResult<AppealInfo>> {
    return this.#opened.decisions.reject(request, id, code);
  }

  async summary(actor: Actor): Promise<AppealSummary> {
    return this.#tables.appeals.summary(Date.now() - APPEAL_SUMMARY_MS, authorityOf(actor));
  }

  async figures(): Promise<AppealFigures> {
    return this.#tables.appeals.figures;
  }

  async month(from: number, to: number): Promise<AppealMonth> {
    return appealMonth(this.ctx.storage.sql, from, to);
  }

  /** @param after number of a record */
  async audit(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this.#tables.audit.records(after, limit);
  }

  async appealEvidence(
    parties: readonly AppealParty[],
    period: EvidencePeriod,
  ): ReturnType<AppealEvidenceSource['appealEvidence']> {
    return appealEvidence(this.#tables, this.#anchoring, parties, period);
  }

  async sweep(): Promise<void> {
    const now = Date.now();
    if (now - this.#tables.meta.number('sweptAt') >= HOUR_MS) {
      this.#tables.forget(now);
      const { open, oldestAt } = this.#tables.appeals.summary(now, null);
      const isOverdue = oldestAt !== null && Date.parse(oldestAt) <= now - APPEAL_OVERDUE_MS;
      if (isOverdue) warn('appealsOverdue', { open, oldestAt });
    }
    await this.#anchoring.run();
  }

  get #opened(): Parts {
    if (this.#parts === null) throw new Error('LIST_KEY is not valid');
    return this.#parts;
  }
}
