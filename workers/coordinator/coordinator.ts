/**
 * The coordinator: the Durable Object that alone decides the head. Each method is one lookup or one change
 * over RPC, and expected failures are values. Values that readers need are written to KV before the head
 * names them. The change itself is one transaction; the copy of the head in KV follows.
 */
import { DurableObject } from 'cloudflare:workers';
import type {
  Actor,
  EntryChange,
  EntryItem,
  Promote,
  Rollback,
  RotateKey,
  Stage,
  StatusInfo,
  UndoOptions,
} from '../../shared/admin.ts';

import type { Client } from '../../shared/clients.ts';
import type { Detection } from '../../shared/enumeration/detect.ts';
import type { Sink } from '../../shared/evidence.ts';
import { DATA_CENTRES_MAX } from '../../shared/limits/control.ts';
import { DETECTIONS_SHOWN_MAX } from '../../shared/limits/enumeration.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import type { Approvals } from '../../shared/proposals.ts';
import type { GuardSettings } from '../../shared/release/guard-settings.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { openSigner } from '../../shared/signed-note.ts';
import type { Token } from '../../shared/tokens.ts';
import { type ControlEnv, openSecrets } from '../env.ts';
import { warn } from '../log.ts';
import type { HeadRequest, HeadSource } from '../storage/coordinator-port.ts';
import type { DetectionRecorder } from '../storage/usage-port.ts';
import type { ExportPiece } from './audit-exports.ts';
import type { ChangeRequest } from './change-request.ts';
import type { Precondition } from './command.ts';
import { Core } from './core.ts';
import { createTables } from './schema.ts';
import { stagedRefusals } from './staged.ts';
import type { HolderState } from './token-holders.ts';

/** A token and the organisation that it belongs to. */
export interface TokenHolder {
  readonly token: Token;
  readonly organisation: Organisation | null;
  readonly holder: HolderState;
}

export class Coordinator extends DurableObject<ControlEnv> implements HeadSource, DetectionRecorder {
  #core: Result<Core, Failure> = fail('NOT_CONFIGURED', 'the coordinator has not started');
  /** The last `seq` sent to each data centre, and when. In memory only, because it is informational. */
  readonly #dataCentres = new Map<string, { seq: number; at: number; keyIds: readonly string[] | null }>();

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      this.#core = await this.#start();
    });
  }

  async #start(): Promise<Result<Core, Failure>> {
    const created = createTables(this.ctx.storage);
    if (!created.ok) return created;
    const secrets = await openSecrets(this.env);
    if (!secrets.ok) return secrets;
    const signer = await openSigner(this.env.CHECKPOINT_KEY ?? '');
    if (signer === null && this.env.CHECKPOINT_KEY) warn('checkpointKeyInvalid');
    const core = new Core(this.ctx, this.env.LISTS, secrets.value, signer, this.env);
    const caughtUp = await core.catchUp();
    return caughtUp.ok ? ok(core) : caughtUp;
  }

  get #ready(): Core {
    // Admin routes call `token` first and return its failure. The edge uses KV if `head` or `value` throws.
    if (!this.#core.ok) throw new Error(this.#core.message);
    return this.#core.value;
  }

  async head({ seq, dataCentre, keyIds }: HeadRequest): ReturnType<HeadSource['head']> {
    const head = await this.#ready.heads.sealed();
    if (head === null) return { seq: 0, sealed: null };
    if (this.#dataCentres.size < DATA_CENTRES_MAX || this.#dataCentres.has(dataCentre)) {
      this.#dataCentres.set(dataCentre, { seq: head.seq, at: Date.now(), keyIds: keyIds ?? null });
    }
    return { seq: head.seq, sealed: head.seq === seq ? null : head.sealed };
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#ready.value(key);
  }

  /** The first call of every admin request: is the service configured, and does this token exist? */
  async token(id: string): Promise<Result<TokenHolder | null, Failure>> {
    // The problem may be fixed by now.
    if (!this.#core.ok) {
      await this.ctx.blockConcurrencyWhile(async () => {
        if (!this.#core.ok) this.#core = await this.#start();
      });
    }
    if (!this.#core.ok) return this.#core;
    const { tokens, organisations, tokenHolders } = this.#core.value.tables;
    const token = tokens.get(id);
    if (token === null) return ok(null);
    const organisation = organisations.get(token.organisation);
    return ok({ token, organisation, holder: tokenHolders.get(id) });
  }

  /** Called by control at most once an hour and token; not part of the audit log. */
  async tokenUsed(id: string, generation: number): Promise<void> {
    this.#ready.tables.tokenHolders.use(id, generation, Date.now());
  }

  /** SHA-256 of the secrets of all tokens, by ID. */
  async tokenDigests(): Promise<Map<string, readonly string[]>> {
    return new Map(this.#ready.tables.tokens.all.map(({ id, secretSha256 }) => [id, secretSha256]));
  }

  async changeEntries(request: ChangeRequest, change: EntryChange) {
    return this.#ready.entryChanges.change(request, change);
  }

  async undoOperation(request: ChangeRequest, operation: number, options: UndoOptions) {
    return this.#ready.entryUndo.undo(request, operation, options);
  }

  async findEntries(item: EntryItem) {
    return this.#ready.entryChanges.find(item);
  }

  /** @param upTo last `seq` to return; null for the current one */
  async entries(after: string, upTo: number | null, limit: number) {
    const { live, ledger } = this.#ready.tables;
    return live.page(after, upTo ?? ledger.seq, limit);
  }

  async stage(request: ChangeRequest, staged: Stage) {
    return this.#ready.releaseChanges.stage(request, staged);
  }

  async promote(request: ChangeRequest, release: string, options: Promote) {
    return this.#ready.releaseChanges.promote(request, release, options);
  }

  async rollback(request: ChangeRequest, options: Rollback) {
    return this.#ready.releaseChanges.rollback(request, options);
  }

  async plan(release: string) {
    return this.#ready.releaseChanges.plan(release);
  }

  async releases(limit: number) {
    return this.#ready.tables.releases.list(limit);
  }

  async stagedRefusals() {
    return stagedRefusals(this.#ready.tables.meta);
  }

  async manifest(release: string) {
    return this.#ready.tables.releases.get(release)?.signed ?? null;
  }

  async lists() {
    const { current } = this.#ready.tables.releases;
    return { release: current?.release ?? null, lists: current?.manifest.lists ?? [] };
  }

  async organisations() {
    return this.#ready.tables.organisations.all;
  }

  async organisation(id: string) {
    return this.#ready.tables.organisations.get(id);
  }

  /** @param organisation null to remove it */
  async putOrganisation(
    request: ChangeRequest,
    id: string,
    organisation: Organisation | null,
    condition: Precondition,
  ) {
    return this.#ready.clientChanges.putOrganisation(request, id, organisation, condition);
  }

  async clients() {
    return this.#ready.tables.clients.all;
  }

  async client(id: string) {
    return this.#ready.tables.clients.get(id);
  }

  /** @param client null to remove it */
  async putClient(request: ChangeRequest, id: string, client: Client | null, condition: Precondition) {
    return this.#ready.clientChanges.putClient(request, id, client, condition);
  }

  async declaredNumbers(organisation: string) {
    // Organisations that were stored before have none.
    return this.#ready.tables.organisations.get(organisation)?.declaredNumbers ?? null;
  }

  /** @param day days since 1970 */
  async enumerationDetected(organisation: string, day: number, found: readonly Detection[]) {
    return this.#ready.enumerationChanges.record(organisation, day, found);
  }

  async detections() {
    return this.#ready.tables.detections.newest(DETECTIONS_SHOWN_MAX);
  }

  async tokens() {
    return this.#ready.clientChanges.listedTokens;
  }

  /** @param token null to remove it @param authority in the request; undefined for none */
  async putToken(
    request: ChangeRequest,
    id: string,
    token: Token | null,
    condition: Precondition,
    authority?: string | null,
  ) {
    return this.#ready.clientChanges.putToken(request, id, token, condition, authority);
  }

  async guards() {
    return this.#ready.tables.settings.guards;
  }

  async putGuards(request: ChangeRequest, guards: GuardSettings) {
    return this.#ready.tables.settings.putGuards(request, guards);
  }

  async policy() {
    return this.#ready.tables.settings.policy;
  }

  async putPolicy(request: ChangeRequest, policy: Policy, condition: Precondition) {
    const { tables, background } = this.#ready;
    const done = tables.settings.putPolicy(request, policy, condition);
    if (done.ok) background.changed();
    return done;
  }

  async canaries() {
    return this.#ready.tables.settings.canaries;
  }

  async putCanaries(request: ChangeRequest, canaries: readonly number[]) {
    const { tables, background } = this.#ready;
    const done = tables.settings.putCanaries(request, canaries);
    if (done.ok) background.changed();
    return done;
  }

  async approvals() {
    return this.#ready.tables.proposals.rules;
  }

  async putApprovals(request: ChangeRequest, approvals: Approvals) {
    const { tables, signers } = this.#ready;
    return tables.settings.putApprovals(request, approvals, signers.current);
  }

  /** Newest first, those that wait at the top. */
  async proposals(limit: number) {
    await this.#ready.proposalChanges.settleDue();
    return this.#ready.tables.proposals.list(limit);
  }

  async proposal(id: number) {
    await this.#ready.proposalChanges.settleDue();
    return this.#ready.tables.proposals.get(id)?.info ?? null;
  }

  async approve(request: ChangeRequest, id: number, sha256: string) {
    return this.#ready.proposalChanges.approve(request, id, sha256);
  }

  async reject(request: ChangeRequest, id: number) {
    return this.#ready.proposalChanges.reject(request, id);
  }

  async withdraw(request: ChangeRequest, id: number) {
    return this.#ready.proposalChanges.withdraw(request, id);
  }

  async audit(after: number, limit: number) {
    return this.#ready.tables.ledger.audit.records(after, limit);
  }

  /** Called by the cron with the sinks that are set. The log is trimmed only up to what all of them have. */
  async setExportSinks(sinks: readonly Sink[]) {
    this.#ready.exports.configure(sinks);
  }

  async nextExport(sink: Sink) {
    return this.#ready.exports.next(sink, Date.now());
  }

  /** @param error null if the sink has the piece now */
  async endExport(sink: Sink, piece: ExportPiece, error: string | null) {
    this.#ready.exports.end(sink, piece, error, Date.now());
  }

  /** @param after size of a checkpoint */
  async checkpoints(after: number, limit: number) {
    return this.#ready.checkpoints.page(after, limit);
  }

  /** @param n of a record @param size of the tree; the current one by default */
  async inclusion(n: number, size?: number) {
    return this.#ready.checkpoints.inclusion(n, size);
  }

  /** @param from size of a tree @param to size of a larger one; the current one by default */
  async consistency(from: number, to?: number) {
    return this.#ready.checkpoints.consistency(from, to);
  }

  /** @param hash of record `n`, the last one to remove */
  async trimAudit(request: ChangeRequest, n: number, hash: string) {
    const allowed = this.#ready.exports.checkTrim(n);
    return allowed.ok ? this.#ready.tables.ledger.trimAudit(request, n, hash) : allowed;
  }

  async rotateListKey(request: ChangeRequest, options: RotateKey) {
    const readers = [...this.#dataCentres].map(([dataCentre, { at, keyIds }]) => ({
      dataCentre,
      at,
      keyIds,
    }));
    return this.#ready.keyRotation.rotate(request, options, readers);
  }

  async status(): Promise<StatusInfo> {
    const propagation = [...this.#dataCentres]
      .map(([dataCentre, { seq, at, keyIds }]) => ({
        ...{ dataCentre, seq, askedAt: new Date(at).toISOString() },
        ...(keyIds === null ? {} : { keyIds }),
      }))
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
    if (this.#core.ok) await this.#core.value.background.alarm();
  }
}
