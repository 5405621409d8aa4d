/**
 * A numgate client for Node, browsers and Workers. Every check returns a result. Each attempt has a timeout,
 * and all attempts together have a deadline. After that, the local fail policy decides, and the result says
 * so. The client never lets traffic through silently.
 */
import { type CallOptions, callOf, request } from './attempts.ts';
import { BATCH_ITEMS_MAX, checkInBatches } from './batch.ts';
import { connectionOf } from './connection.ts';
import { isFromAbroad, LABEL, type LocalAnswer, localAnswer, readAnswer, tooLong } from './fail-policy.ts';
import { type LineSource, STREAM_DEADLINE_MS, sendInStreams } from './stream.ts';
import type {
  CheckAnswer,
  CheckDefaults,
  CheckItem,
  CheckRequest,
  FailPolicy,
  GatewayAnswer,
  GatewayDefaults,
  GatewayItem,
  GatewayItemAnswer,
  GatewayRequest,
  Ingress,
  ItemAnswer,
  ItemError,
  SenderAnswer,
  SenderRequest,
} from './types.ts';

export * from './appeals.ts';
export type { CallOptions } from './attempts.ts';
export * from './credentials.ts';
export { type LocalCode, NumgateError } from './errors.ts';
export { isFromAbroad, LABEL, type LocalAnswer } from './fail-policy.ts';
export { type Feed, type FeedCall, type FeedOptions, type FeedSnapshot, makeFeed } from './feed.ts';
export type * from './feed-types.ts';
export * from './holder-key.ts';
export { linesOf } from './lines.ts';
export * from './notices.ts';
export * from './registrar.ts';
export * from './reporter.ts';
export type * from './types.ts';
export * from './webhooks.ts';

/** Items, or lines of NDJSON with one item each. */
export type ItemSource = LineSource<CheckItem>;

/** How to reach the service, and what to do without a response. */
export interface ClientOptions {
  /** Base URL of the service, such as `https://numgate.example`. */
  readonly url: string;
  /** The client key, `<client id>.<secret>`. */
  readonly key: string;
  /** What to do with a call or text that could not be checked: let it pass or hold it back. Default `open`. */
  readonly failPolicy?: FailPolicy;
  /** The label for traffic from abroad that passes without a response, from your policy. Null for none. */
  readonly label?: string | null;
  /** Timeout of one attempt, in ms. Default 500. */
  readonly timeoutMs?: number;
  /** Deadline for all attempts and the pauses between them, in ms. Default 1,000. */
  readonly deadlineMs?: number;
  /** Attempts after the first. Default 2. */
  readonly retries?: number;
  /** Sends the requests. Default: the global `fetch`. In a Worker it can be the `fetch` of a service binding. */
  readonly fetch?: typeof fetch;
  /** Waits between attempts, and rejects with the reason of the signal. Tests pass their own function. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** Options of one batch. */
export interface BatchOptions<Defaults> extends CallOptions {
  /** Values for the fields that items omit. */
  readonly defaults?: Defaults;
}

/**
 * Checks calls and texts. `check`, `checkBatch`, `checkGateway` and `checkGatewayBatch` reject only with the reason of your own
 * `signal`. Without a verdict of the service they return a {@link LocalAnswer}.
 */
export interface NumgateClient {
  /** Checks one text or call. */
  check(request: CheckRequest, options?: CallOptions): Promise<CheckAnswer | LocalAnswer>;

  /**
   * Checks any number of texts or calls. Over 10,000 items or 8 MiB, it sends several requests, one after the
   * other, and each may see another version of the lists.
   * @param options `deadlineMs` is for all requests together; its default is the deadline of the client for
   *   each 10,000 items
   * @returns one result for each item, in order
   */
  checkBatch(
    items: readonly CheckItem[],
    options?: BatchOptions<CheckDefaults>,
  ): Promise<(ItemAnswer | ItemError | LocalAnswer)[]>;

  /**
   * Checks any number of texts or calls in constant memory. Yields one result for each item, in order. It
   * reads the source no faster than you take the results, and waits while the quota is used up. It has no
   * fail policy, because bulk traffic can wait.
   * @param items items, or lines of NDJSON with one item each: see {@link linesOf}
   * @param options `deadlineMs` is the longest time without a result; default 120,000
   * @throws {NumgateError} after the deadline, or if the service rejects the request. All results before that
   *   are valid: go on with the first item that has none.
   */
  checkStream(
    items: ItemSource,
    options?: CallOptions,
  ): AsyncGenerator<ItemAnswer | ItemError, void, undefined>;

  /**
   * Checks what would happen to a text from this sender, and whether the sender is registered for the client. Nothing is sent,
   * and no block is recorded.
   */
  checkSender(request: SenderRequest, options?: CallOptions): Promise<SenderAnswer | LocalAnswer>;

  /** Checks one call or text at a gateway. The key needs the right `gateway`. */
  checkGateway(request: GatewayRequest, options?: CallOptions): Promise<GatewayAnswer | LocalAnswer>;

  /** Like {@link NumgateClient.checkBatch}, at a gateway. */
  checkGatewayBatch(
    items: readonly GatewayItem[],
    options?: BatchOptions<GatewayDefaults>,
  ): Promise<(GatewayItemAnswer | ItemError | LocalAnswer)[]>;
}

/**
 * Makes a client. It keeps no state, so one client serves a whole process.
 * @throws {TypeError} if an option is not valid
 */
export function makeClient(options: ClientOptions): NumgateClient {
  const { failPolicy = 'open', label = LABEL } = options;
  const { timeoutMs = 500, deadlineMs = 1_000, retries = 2 } = options;
  const { url, key, fetch: send, pause } = options;
  const connection = connectionOf({ url, key, fetch: send, pause });
  // The value often comes from the environment.
  if (!['open', 'closed'].includes(failPolicy)) throw new TypeError('"failPolicy" must be open or closed');
  // These often come from the environment. If a time were not a number, every check would time out.
  for (const [name, ms] of Object.entries({ timeoutMs, deadlineMs })) {
    if (typeof ms !== 'number' || !(ms > 0)) throw new TypeError(`"${name}" must be a number above 0`);
  }
  if (typeof retries !== 'number' || !(retries >= 0)) throw new TypeError('"retries" must be 0 or more');
  const limits = { timeoutMs, retries };

  async function checkOne<Answer extends CheckAnswer>(
    path: string,
    body: CheckRequest,
    call: CallOptions = {},
  ): Promise<Answer | LocalAnswer> {
    const held = tooLong(body);
    if (held !== null) return held;
    const end = performance.now() + (call.deadlineMs ?? deadlineMs);
    const read = (json: unknown): Answer | null => {
      const answer = readAnswer<Answer>(json, failPolicy);
      return answer === null || 'error' in answer ? null : answer;
    };
    const until = { ...limits, end };
    const attempt = await request(connection, path, JSON.stringify(body), read, until, callOf(call));
    return attempt.ok ? attempt.value : localAnswer(attempt.failure, failPolicy);
  }

  async function checkAll<Answer extends CheckAnswer>(
    path: string,
    items: readonly CheckItem[],
    { defaults = {}, ...call }: BatchOptions<CheckDefaults> = {},
  ): Promise<(Answer | ItemError | LocalAnswer)[]> {
    const held = items.map((item) => tooLong({ ...defaults, ...item }));
    const sent = items.filter((_, index) => held[index] === null);
    const partsMin = Math.max(1, Math.ceil(sent.length / BATCH_ITEMS_MAX));
    const batchLimits = { ...limits, deadlineMs: call.deadlineMs ?? deadlineMs * partsMin };
    const batch = { path, items: sent, defaults, failPolicy };
    const answers = await checkInBatches<CheckItem, Answer>(connection, batch, batchLimits, callOf(call));
    const rest = answers.values();
    return held.map((local) => {
      if (local !== null) return local;
      const answer = rest.next().value!;
      return answer.ok ? answer.value : localAnswer(answer.failure, failPolicy);
    });
  }

  /** Labels traffic from abroad that passes without a verdict, or with a verdict that this client does not know. */
  function withLabel<Answer extends GatewayAnswer | LocalAnswer>(answer: Answer, ingress?: Ingress): Answer {
    const isUndecided = 'source' in answer || answer.unknownVerdict !== undefined;
    const passes = answer.verdict === 'indeterminate' && answer.action === 'open';
    if (!isUndecided || !passes || !isFromAbroad(ingress)) return answer;
    return { ...answer, label: answer.label ?? label };
  }

  return {
    check: (body, call) => checkOne('/v1/check', body, call),
    checkBatch: (items, call) => checkAll('/v1/check/batch', items, call),
    checkStream: (items, call = {}) => {
      const target = {
        path: '/v1/check/stream',
        deadlineMs: call.deadlineMs ?? STREAM_DEADLINE_MS,
        read: (json: unknown) => readAnswer<ItemAnswer>(json, failPolicy),
      };
      return sendInStreams(connection, items, target, callOf(call));
    },
    checkSender: (body, call) => checkOne<SenderAnswer>('/v1/senders/check', body, call),
    checkGateway: async (body, call) =>
      withLabel(await checkOne<GatewayAnswer>('/v1/gateway/check', body, call), body.ingress),
    checkGatewayBatch: async (items: readonly GatewayItem[], call = {}) => {
      const answers = await checkAll<GatewayItemAnswer>('/v1/gateway/check/batch', items, call);
      return answers.map((answer, index) => {
        const ingress = merged(call.defaults?.ingress, items[index]!.ingress);
        return 'error' in answer ? answer : withLabel(answer, ingress);
      });
    },
  };
}

/** Merges like the service. A field that is undefined is not sent. */
function merged(defaults: Ingress = {}, ingress: Ingress = {}): Ingress {
  const sent = Object.entries(ingress).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(sent) };
}
