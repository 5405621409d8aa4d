/**
 * The context of one request: its client, the client's remaining quota, and the data to answer from.
 *
 * Once secrets, head and key are in memory, as for almost every request, a check awaits nothing but its own
 * handlers: `…InMemory() ?? (await …())`. An await at every step costs a few percent of a `GET`
 * (docs/performance.md).
 */

import type { Client, Right } from '../../shared/clients.ts';
import { KEY_FRESH_MS, LOAD_BACKOFF_MS } from '../../shared/limits/edge.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { ok, type Result } from '../../shared/result.ts';
import { type BlockRecord, blockRecordOf, writeRecord } from '../../shared/screening/block-record.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import { isForEmergency, screen } from '../../shared/screening/screen.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import type { PublishedText } from '../../shared/text/published.ts';
import type { RequestContext } from '../http/app.ts';
import {
  authenticate,
  authenticateInMemory,
  type Directory,
  type RefusedKey,
} from '../http/client-authentication.ts';
import { bearerOf } from '../http/credentials.ts';
import { addressOf } from '../http/key-conditions.ts';
import { type Problem, type ProblemCode, type ProblemCounter, problem } from '../http/reply.ts';
import type { PinnedHead } from './head/head-reader.ts';
import type { LoadContext } from './head/head-sources.ts';
import { currentIsolate, type Isolate } from './isolate.ts';
import type { RunItem } from './item-runs.ts';
import { hasText, withFoundTexts } from './texts.ts';
import { tokenOf } from './token-verifier.ts';
import type { UsageMeter } from './usage.ts';

/**
 * Admits a client with this right, and counts one number of its quota. Runs before the body is read, so that a
 * client over its quota causes no further work.
 */
export async function admit(context: RequestContext, right: Right): Promise<Result<ClientContext, Problem>> {
  const isolate = currentIsolate();
  const loadContext = isolate.loadContextInMemory(context) ?? (await isolate.loadContext(context));
  if (!loadContext.ok) return loadContext;
  const authenticated = await authenticateClient(context, right, loadContext.value, isolate);
  if (!authenticated.ok) return authenticated;
  const client = new ClientContext(context, right, loadContext.value, isolate, authenticated.value);
  const charged = client.charge(1);
  return charged.ok ? ok(client) : charged;
}

/** A client, and the head that names it. */
interface AuthenticatedClient {
  readonly client: Client;
  readonly pinned: PinnedHead;
}

async function authenticateClient(
  { request, env }: RequestContext,
  right: Right,
  loadContext: LoadContext,
  isolate: Isolate,
): Promise<Result<AuthenticatedClient, Problem>> {
  const pinned = isolate.head.pinInMemory(loadContext) ?? (await isolate.head.pin(loadContext));
  const { clients } = pinned;
  if (clients === null) {
    const retryAfterSeconds = Math.ceil(LOAD_BACKOFF_MS / 1000);
    return problem('UNAVAILABLE', 'the client directory is not loaded yet; try again', { retryAfterSeconds });
  }
  const first =
    authenticateInMemory(request, clients, right) ?? (await authenticate(request, clients, right, env));
  if (first.ok) return ok({ client: first.value, pinned });
  return retryWithLatest({ request, env }, right, { refused: first, clients }, loadContext, isolate);
}

/** Authenticates again with the latest head, which may have a newer key, newer conditions or a newer right. */
async function retryWithLatest(
  { request, env }: Pick<RequestContext, 'request' | 'env'>,
  right: Right,
  { refused: first, clients }: { readonly refused: RefusedKey; readonly clients: Directory },
  loadContext: LoadContext,
  { head, refusedKeys, failures }: Isolate,
): Promise<Result<AuthenticatedClient, Problem>> {
  const [id, secret] = bearerOf(request);
  const key = `${id}.${secret}`;
  const source = addressOf(request, env);
  const limited = first.by === 'secret' ? failures.limited(source, Date.now()) : null;
  let refused = first;
  if (id !== '' && limited === null && !refusedKeys.has(key, Date.now())) {
    const latest = await head.pinFresh(loadContext, KEY_FRESH_MS);
    const isNewer = latest.clients !== null && latest.clients !== clients;
    const second = isNewer ? await authenticate(request, latest.clients, right, env) : first;
    if (second.ok) return ok({ client: second.value, pinned: latest });
    refusedKeys.add(key, Date.now());
    refused = second;
  }
  if (refused.by !== 'right' && refused.by !== 'missing')
    failures.add(clients.has(id) ? id : null, refused.by, source, Date.now());
  return limited ?? refused;
}

/** An admitted client: its settings, its quota, its counts, and the head that was pinned for its request. */
export class ClientContext implements ProblemCounter {
  readonly settings: Client;
  readonly #context: RequestContext;
  readonly #right: Right;
  readonly #loadContext: LoadContext;
  readonly #isolate: Isolate;
  readonly #pinned: PinnedHead;
  readonly #meter: UsageMeter;
  /** The client whose quota is charged. A long request takes it from the newest head. */
  #charged: Client;
  /** Numbers of this request counted so far. */
  #counted = 0;
  /** The text release and campaigns of this request; null until a text needs them. */
  #text: PublishedText | null = null;

  constructor(
    context: RequestContext,
    right: Right,
    loadContext: LoadContext,
    isolate: Isolate,
    { client, pinned }: AuthenticatedClient,
  ) {
    this.settings = client;
    this.#charged = client;
    this.#context = context;
    this.#right = right;
    this.#loadContext = loadContext;
    this.#isolate = isolate;
    this.#pinned = pinned;
    const { now } = pinned.snapshot;
    this.#meter = isolate.usage.of(client.id, now);
    this.#meter.usage.add('requests', 1, now);
    this.#meter.usage.watch(isolate.scanSource(client.organisation, loadContext), pinned.canaries);
    this.#meter.begin(now, loadContext);
    context.reply.problemCounter = this;
  }

  countProblem(code: ProblemCode): void {
    const { now } = this.#pinned.snapshot;
    this.#meter.usage.add('errors', 1, now);
    if (code === 'QUOTA_EXCEEDED') this.#meter.usage.add('quotaRefusals', 1, now);
  }

  /** Counts an item that failed without failing the whole request. */
  countInvalidItem(): void {
    this.#meter.usage.add('invalidItems', 1, this.#pinned.snapshot.now);
  }

  /**
   * Counts the numbers of this request against the client's quota, except those already counted.
   * @param numbers total of the request
   */
  charge(numbers: number): Result<unknown, Problem> {
    if (numbers <= this.#counted) return COUNTED;
    const charged = this.#isolate.quota.charge(this.settings, numbers, this.#counted, this.#loadContext);
    if (!charged.ok) return charged;
    this.#context.reply.addHeaders(charged.value);
    this.#counted = numbers;
    return charged;
  }

  /**
   * Counts as many of these numbers as the quota allows.
   * @returns how many it counted
   */
  take(numbers: number): number {
    return this.#isolate.quota.take(this.#charged, numbers, this.#loadContext);
  }

  /**
   * The snapshot for this request. The head was pinned before the client was known, so this waits for a newer
   * one if the pinned head exceeds the client's `maxStaleSeconds`.
   */
  async snapshot(): Promise<Snapshot> {
    const staleMs = this.settings.maxStaleSeconds * 1000;
    return this.snapshotInMemory() ?? (await this.#isolate.head.pin(this.#loadContext, staleMs)).snapshot;
  }

  /** Like `snapshot`, but null if the request must wait. */
  snapshotInMemory(): Snapshot | null {
    const { snapshot } = this.#pinned;
    return snapshot.now - snapshot.asOf <= this.settings.maxStaleSeconds * 1000 ? snapshot : null;
  }

  /**
   * The current snapshot, for long requests. Also sends their counts, because no other request may follow.
   * @throws if the client's key is no longer valid, or the client was stopped
   */
  async latest(): Promise<Snapshot> {
    const { clients, snapshot } = await this.#isolate.head.pin(this.#loadContext);
    const { request, env } = this.#context;
    const known =
      clients === null ? ok(this.settings) : await authenticate(request, clients, this.#right, env);
    if (!known.ok || known.value.restriction === 'stopped') throw new Error('the client key was revoked');
    this.#charged = known.value;
    this.#meter.begin(snapshot.now, this.#loadContext);
    return snapshot;
  }

  /**
   * The snapshot to screen these items with, including the verification results of their message tokens and
   * PASSporTs. Verifies the missing ones as far as the client's quota allows; `unverified` reports the rest.
   */
  async withTokens(items: readonly RunItem[], snapshot: Snapshot): Promise<Snapshot> {
    const texts = new Set<string>();
    const values = new Set<string>();
    for (const { parsed } of items) {
      if (!parsed.ok) continue;
      const text = tokenOf(parsed.value);
      if (text !== null && !snapshot.tokens.has(text)) texts.add(text);
      for (const value of parsed.value.ingress?.identity ?? NO_VALUES) values.add(value);
    }
    if (texts.size === 0 && values.size === 0) return snapshot;
    const { quota } = this.#isolate;
    const chargeAs = (kind: 'token' | 'passport') => (): boolean =>
      quota.takeVerification(this.#charged, kind, this.#loadContext);
    const chargeRead = (): boolean => quota.takeShardRead(this.#charged);
    const { credentials } = snapshot;
    const context = { credentials, nowS: Math.floor(snapshot.now / 1000), loadContext: this.#loadContext };
    const [tokens, passports] = await Promise.all([
      this.#isolate.tokens.verify(texts, { ...context, charge: chargeAs('token'), chargeRead }),
      this.#isolate.passports.verify(values, credentials.passports, chargeAs('passport')),
    ]);
    const all = snapshot.tokens.size === 0 ? tokens : new Map([...snapshot.tokens, ...tokens]);
    return { ...snapshot, tokens: all, passports };
  }

  /** The snapshot to screen these items with, including the results for their texts. */
  async withTexts(items: readonly RunItem[], snapshot: Snapshot): Promise<Snapshot> {
    if (!hasText(items)) return snapshot;
    this.#text ??= await this.#isolate.head.text.published(this.#loadContext);
    return withFoundTexts(items, { ...snapshot, text: this.#text });
  }

  /**
   * The error of a request with a token or PASSporT that the quota did not allow to verify; otherwise null. No
   * token or PASSporT, valid or not, holds up an emergency call.
   */
  unverified(
    request: ScreenRequest,
    { tokens, passports }: Snapshot,
  ): (Problem & { readonly field: string }) | null {
    const text = tokenOf(request);
    const hasToken = text === null || tokens.has(text);
    const values = request.ingress?.identity ?? NO_VALUES;
    if (hasToken && values.every((value) => passports.has(value))) return null;
    if (isForEmergency(request)) return null;
    return this.#tooManyNew(hasToken ? 'identity' : 'senderToken');
  }

  #tooManyNew(field: keyof typeof UNVERIFIED): Problem & { readonly field: string } {
    const message = `"${field}" was not verified, because the client sends too many new ones: ${UNVERIFIED[field]}, or try again later`;
    const retryAfterSeconds = this.#isolate.quota.secondsToVerification(this.#charged);
    return { ...problem('QUOTA_EXCEEDED', message, { retryAfterSeconds }), field };
  }

  /**
   * Screens a request for this client. Records a block if the client wants records.
   * @param isPreview whether nothing is sent, so that no block is recorded
   */
  screen(request: ScreenRequest, snapshot: Snapshot, isPreview = false): Decision {
    const decision = screen(request, snapshot, this.settings);
    const isScored = !isPreview && !this.settings.mock;
    const isText = isScored && this.#right === 'check';
    this.#meter.count(request, decision, snapshot.now, this.#loadContext, isText, isScored);
    if (this.settings.recordBlocks && !isPreview) {
      const { writer } = this.#loadContext.secrets.keys;
      const record = blockRecordOf(request, decision, this.settings.id, snapshot, writer);
      if (record !== null) this.#record(record, snapshot.now);
    }
    return decision;
  }

  /** Keeps a block record, unless the client has used up its daily limit of records. */
  #record(record: BlockRecord, now: number): void {
    const line = writeRecord(record);
    if (this.#meter.addRecord(line.length, now))
      this.#isolate.recorder.add(record.at, line, this.#loadContext);
  }
}

const COUNTED = ok(null);
const NO_VALUES: readonly string[] = [];
const UNVERIFIED = {
  senderToken: 'present one token for all texts of a sender',
  identity: 'raise the quota of this client',
};
