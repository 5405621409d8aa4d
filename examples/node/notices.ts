/**
 * The notices to your organisation, and answers to guidance. Webhooks deliver notices as they happen. Here you can read all of
 * them, in order, for 90 days.
 */
import { type CallOptions, type Content, callOf, request } from './attempts.ts';
import { connectionOf } from './connection.ts';

/** How to reach the control plane. */
export interface NoticesOptions {
  /** Base URL of the control plane, such as `https://control.numgate.example`. */
  readonly url: string;
  /** The key of a client with the right `notices`, `<client id>.<secret>`. */
  readonly key: string;
  /** Timeout of one attempt, in ms. Default 10,000. */
  readonly timeoutMs?: number;
  /** Deadline for all attempts of one request and the pauses between them, in ms. Default 60,000. */
  readonly deadlineMs?: number;
  /** Attempts after the first. Default 4. */
  readonly retries?: number;
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Waits between attempts. Tests pass their own function. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** What you did in response to guidance. */
export interface GuidanceAnswer {
  /** How many subscribers you informed. */
  readonly informed: number;
  /** When you had informed them, RFC 3339. */
  readonly at: string;
  readonly note?: string | null;
}

/** A notice. Times are RFC 3339 in UTC. */
export interface ReceivedNotice {
  /** Counts from 1, without gaps. */
  readonly version: number;
  /** For example `kr.numgate.recipients.guidance.v1`. New types may be added. */
  readonly type: string;
  readonly at: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether the notice is invented for tests. */
  readonly mock: boolean;
  /** Time by which to answer; null if the notice needs no answer. */
  readonly respondBy: string | null;
  readonly acknowledgement: GuidanceAnswer | null;
}

/** Each method rejects with a {@link NumgateError} if the service refuses the request or does not respond. */
export interface Notices {
  /** All notices after a version, oldest first. @param after 0 for all kept notices */
  notices(after?: number, options?: CallOptions): AsyncGenerator<ReceivedNotice, void, undefined>;
  notice(version: number, options?: CallOptions): Promise<ReceivedNotice>;
  /** Answers guidance. You can correct the answer for a day; repeating the same answer changes nothing. */
  acknowledge(version: number, answer: GuidanceAnswer, options?: CallOptions): Promise<ReceivedNotice>;
}

/** @throws {TypeError} if the URL or the key is not valid */
export function makeNotices(options: NoticesOptions): Notices {
  const { timeoutMs = 10_000, deadlineMs = 60_000, retries = 4 } = options;
  const connection = connectionOf(options);
  const GET: Content = { method: 'GET', type: 'application/json', body: null };

  async function call<Value extends object>(
    path: string,
    content: string | Content,
    name: string,
    { deadlineMs: own, ...rest }: CallOptions = {},
  ): Promise<Value> {
    const limits = { timeoutMs, retries, end: performance.now() + (own ?? deadlineMs) };
    const read = (json: unknown): Value | null =>
      typeof json === 'object' && json !== null && name in json ? (json as Value) : null;
    const attempt = await request(connection, `/v1/notices${path}`, content, read, limits, callOf(rest));
    if (attempt.ok) return attempt.value;
    throw attempt.failure.error;
  }

  return {
    async *notices(after = 0, more) {
      for (let next: number | null = after; next !== null; ) {
        const page: { notices: ReceivedNotice[]; next: number | null } = await call(
          `?after=${next}`,
          GET,
          'notices',
          more,
        );
        yield* page.notices;
        next = page.next;
      }
    },
    notice: (version, more) => call(`/${version}`, GET, 'version', more),
    acknowledge: (version, answer, more) =>
      call(`/${version}/acknowledge`, JSON.stringify(answer), 'version', more),
  };
}
