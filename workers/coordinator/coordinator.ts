/**
 * The coordinator: the Durable Object that alone decides the head. Each method is one lookup or one change
 * over RPC, and expected failures are values. Values that readers need are written to KV before the head
 * names them. The change itself is one transaction; the copy of the head in KV follows.
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
import type { HeadAnswer, HeadRequest, HeadSource } from '../storage/coordinator-port.ts';
import type { ChangeRequest, ChangeResult } from './change-request.ts';
import type { Precondition } from './clients-store.ts';
import { Core } from './core.ts';
import { policyIn, putPolicy } from './policy-store.ts';
import { migrate } from './schema.ts';

export class Coordinator extends DurableObject<ControlEnv> implements HeadSource {
  #core: Core | null = null;
  #unconfigured = 'not started';
  /** The last `seq` sent to each data centre, and when. In memory only, because it is informational. */
  readonly #dataCentres = new Map<string, { seq: number; at: number }>();

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      await this.#start();
    });
  }

  /** If the coordinator cannot start, it keeps the reason. */
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
    // The routes return NOT_CONFIGURED before they call any other method.
    if (this.#core === null) throw new Error(this.#unconfigured);
    return this.#core;
  }

  async head({ seq, dataCentre }: HeadRequest): Promise<HeadAnswer> {
    const head = await this.#ready.heads.sealed();
    if (head === null) return { seq: 0, sealed: null };
    if (this.#dataCentres.size < DATA_CENTRES_MAX || this.#dataCentres.has(dataCentre)) {
      this.#dataCentres.set(dataCentre, { seq: head.seq, at: Date.now() });
    }
    return { seq: head.seq, sealed: head.seq === seq ? null : head.sealed };
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#ready.value(key);
  }

  /** The first call of every admin request: is the service configured, and does this token exist? */
  async token(id: string): Promise<{ readonly configured: string | null; readonly token: Token | null }> {
    // The problem may be fixed by now.
    if (this.#core === null) await this.ctx.blockConcurrencyWhile(() => this.#start());
    if (this.#core === null) return { configured: this.#unconfigured, token: null };
    return { configured: null, token: this.#core.clients.token(id) };
  }

  async changeEntries(request: ChangeRequest, change: EntryChange): Promise<ChangeResult<EntriesDone>> {
    return this.#ready.changeEntries(request, change);
  }

  async findEntries(item: EntryItem): Promise<ChangeResult<EntryInfo[]>> {
    const { live } = this.#ready;
    const targets = this.#ready.targetsOf({ op: 'find', items: [item], subjects: [...SUBJECTS] });
    if (!targets.ok) return targets;
    const now = Math.floor(Date.now() / 1000);
    return { ok: true, value: targets.value.flatMap((target) => live.find(target, now)) };
  }

  /** @param upTo last `seq` to return; null for the current one */
  async entries(after: string, upTo: number | null, limit: number): Promise<EntryPage> {
    const { live, ledger } = this.#ready;
    return live.page(after, upTo ?? ledger.seq, limit);
  }

  async stage(request: ChangeRequest, signed: SignedText): Promise<ChangeResult<ReleaseInfo>> {
    return this.#ready.changes.stage(request, signed);
  }

  async promote(
    request: ChangeRequest,
    release: string,
    options: Promote,
  ): Promise<ChangeResult<PromoteDone>> {
    return this.#ready.changes.promote(request, release, options);
  }

  async rollback(request: ChangeRequest, options: Rollback): Promise<ChangeResult<RollbackDone>> {
    return this.#ready.changes.rollback(request, options);
  }

  async plan(release: string): Promise<ChangeResult<Plan>> {
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

  /** @param client null to remove it */
  async putClient(
    request: ChangeRequest,
    id: string,
    client: Client | null,
    condition: Precondition,
  ): Promise<ChangeResult<{ seq: number }>> {
    return this.#ready.putClient(request, id, client, condition);
  }

  async tokens(): Promise<Token[]> {
    return this.#ready.clients.tokens;
  }

  async putToken(
    request: ChangeRequest,
    id: string,
    token: Token | null,
    condition: Precondition,
  ): Promise<ChangeResult<{ id: string }>> {
    return this.#ready.putToken(request, id, token, condition);
  }

  async guards(): Promise<GuardSettings> {
    return this.#ready.guards;
  }

  async putGuards(request: ChangeRequest, guards: GuardSettings): Promise<ChangeResult<GuardSettings>> {
    return this.#ready.putGuards(request, guards);
  }

  async policy(): Promise<VersionedPolicy> {
    return policyIn(this.#ready.ledger);
  }

  async putPolicy(
    request: ChangeRequest,
    policy: Policy,
    condition: Precondition,
  ): Promise<ChangeResult<VersionedPolicy & { seq: number }>> {
    const done = putPolicy(this.#ready.ledger, request, policy, condition);
    if (done.ok) this.#ready.followUp.changed();
    return done;
  }

  async audit(after: number, limit: number): Promise<AuditRecord[]> {
    return this.#ready.ledger.audit.records(after, limit);
  }

  /** @param hash of record `n`, the last one to remove */
  async trimAudit(request: ChangeRequest, n: number, hash: string): Promise<ChangeResult<AuditTrimmed>> {
    return this.#ready.trimAudit(request, n, hash);
  }

  async status(): Promise<StatusInfo> {
    const propagation = [...this.#dataCentres]
      .map(([dataCentre, { seq, at }]) => ({ dataCentre, seq, askedAt: new Date(at).toISOString() }))
      .sort((a, b) => a.seq - b.seq || (a.dataCentre < b.dataCentre ? -1 : 1));
    return { ...this.#ready.status(), propagation };
  }

  /**
   * Called by the cron.
   * @param actor author for releases staged with wrangler alone
   */
  async sweep(actor: Actor): Promise<void> {
    await this.#ready.sweep(actor);
  }

  override async alarm(): Promise<void> {
    await this.#core?.followUp.alarm();
  }
}
