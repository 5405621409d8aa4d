/**
 * The Durable Object that turns decisions of rules into blocks, one per installation. It holds the key of reports, the
 * rule blocks with their stages, and the records of partners. The coordinator gets only the entries for the live layer.
 */
import { DurableObject } from 'cloudflare:workers';
import type {
  PartnerInfo,
  ResponseInfo,
  RuleBlockAction,
  RuleBlockInfo,
  RuleBlockPage,
} from '../../shared/admin/rule-blocks.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import { effectiveWeight } from '../../shared/reports/partner.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import { ReportKeys } from '../../shared/reports/report-keys.ts';
import { ruleRef } from '../../shared/reports/rule.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { openKeyRing } from '../../shared/set/key-ring.ts';
import type { RuleBlockMonth } from '../../shared/statistics/figures.ts';
import type { ControlEnv } from '../env.ts';
import type { EvidencePeriod, ResponseEvidence, RuleBlockEvidence } from '../storage/evidence-port.ts';
import type { PastBlock } from '../storage/rehearsal-port.ts';
import type { Partner } from '../storage/reports-port.ts';
import type { ResponseObject, RuleContext, RuleDecision } from '../storage/response-port.ts';
import { refuse, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { blockMonth } from './block-month.ts';
import type { BlockFilter, StoredBlock } from './block-rows.ts';
import { wayOutOf } from './block-ways-out.ts';
import { DeskParts } from './desk-parts.ts';
import { ruleBlockEvidence } from './evidence.ts';
import { ReportKey } from './report-key.ts';
import { createTables } from './schema.ts';
import { reportsOf } from './withdrawals.ts';

/** The key of reports, and the keys that are derived from it. */
interface Opened {
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly keys: ReportKeys;
}

/** The maximum number of blocks that a look-up of one subject returns. */
const FOUND_MAX = 100;

export class ResponseDesk extends DurableObject<ControlEnv> implements ResponseObject, ResponseEvidence {
  readonly #parts: DeskParts;
  readonly #key: ReportKey;
  #opened: Result<Opened, Failure> = fail('NOT_CONFIGURED', 'the desk has not started');
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#key = new ReportKey(ctx.storage.sql);
    this.#parts = new DeskParts(ctx.storage, env, async () => this.#open().keys);
    ctx.blockConcurrencyWhile(async () => {
      this.#opened = await this.#openKey();
      this.#alarmAt = await ctx.storage.getAlarm();
      // The platform gives up on an alarm that fails too often, so set it again.
      await this.#arm();
    });
  }

  async reportKey(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#open().secret;
  }

  async context(): Promise<RuleContext> {
    return this.#parts.rules.context();
  }

  /** Responds once the decisions are stored. They are applied after the response. */
  async decide(
    shard: string,
    n: number,
    decisions: readonly RuleDecision[],
  ): Promise<{ readonly last: number }> {
    const { inbox } = this.#parts;
    if (this.#parts.isFull) throw new Error('the desk is full');
    const { keys } = this.#open();
    const receivedAt = Date.now();
    const batch = await Promise.all(
      decisions.map(async ({ subject, ...decision }) => ({
        ...{ decision, receivedAt, seal: await keys.seal(subject) },
      })),
    );
    const last = inbox.take(shard, n, batch);
    await this.#behind(() => this.#parts.decide());
    return { last };
  }

  async refresh(): Promise<void> {
    await this.#parts.send();
    await this.#arm();
  }

  async appealWon(
    request: StoreRequest,
    subject: ReportSubject,
    receivedAt: number,
  ): Promise<StoreResult<{ readonly seq: number } | null>> {
    const { changes, rows, entries, campaigns } = this.#parts;
    const key = await this.#open().keys.subject(subject, false);
    const lifted = this.#parts.transact(request, (author) =>
      ok(changes.appealed(key, receivedAt, author)?.id ?? null),
    );
    if (!lifted.ok) return lifted;
    await (subject.kind === 'campaign' ? campaigns : entries).runNow();
    await this.#behind(() => this.#parts.send());
    const block = lifted.value === null ? null : rows.get(lifted.value);
    if (block === null) return ok(null);
    if (block.entryN > block.sentN)
      return refuse('UNAVAILABLE', 'the block is lifted as soon as the coordinator responds: try again');
    // A proposal that was never in force has nothing to lift.
    return ok(block.seq === null ? null : { seq: block.seq });
  }

  async month(from: number, to: number): Promise<RuleBlockMonth> {
    return blockMonth(this.ctx.storage.sql, from, to);
  }

  async pastBlocks(subjects: readonly string[], since: number): Promise<Readonly<Record<string, PastBlock>>> {
    const { rows } = this.#parts;
    const found = subjects.map((subject) => [subject, rows.past(subject, since)] as const);
    return Object.fromEntries(
      found.flatMap(([subject, blocks]) => {
        if (blocks.length === 0) return [];
        const rules = blocks.flatMap(({ grounds }) => grounds.map(({ rule }) => ruleRef(rule)));
        return [[subject, { rules, appealed: blocks.some(({ cause }) => cause === 'appeal') }]];
      }),
    );
  }

  /** @param after an ID, in the order of the filter; 0 for the first page */
  async ruleBlocks(filter: BlockFilter, after: number, limit: number): Promise<RuleBlockPage> {
    const page = this.#parts.rows.page(filter, after, limit);
    return {
      ruleBlocks: await this.#shownAll(page),
      next: page.length < limit ? null : String(page.at(-1)!.id),
    };
  }

  async ruleBlock(id: number): Promise<RuleBlockInfo | null> {
    const block = this.#parts.rows.get(id);
    return block && this.#shown(block);
  }

  async findRuleBlocks(
    subject: ReportSubject,
    mock: boolean,
  ): Promise<StoreResult<readonly RuleBlockInfo[]>> {
    if (!this.#opened.ok) return refuse('REPORT_KEY_LOST', this.#opened.message);
    const key = await this.#opened.value.keys.subject(subject, mock);
    return ok(await this.#shownAll(this.#parts.rows.ofSubject(key, FOUND_MAX)));
  }

  async ruleBlockEvidence(
    subjects: Parameters<ResponseEvidence['ruleBlockEvidence']>[0],
    period: EvidencePeriod,
  ): Promise<RuleBlockEvidence> {
    return ruleBlockEvidence(this.#parts, this.#open().keys, subjects, period);
  }

  /** Waits for the coordinator or the text store, because it may refuse a block that a person approved. */
  async act(request: StoreRequest, id: number, action: RuleBlockAction): Promise<StoreResult<RuleBlockInfo>> {
    const { changes, rows, entries, campaigns } = this.#parts;
    const done = this.#parts.transact(request, (author) => {
      const acted = changes.act(id, action, author, request.actor);
      return acted.ok ? ok(acted.value.id) : acted;
    });
    if (!done.ok) return done;
    const { campaign } = rows.get(done.value)!;
    await (campaign === null ? entries : campaigns).runNow();
    await this.#behind(() => this.#parts.send());
    const block = rows.get(done.value)!;
    if (action === 'approve' && block.cause !== null) {
      const who = block.campaign === null ? 'the coordinator' : 'the text store';
      const message = `${who} refused the block, so it is "${block.stage.state}": ${block.cause}; ${wayOutOf(block.cause, block.campaign !== null)}`;
      return refuse('RULE_BLOCK_REFUSED', message, { state: block.stage.state });
    }
    return ok(await this.#shown(block));
  }

  async partners(): Promise<readonly PartnerInfo[]> {
    const { partners } = await this.#parts.rules.read(0);
    return Promise.all([...partners.values()].map((partner) => this.#partnerInfo(partner)));
  }

  async partner(id: string): Promise<PartnerInfo | null> {
    const { partners } = await this.#parts.rules.read(0);
    const partner = partners.get(id);
    if (partner === undefined) return null;
    const intakes = await this.#parts.withdrawals.statusOf(partner);
    return {
      ...(await this.#partnerInfo(partner)),
      withdrawal: await this.#parts.withdrawals.info(id, intakes),
      reports: reportsOf(intakes),
    };
  }

  /** Withdraws all reports of a partner. @param since ms since 1970; 0 for all that are kept */
  async withdrawReports(request: StoreRequest, id: string, since: number): Promise<StoreResult<PartnerInfo>> {
    const { partners } = await this.#parts.rules.read(0);
    const partner = partners.get(id);
    if (partner === undefined) return refuse('PARTNER_UNKNOWN', 'no organisation with this id is a partner');
    const { withdrawals } = this.#parts;
    const done = this.#parts.transact(request, (author) => withdrawals.begin(author, partner, since));
    if (!done.ok) return done;
    await withdrawals.run();
    await this.#behind(() => this.#parts.send());
    return ok((await this.partner(id))!);
  }

  async status(): Promise<ResponseInfo> {
    const { rows, inbox, entries } = this.#parts;
    const { fullSince } = entries;
    return {
      ...{ proposed: rows.count('proposed'), provisional: rows.count('provisional') },
      ...{ confirmed: rows.count('confirmed'), shadow: rows.count('shadow') },
      ...{ decisions: inbox.count, unsent: rows.unsentCount },
      rulesFullSince: fullSince === null ? null : new Date(fullSince).toISOString(),
      keyIds: this.#opened.ok ? this.#key.keyIds : [],
    };
  }

  /** @param after number of a record */
  async audit(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this.#parts.audit.records(after, limit);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    await this.#parts.runDue();
    await this.#arm();
  }

  async #openKey(): Promise<Result<Opened, Failure>> {
    const ring = await openKeyRing(this.env.LIST_KEY ?? '');
    if (!ring.ok) return fail('NOT_CONFIGURED', `LIST_KEY ${ring.message}`);
    const secret = await this.#key.open(ring.value);
    return secret.ok ? ok({ secret: secret.value, keys: await ReportKeys.open(secret.value) }) : secret;
  }

  /** @throws if the key of reports cannot be opened: LIST_KEY changes only with a restart */
  #open(): Opened {
    if (!this.#opened.ok) throw new Error(`${this.#opened.code}: ${this.#opened.message}`);
    return this.#opened.value;
  }

  #shown(block: StoredBlock): Promise<RuleBlockInfo> {
    return this.#parts.views.shown(block, this.#opened.ok ? this.#opened.value.keys : null);
  }

  #shownAll(blocks: readonly StoredBlock[]): Promise<RuleBlockInfo[]> {
    return Promise.all(blocks.map((block) => this.#shown(block)));
  }

  async #partnerInfo({ id, kind, mock, weight }: Partner): Promise<PartnerInfo> {
    const { record, confirmed, appealed } = this.#parts.records.of(id);
    return {
      ...{ organisation: id, kind, mock, weight, record, effectiveWeight: effectiveWeight(weight, record) },
      ...{ confirmed, appealed, withdrawal: await this.#parts.withdrawals.info(id, null) },
    };
  }

  /** Works after the response. If that fails, the alarm tries again. */
  async #behind(work: () => Promise<void>): Promise<void> {
    await this.#arm();
    this.ctx.waitUntil(work().then(() => this.#arm()));
  }

  /** Sets the alarm to the next time at which work is due. */
  async #arm(): Promise<void> {
    const next = this.#parts.nextDueAt(Date.now());
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}
