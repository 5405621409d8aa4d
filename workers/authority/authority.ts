/**
 * The authority: the one object that decides the head. Each method is one question or one order over
 * RPC; an expected failure is a value. What readers need of a change is put into KV before the head
 * names it; the change itself is one transaction, and the copy of the head in KV follows.
 */
import { DurableObject } from 'cloudflare:workers';
import type {
  Actor,
  AuditTrimmed,
  EntriesDone,
  EntryChange,
  EntryInfo,
  EntryItem,
  EntryPage,
  ListsInfo,
  Promote,
  PromoteDone,
  ReleaseInfo,
  Rollback,
  RollbackDone,
  StatusInfo,
  Token,
} from '../../shared/admin.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import type { Client } from '../../shared/clients.ts';
import { DATA_CENTRES_MAX } from '../../shared/limits.ts';
import type { Policy, VersionedPolicy } from '../../shared/policy/policy.ts';
import type { GuardSettings } from '../../shared/release/guards.ts';
import type { Plan } from '../../shared/release/plan.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import { SUBJECTS } from '../../shared/verdict.ts';
import { type ControlEnv, openSecrets } from '../env.ts';
import type { Condition } from './clients-store.ts';
import { Core } from './core.ts';
import type { Asking, HeadAnswer, HeadSource } from './edge-port.ts';
import type { Order, Outcome } from './order.ts';
import { policyIn, putPolicy } from './policy-store.ts';
import { migrate } from './schema.ts';

export class Authority extends DurableObject<ControlEnv> implements HeadSource {
  #core: Core | null = null;
  #unconfigured = 'not started';
  /** By data centre: what it was last given, and when. Kept in memory: it is only for looking at. */
  readonly #asked = new Map<string, { seq: number; at: number }>();

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      await this.#start();
    });
  }

  /** Where it cannot decide anything, it says why. */
  async #start(): Promise<void> {
    if (this.#core !== null) return;
    const outdated = migrate(this.ctx.storage);
    if (outdated !== null) {
      this.#unconfigured = outdated;
      return;
    }
    const secrets = await openSecrets(this.env);
    if (!secrets.ok) {
      this.#unconfigured = secrets.message;
      return;
    }
    const core = new Core(this.ctx, this.env.LISTS, secrets.value);
    const caughtUp = await core.catchUp();
    if (caughtUp.ok) this.#core = core;
    else this.#unconfigured = caughtUp.message;
  }

  get #ready(): Core {
    // The routes answer NOT_CONFIGURED before they come here.
    if (this.#core === null) throw new Error(this.#unconfigured);
    return this.#core;
  }

  async head({ seq, dataCentre }: Asking): Promise<HeadAnswer> {
    const head = await this.#ready.heads.sealed();
    if (head === null) return { seq: 0, sealed: null };
    if (this.#asked.size < DATA_CENTRES_MAX || this.#asked.has(dataCentre)) {
      this.#asked.set(dataCentre, { seq: head.seq, at: Date.now() });
    }
    return { seq: head.seq, sealed: head.seq === seq ? null : head.sealed };
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#ready.value(key);
  }

  /** What a request of an admin begins with: is the service configured, and is there this token. */
  async token(id: string): Promise<{ readonly configured: string | null; readonly token: Token | null }> {
    // What was in the way may be gone.
    if (this.#core === null) await this.ctx.blockConcurrencyWhile(() => this.#start());
    if (this.#core === null) return { configured: this.#unconfigured, token: null };
    return { configured: null, token: this.#core.clients.token(id) };
  }

  async changeEntries(order: Order, change: EntryChange): Promise<Outcome<EntriesDone>> {
    return this.#ready.changeEntries(order, change);
  }

  async findEntries(item: EntryItem): Promise<Outcome<EntryInfo[]>> {
    const { live } = this.#ready;
    const targets = this.#ready.targetsOf({ op: 'find', items: [item], subjects: [...SUBJECTS] });
    if (!targets.ok) return targets;
    const now = Math.floor(Date.now() / 1000);
    return { ok: true, value: targets.value.flatMap((target) => live.find(target, now)) };
  }

  /** @param upTo last `seq` that is told; null for the present one */
  async entries(after: string, upTo: number | null, limit: number): Promise<EntryPage> {
    const { live, ledger } = this.#ready;
    return live.page(after, upTo ?? ledger.seq, limit);
  }

  async stage(order: Order, signed: SignedText): Promise<Outcome<ReleaseInfo>> {
    return this.#ready.changes.stage(order, signed);
  }

  async promote(order: Order, release: string, wish: Promote): Promise<Outcome<PromoteDone>> {
    return this.#ready.changes.promote(order, release, wish);
  }

  async rollback(order: Order, wish: Rollback): Promise<Outcome<RollbackDone>> {
    return this.#ready.changes.rollback(order, wish);
  }

  async plan(release: string): Promise<Outcome<Plan>> {
    return this.#ready.changes.plan(release);
  }

  async releases(limit: number): Promise<ReleaseInfo[]> {
    return this.#ready.changes.list(limit);
  }

  async manifest(release: string): Promise<SignedText | null> {
    return this.#ready.releases.get(release)?.signed ?? null;
  }

  async lists(): Promise<ListsInfo> {
    const { current } = this.#ready.releases;
    return { release: current?.release ?? null, lists: current?.manifest.lists ?? [] };
  }

  async clients(): Promise<Client[]> {
    return this.#ready.clients.clients;
  }

  async client(id: string): Promise<Client | null> {
    return this.#ready.clients.client(id);
  }

  /** @param client null to end it */
  async putClient(
    order: Order,
    id: string,
    client: Client | null,
    condition: Condition,
  ): Promise<Outcome<{ seq: number }>> {
    return this.#ready.putClient(order, id, client, condition);
  }

  async tokens(): Promise<Token[]> {
    return this.#ready.clients.tokens;
  }

  async putToken(
    order: Order,
    id: string,
    token: Token | null,
    condition: Condition,
  ): Promise<Outcome<{ id: string }>> {
    return this.#ready.putToken(order, id, token, condition);
  }

  async guards(): Promise<GuardSettings> {
    return this.#ready.guards;
  }

  async putGuards(order: Order, guards: GuardSettings): Promise<Outcome<GuardSettings>> {
    return this.#ready.putGuards(order, guards);
  }

  async policy(): Promise<VersionedPolicy> {
    return policyIn(this.#ready.ledger);
  }

  async putPolicy(
    order: Order,
    policy: Policy,
    condition: Condition,
  ): Promise<Outcome<VersionedPolicy & { seq: number }>> {
    const done = putPolicy(this.#ready.ledger, order, policy, condition);
    if (done.ok) this.#ready.followUp.changed();
    return done;
  }

  async audit(after: number, limit: number): Promise<AuditRecord[]> {
    return this.#ready.ledger.audit.records(after, limit);
  }

  /** @param hash of record `n`, the last one that is to go */
  async trimAudit(order: Order, n: number, hash: string): Promise<Outcome<AuditTrimmed>> {
    return this.#ready.trimAudit(order, n, hash);
  }

  async status(): Promise<StatusInfo> {
    const propagation = [...this.#asked]
      .map(([dataCentre, { seq, at }]) => ({ dataCentre, seq, askedAt: new Date(at).toISOString() }))
      .sort((a, b) => a.seq - b.seq || (a.dataCentre < b.dataCentre ? -1 : 1));
    return { ...this.#ready.status(), propagation };
  }

  /** What the cron asks for. @param actor for releases that were staged with wrangler alone */
  async sweep(actor: Actor): Promise<void> {
    await this.#ready.sweep(actor);
  }

  override async alarm(): Promise<void> {
    await this.#core?.followUp.alarm();
  }
}
