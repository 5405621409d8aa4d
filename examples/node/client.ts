/**
 * A client of numgate for a gateway: typed by the service's own OpenAPI document, and never without an
 * answer. An attempt has a timeout, all attempts together a deadline; after that, the local fail policy
 * answers, and says that it did. It never throws and never lets through silently.
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

/** What this client says itself where the service did not answer. */
export interface LocalAnswer {
  readonly verdict: 'indeterminate';
  readonly action: FailPolicy;
  /** For what passes, and is from abroad as far as its ingress says; null for everything else. */
  readonly label: string | null;
  readonly source: 'local';
  /**
   * `refused`: the service did answer, with a problem that asking again does not solve. `tooLong`: the sender or
   * recipient is longer than the service reads, so it was not asked.
   */
  readonly why: 'timeout' | 'unreachable' | 'busy' | 'refused' | 'tooLong';
  /** The field that cannot be read; null if it is none. */
  readonly field: string | null;
  /** As the service told it; null where it told none. */
  readonly problem: Problem | null;
}

export interface ClientOptions {
  readonly url: string;
  readonly key: string;
  /** What to do with a call or text that could not be asked about: let pass, or hold back. */
  readonly failPolicy: FailPolicy;
  /** The label of what passes from abroad without an answer: that of your policy; null for none. */
  readonly label?: string | null;
  /** Longest wait for one attempt, in ms. */
  readonly timeoutMs?: number;
  /** Longest wait for an answer, with all attempts and the pauses between them, in ms. */
  readonly deadlineMs?: number;
  /** Attempts after the first. */
  readonly retries?: number;
  /** Waits between attempts; tests pass their own. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

export interface NumgateClient {
  check(question: Question): Promise<Answer | LocalAnswer>;
  gatewayCheck(question: GatewayQuestion, limits?: Limits): Promise<GatewayAnswer | LocalAnswer>;
  /** @returns an answer for each item, in their order. At most 10,000 items. */
  gatewayBatch(
    items: readonly GatewayItem[],
    defaults?: GatewayDefaults,
    limits?: Limits,
  ): Promise<(GatewayItemAnswer | ItemError | LocalAnswer)[]>;
}

/** For one question that has waited already: what is left of its deadline, in ms. */
export interface Limits {
  readonly deadlineMs: number;
}

/** That of the standard policy. */
export const LABEL = '[국제발신]';
/** First pause before the next attempt; each is twice the one before. In ms. */
const PAUSE_MS = 50;
/** Longest sender or recipient that the service reads, in UTF-16 units. */
const PARTY_CHARS_MAX = 64;
/** A check changes nothing, so it can be asked again wherever no answer was made. */
const RETRY_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

interface Reply<Value> {
  readonly data?: Value;
  readonly error?: Problem;
  readonly response: Response;
}

/** Where nothing says otherwise, traffic at a gateway is from abroad; so is what displays a carrier prefix. */
export function isFromAbroad(ingress: Ingress = {}): boolean {
  return ingress.type !== 'domestic' || ingress.carrierPrefix !== undefined;
}

/**
 * Whether the caller can have caused a rejection by what the call or text contains. Such traffic is held back: otherwise
 * the caller would choose the fail policy. Without a problem of numgate, a filter in front of it rejected the text.
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

/** @returns the answer about a sender or recipient that is too long to be asked about, or null */
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

  async function ask<Value>(
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
        // What does not fit into the whole quota is told so by the absence of a time.
        if (status === 429 && waitMs === null) return failure;
      } catch (error) {
        failure = local((error as Error).name === 'TimeoutError' ? 'timeout' : 'unreachable');
      }
      // Half of the pause is random, so that those that were refused together do not come back together.
      const pauseMs = Math.max(waitMs ?? 0, PAUSE_MS * 2 ** tried * (0.5 + Math.random() / 2));
      if (tried >= retries || pauseMs >= leftMs()) break;
      await pause(pauseMs);
    }
    return failure;
  }

  const withLabel = (answer: LocalAnswer, ingress?: Ingress): LocalAnswer =>
    answer.action === 'open' && isFromAbroad(ingress) ? { ...answer, label } : answer;

  return {
    // The generated type of its question is `unknown`, since the schema says that one of two fields is needed.
    check: async (body) =>
      tooLong(body as Parties) ?? ask((signal) => api.POST('/v1/check', { body, signal }), deadlineMs),

    gatewayCheck: async (body, limits) => {
      const held = tooLong(body);
      if (held !== null) return held;
      const once = (signal: AbortSignal) => api.POST('/v1/gateway/check', { body, signal });
      const answered = await ask(once, limits?.deadlineMs ?? deadlineMs);
      return 'source' in answered ? withLabel(answered, body.ingress) : answered;
    },

    gatewayBatch: async (items, defaults = {}, limits) => {
      const held = items.map((item) => tooLong({ ...defaults, ...item }));
      const asked = items.filter((_, index) => held[index] === null);
      if (asked.length === 0) return held.filter((answer) => answer !== null);
      const body = { defaults, items: asked };
      const answered = await ask(async (signal) => {
        const reply = await api.POST('/v1/gateway/check/batch', { body, signal });
        // It is sent while it is made: without its end, nothing of it counts.
        if (reply.data !== undefined && reply.data.results.length !== asked.length) {
          throw new Error('the answer was cut off');
        }
        return reply;
      }, limits?.deadlineMs ?? deadlineMs);
      const answers =
        'source' in answered
          ? asked.map(({ ingress }) => withLabel(answered, { ...defaults.ingress, ...ingress }))
          : answered.results;
      const rest = answers.values();
      return held.map((answer) => answer ?? rest.next().value!);
    },
  };
}

/** RFC 9110, 10.2.3: seconds or a date. @returns null where there is none */
function retryAfterMs(value: string | null): number | null {
  if (value === null) return null;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
