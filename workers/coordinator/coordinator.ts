/**
 * The coordinator: the Durable Object that alone decides the head. Each method is one lookup or one change
 * over RPC, and expected failures are values. Values that readers need are written to KV before the head
 * names them. The change itself is one transaction; the copy of the head in KV follows.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { RotateKey } from '../../shared/admin/list-key.ts';
import type { StatusInfo } from '../../shared/admin/status.ts';

import { DATA_CENTRES_MAX } from '../../shared/limits/control.ts';
import type { Organisation } from '../../shared/organisations.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { openSigner } from '../../shared/signed-note.ts';
import type { Token } from '../../shared/tokens.ts';
import { type ControlEnv, openSecrets } from '../env.ts';
import { warn } from '../log.ts';
import type { ChainAnchor } from '../storage/chain-anchor.ts';
import type { HeadRequest, HeadSource } from '../storage/coordinator-port.ts';
import {
  CREDENTIALS_NAME,
  type CredentialKeeper,
  type CredentialsUpdate,
} from '../storage/credentials-port.ts';
import { FEED_NAME, type LiveCursor, type LiveSource } from '../storage/feed-port.ts';
import {
  type AnchorRecorder,
  REGISTRY_NAME,
  type RegistryAnswer,
  type RegistryKeeper,
  type RegistryUpdate,
} from '../storage/registry-port.ts';
import type { RuleEntriesPort, RuleEntryChange } from '../storage/rule-entries-port.ts';
import { TEXT_NAME, type TextKeeper, type TextUpdate } from '../storage/text-port.ts';
import type { DetectionRecorder } from '../storage/usage-port.ts';
import { CORE } from './admin-calls.ts';
import type { ChangeRequest } from './change-request.ts';
import { Core } from './core.ts';
import { createTables } from './schema.ts';
import { SharingCalls } from './sharing-calls.ts';
import type { HolderState } from './token-holders.ts';

/** A token and the organisation that it belongs to. */
export interface TokenHolder {
  readonly token: Token;
  readonly organisation: Organisation | null;
  readonly holder: HolderState;
}

export class Coordinator
  extends SharingCalls
  implements
    HeadSource,
    DetectionRecorder,
    AnchorRecorder,
    RegistryKeeper,
    CredentialKeeper,
    TextKeeper,
    RuleEntriesPort,
    LiveSource
{
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
    const core = new Core(this.ctx, this.env.LISTS, secrets.value, signer, this.env, {
      registry: () => this.env.REGISTRY.getByName(REGISTRY_NAME),
      credentials: () => this.env.CREDENTIALS.getByName(CREDENTIALS_NAME),
      text: () => this.env.TEXT.getByName(TEXT_NAME),
      feed: this.env.SHARING_KEY ? () => this.env.FEED.getByName(FEED_NAME) : null,
    });
    const caughtUp = await core.catchUp();
    return caughtUp.ok ? ok(core) : caughtUp;
  }

  protected override get [CORE](): Core {
    // Admin routes call `token` first and return its failure. The edge uses KV if `head` or `value` throws.
    if (!this.#core.ok) throw new Error(this.#core.message);
    return this.#core.value;
  }

  async head({ seq, dataCentre, keyIds }: HeadRequest): ReturnType<HeadSource['head']> {
    const head = await this[CORE].heads.sealed();
    if (head === null) return { seq: 0, sealed: null };
    if (this.#dataCentres.size < DATA_CENTRES_MAX || this.#dataCentres.has(dataCentre)) {
      this.#dataCentres.set(dataCentre, { seq: head.seq, at: Date.now(), keyIds: keyIds ?? null });
    }
    return { seq: head.seq, sealed: head.seq === seq ? null : head.sealed };
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this[CORE].value(key);
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

  /** Called by control at most once an hour for each token. Not recorded in the audit log. */
  async tokenUsed(id: string, generation: number): Promise<void> {
    this[CORE].tables.tokenHolders.use(id, generation, Date.now());
  }

  /** SHA-256 of the secrets of all tokens, by ID. */
  async tokenDigests(): Promise<Map<string, readonly string[]>> {
    return new Map(this[CORE].tables.tokens.all.map(({ id, secretSha256 }) => [id, secretSha256]));
  }

  async registrations(): ReturnType<RegistryKeeper['registrations']> {
    const { registeredSenders, keys } = this[CORE].tables;
    return { head: registeredSenders.head, keyId: keys.current.keyId };
  }

  async putRegistrations(update: RegistryUpdate): Promise<Result<RegistryAnswer, Failure>> {
    const { registry, tables } = this[CORE];
    const { registrations: head, unwritten, keyIds } = update;
    const done = registry.put({ head, keyIds }, unwritten);
    return done.ok ? ok({ ...done.value, droppedVersion: tables.registeredSenders.droppedVersion }) : done;
  }

  async credentials(): ReturnType<CredentialKeeper['credentials']> {
    const { credentials, keys } = this[CORE].tables;
    return { head: credentials.head, keyId: keys.current.keyId };
  }

  async putCredentials({
    unwritten,
    ...part
  }: CredentialsUpdate): ReturnType<CredentialKeeper['putCredentials']> {
    return this[CORE].credentials.put(part, unwritten);
  }

  async text(): ReturnType<TextKeeper['text']> {
    const { text, keys } = this[CORE].tables;
    return { head: text.head, keyId: keys.current.keyId };
  }

  async putText({ unwritten, ...part }: TextUpdate): ReturnType<TextKeeper['putText']> {
    return this[CORE].text.put(part, unwritten);
  }

  async anchorText(end: ChainAnchor): Promise<number> {
    return this[CORE].registrationFacts.anchor('text', 'text releases and campaigns', end);
  }

  async liveChanges(after: LiveCursor | null, limit: number): ReturnType<LiveSource['liveChanges']> {
    return this[CORE].tables.feed.changes(after, limit);
  }

  async applyRuleEntries(
    n: number,
    changes: readonly RuleEntryChange[],
  ): ReturnType<RuleEntriesPort['applyRuleEntries']> {
    return this[CORE].ruleEntries.apply(n, changes);
  }

  async rotateListKey(request: ChangeRequest, options: RotateKey) {
    const readers = [...this.#dataCentres].map(([dataCentre, { at, keyIds }]) => ({
      dataCentre,
      at,
      keyIds,
    }));
    const done = await this[CORE].keyRotation.rotate(request, options, readers);
    if (done.ok) this[CORE].refreshParts();
    return done;
  }

  async status(): Promise<StatusInfo> {
    const propagation = [...this.#dataCentres]
      .map(([dataCentre, { seq, at, keyIds }]) => ({
        ...{ dataCentre, seq, askedAt: new Date(at).toISOString() },
        ...(keyIds === null ? {} : { keyIds }),
      }))
      .sort((a, b) => a.seq - b.seq || (a.dataCentre < b.dataCentre ? -1 : 1));
    return { ...this[CORE].status(), propagation };
  }

  /**
   * Called by the cron.
   * @param actor author for releases staged with wrangler alone
   */
  async sweep(actor: Actor): Promise<void> {
    await this[CORE].sweep(actor);
  }

  override async alarm(): Promise<void> {
    if (this.#core.ok) await this.#core.value.background.alarm();
  }
}
