/**
 * Appeals against a block, for pages and apps for people who were blocked. No key is needed: the reference in the reason of a
 * block (`appeal`) is the right to appeal, and the token of an appeal is the right to follow it.
 */
import { type CallOptions, type Content, callOf, request } from './attempts.ts';
import { type Connection, connectionOf } from './connection.ts';

/** How to reach the control plane. */
export interface AppealOptions {
  /** Base URL of the control plane, such as `https://control.numgate.example`. */
  readonly url: string;
  /** Timeout of one attempt, in ms. Default 10,000. */
  readonly timeoutMs?: number;
  /** Deadline for all attempts and the pauses between them, in ms. Default 30,000. */
  readonly deadlineMs?: number;
  /** Attempts after the first. Default 2. */
  readonly retries?: number;
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Waits between attempts. Tests pass their own function. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** An appeal, as the blocked person sends it. */
export interface AppealRequest {
  /** `appeal` of the block's reason. */
  readonly reference: string;
  /** Why the block is wrong. At most 500 characters. */
  readonly statement: string;
  /** How to reach the appellant. At most 200 characters. */
  readonly contact?: string;
  /** A solved challenge, or the token of Turnstile, if the service requires one. */
  readonly proof?: string;
}

/** A text for the person, in Korean and English. */
export interface PeopleText {
  readonly ko: string;
  readonly en: string;
}

/** The receipt. It looks the same for a reference that the service does not know. */
export interface AppealReceipt {
  /** The token of the appeal. Keep it. */
  readonly appeal: string;
  readonly message: PeopleText;
}

/** The state of an appeal. */
export interface AppealProgress {
  /** `received`, `inReview`, `accepted`, `rejected`, `noLongerBlocked`, or `unmatched` for an unknown reference. */
  readonly state: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly decidedAt: string | null;
  /** The change that lifted the block; only of an accepted appeal. */
  readonly seq: number | null;
  readonly message: PeopleText;
  /** What the block means; from the review on. */
  readonly block: { readonly code: string; readonly meaning: PeopleText } | null;
  /** Only of a rejected appeal. */
  readonly rejection: { readonly code: string; readonly message: PeopleText } | null;
}

/** Each method rejects with a `NumgateError`. */
export interface Appeals {
  /** Appeals against a block. Further appeals against the same block join the first one. */
  appeal(appeal: AppealRequest, options?: CallOptions): Promise<AppealReceipt>;
  /** @param token `appeal` of the receipt */
  appealStatus(token: string, options?: CallOptions): Promise<AppealProgress>;
  /** A challenge for ALTCHA's widget. `NOT_FOUND` if the service requires no proof of work. */
  appealChallenge(options?: CallOptions): Promise<object>;
}

/** @throws {TypeError} if the URL is not valid */
export function makeAppeals(options: AppealOptions): Appeals {
  const { timeoutMs = 10_000, deadlineMs = 30_000, retries = 2, url, fetch: send, pause } = options;
  const connectionWith = (key: string | null): Connection => connectionOf({ url, key, fetch: send, pause });
  const connection = connectionWith(null);

  async function call<Value extends object>(
    over: Connection,
    path: string,
    content: string | Content,
    names: readonly (keyof Value & string)[],
    { deadlineMs: own, ...rest }: CallOptions = {},
  ): Promise<Value> {
    const limits = { timeoutMs, retries, end: performance.now() + (own ?? deadlineMs) };
    const read = (json: unknown): Value | null => {
      const isValue = typeof json === 'object' && json !== null && names.every((name) => name in json);
      return isValue ? (json as Value) : null;
    };
    const attempt = await request(over, path, content, read, limits, callOf(rest));
    if (attempt.ok) return attempt.value;
    throw attempt.failure.error;
  }
  const GET: Content = { method: 'GET', type: 'application/json', body: null };

  return {
    appeal: (body, more) =>
      call(connection, '/v1/appeals', JSON.stringify(body), ['appeal', 'message'], more),
    appealStatus: async (token, more) =>
      call(connectionWith(token), '/v1/appeals/status', GET, ['state', 'message'], more),
    appealChallenge: (more) => call(connection, '/v1/appeals/challenge', GET, [], more),
  };
}
