/**
 * A numgate client for a gateway. Its types come from the service's own OpenAPI document, and every call
 * returns a result. Each attempt has a timeout, and all attempts together have a deadline. After that, the
 * local fail policy decides, and the result says so. The client never throws and never lets traffic through
 * silently.
 */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.d.ts';

type Schemas = components['schemas'];
export type Question = Schemas['CheckRequest'];
export type GatewayQuestion = Schemas['GatewayRequest'];
export type GatewayItem = Schemas['GatewayBatchItem'];
export type GatewayDefaults = Schemas['GatewayBatchDefaults'];
export type Ingress = NonNullable<GatewayQuestion['ingress']>;
export type Answer = Schemas['CheckAnswer'];
export type GatewayAnswer = Schemas['GatewayAnswer'];
export type GatewayItemAnswer = Schemas['GatewayItemAnswer'];
export type ItemError = Schemas['ItemError'];
export type Problem = Schemas['Problem'];
export type FailPolicy = Schemas['Action'];

/** What this client returns if the service did not respond. */
export interface LocalAnswer {
  readonly verdict: 'indeterminate';
  readonly action: FailPolicy;
  /** Set if the traffic passes and is from abroad according to its ingress, otherwise null. */
  readonly label: string | null;
  readonly source: 'local';
  /**
   * `refused`: the service responded with a problem that a retry does not solve. `tooLong`: the sender or
   * recipient exceeds the service's limit, so no request was sent.
   */
  readonly why: 'timeout' | 'unreachable' | 'busy' | 'refused' | 'tooLong';
  /** The field that cannot be parsed, or null. */
  readonly field: string | null;
  /** The problem document of the service, or null if there is none. */
  readonly problem: Problem | null;
}

export interface ClientOptions {
  readonly url: string;
  readonly key: string;
  /** What to do with a call or text that could not be checked: let it pass or hold it back. */
  readonly failPolicy: FailPolicy;
  /** The label for traffic from abroad that passes without a response, from your policy. Null for none. */
  readonly label?: string | null;
  /** Timeout of one attempt, in ms. */
  readonly timeoutMs?: number;
  /** Deadline for all attempts and the pauses between them, in ms. */
  readonly deadlineMs?: number;
  /** Attempts after the first. */
  readonly retries?: number;
  /** Waits between attempts. Tests pass their own function. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

export interface NumgateClient {
  check(question: Question): Promise<Answer | LocalAnswer>;
  gatewayCheck(question: GatewayQuestion, limits?: Limits): Promise<GatewayAnswer | LocalAnswer>;
  /** @returns one result per item, in the same order. At most 10,000 items. */
  gatewayBatch(
    items: readonly GatewayItem[],
    defaults?: GatewayDefaults,
    limits?: Limits,
  ): Promise<(GatewayItemAnswer | ItemError | LocalAnswer)[]>;
}

/** For a request that has already waited: the rest of its deadline, in ms. */
export interface Limits {
  readonly deadlineMs: number;
}

/** The label of the standard policy. */
export const LABEL = '[국제발신]';
/** Pause before the first retry, in ms. Each further pause is twice as long. */
const PAUSE_MS = 50;
/** Longest sender or recipient that the service accepts, in UTF-16 units. */
const PARTY_CHARS_MAX = 64;
/** A check changes nothing, so it is safe to retry whenever no verdict was returned. */
const RETRY_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

interface Reply<Value> {
  readonly data?: Value;
  readonly error?: Problem;
  readonly response: Response;
}

/** By default, traffic at a gateway is from abroad. Traffic that displays a carrier prefix is too. */
export function isFromAbroad(ingress: Ingress = {}): boolean {
  return ingress.type !== 'domestic' || ingress.carrierPrefix !== undefined;
}

/**
 * Whether the caller may have caused a rejection through the content of the call or text. Such traffic is
 * held back, because otherwise the caller could choose the fail policy. A rejection without a numgate problem
 * comes from a filter in front of numgate.
 */
function isCausedByCaller(status: number, problem: Problem | null): boolean {
  if (status === 413) return true;
  if (problem === null) return status === 400 || status === 403;
  return status === 400 && /^(defaults\.)?(from|to|ingress\.carrierPrefix)$/.test(problem.field ?? '');
}

interface Parties {
  readonly from?: string;
  readonly to?: string;
}

/** @returns the result for a sender or recipient that is too long to check, or null */
function tooLong(question: Parties): LocalAnswer | null {
  const field = (['from', 'to'] as const).find((name) => (question[name]?.length ?? 0) > PARTY_CHARS_MAX);
  if (field === undefined) return null;
  const held = { verdict: 'indeterminate', action: 'closed', label: null, source: 'local' } as const;
  return { ...held, why: 'tooLong', field, problem: null };
}

export function makeClient(options: ClientOptions): NumgateClient {
  const { url, key, failPolicy, label = LABEL, timeoutMs = 500, deadlineMs = 1_000, retries = 2 } = options;
  const { pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) } = options;
  const api = createClient<paths, 'application/json' | 'application/problem+json'>({
    baseUrl: url.replace(/\/+$/, ''),
    headers: { authorization: `Bearer ${key}` },
  });

  async function request<Value>(
    once: (signal: AbortSignal) => Promise<Reply<Value>>,
    withinMs: number,
  ): Promise<Value | LocalAnswer> {
    const end = performance.now() + withinMs;
    const leftMs = (): number => Math.floor(end - performance.now());
    const local = (why: LocalAnswer['why'], problem: Problem | null = null): LocalAnswer => {
      const field = problem?.field ?? null;
      return {
        verdict: 'indeterminate',
        action: failPolicy,
        label: null,
        source: 'local',
        why,
        field,
        problem,
      };
    };
    let failure = local('timeout');
    for (let tried = 0; leftMs() > 0; tried++) {
      let waitMs: number | null = 0;
      try {
        const reply = await once(AbortSignal.timeout(Math.min(timeoutMs, leftMs())));
        if (reply.data !== undefined) return reply.data;
        const { status, headers } = reply.response;
        const problem = reply.error?.code === undefined ? null : reply.error;
        if (!RETRY_STATUS.has(status)) {
          const refused = local('refused', problem);
          return isCausedByCaller(status, problem) ? { ...refused, action: 'closed' } : refused;
        }
        failure = local('busy', problem);
        waitMs = retryAfterMs(headers.get('retry-after'));
        // A 429 without Retry-After means that the request exceeds the whole quota.
        if (status === 429 && waitMs === null) return failure;
      } catch (error) {
        failure = local((error as Error).name === 'TimeoutError' ? 'timeout' : 'unreachable');
      }
      // Half of the pause is random, so that clients refused together do not retry together.
      const pauseMs = Math.max(waitMs ?? 0, PAUSE_MS * 2 ** tried * (0.5 + Math.random() / 2));
      if (tried >= retries || pauseMs >= leftMs()) break;
      await pause(pauseMs);
    }
    return failure;
  }

  const withLabel = (answer: LocalAnswer, ingress?: Ingress): LocalAnswer =>
    answer.action === 'open' && isFromAbroad(ingress) ? { ...answer, label } : answer;

  return {
    // The generated request type is `unknown`, because the schema requires one of two fields.
    check: async (body) =>
      tooLong(body as Parties) ?? request((signal) => api.POST('/v1/check', { body, signal }), deadlineMs),

    gatewayCheck: async (body, limits) => {
      const held = tooLong(body);
      if (held !== null) return held;
      const once = (signal: AbortSignal) => api.POST('/v1/gateway/check', { body, signal });
      const answered = await request(once, limits?.deadlineMs ?? deadlineMs);
      return 'source' in answered ? withLabel(answered, body.ingress) : answered;
    },

    gatewayBatch: async (items, defaults = {}, limits) => {
      const held = items.map((item) => tooLong({ ...defaults, ...item }));
      const sent = items.filter((_, index) => held[index] === null);
      if (sent.length === 0) return held.filter((answer) => answer !== null);
      const body = { defaults, items: sent };
      const answered = await request(async (signal) => {
        const reply = await api.POST('/v1/gateway/check/batch', { body, signal });
        // The response is streamed. If it is cut off, all of it is discarded.
        if (reply.data !== undefined && reply.data.results.length !== sent.length) {
          throw new Error('the answer was cut off');
        }
        return reply;
      }, limits?.deadlineMs ?? deadlineMs);
      const answers =
        'source' in answered
          ? sent.map(({ ingress }) => withLabel(answered, { ...defaults.ingress, ...ingress }))
          : answered.results;
      const rest = answers.values();
      return held.map((answer) => answer ?? rest.next().value!);
    },
  };
}

/** RFC 9110, 10.2.3: seconds or a date. @returns null if there is neither */
function retryAfterMs(value: string | null): number | null {
  if (value === null) return null;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
