/**
 * Reports spam to the control plane, as a partner. You give each report an ID, and the service counts each ID once. So you can
 * send every request again, even after a crash of your own: `known` is as good as `accepted`.
 */
import { type CallOptions, callOf, request } from './attempts.ts';
import { connectionOf } from './connection.ts';
import { type LineSource, STREAM_DEADLINE_MS, sendInStreams } from './stream.ts';
import type { Channel, ItemError } from './types.ts';

/** How to reach the control plane. */
export interface ReporterOptions {
  /** Base URL of the control plane, such as `https://control.numgate.example`. */
  readonly url: string;
  /** The key of a client with the right `report`, `<client id>.<secret>`. */
  readonly key: string;
  /** Timeout of one attempt, in ms. Default 10,000. */
  readonly timeoutMs?: number;
  /** Deadline for all attempts of one request and the pauses between them, in ms. Default 120,000. */
  readonly deadlineMs?: number;
  /** Attempts after the first. Default 8. */
  readonly retries?: number;
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Waits between attempts. Tests pass their own function. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** One report of spam, or of something that is not spam. */
export interface SpamReport {
  /** Your own ID, never used for another report: 1 to 64 letters, digits and `._:-`. */
  readonly reportId: string;
  /** The sender: a number in any usual form, or a sender ID. */
  readonly from: string;
  readonly channel: Channel;
  /** When it was received, RFC 3339. At most 7 days ago. */
  readonly at: string;
  /** `gambling`, `finance`, `loan`, `adult`, `driver`, `telecom`, `medicine`, `phishing`, `other` or `notSpam`. */
  readonly kind: string;
  readonly origin: 'domestic' | 'overseas';
  /** The subscriber who reports: a number, or your own stable ID of the person. The service does not keep it in clear. */
  readonly reporter: string;
  /** `bulk`, `mobile`, `fixed`, `voip` or `international`. */
  readonly route?: string;
  /** Sender code (식별코드) of the relay. */
  readonly relayCode?: string;
  /** Operator through which the text or call entered, as MCC-MNC. */
  readonly ingressOperator?: string;
  /** Fingerprint of the campaign: 16 to 64 lower case hex digits. */
  readonly campaign?: string;
  /** The text itself, at most 2,000 characters. The service computes its fingerprint at once and drops the text. */
  readonly text?: string;
}

/**
 * The result of a report: `accepted`; `known` from an earlier request; or `withdrawn`, if you took it back. A withdrawn report
 * does not count, and its ID cannot be used again.
 */
export interface ReportDone {
  readonly reportId: string;
  readonly status: string;
}

/** A refused report. Nothing of it is stored. */
export interface ReportRefused {
  /** Null if the service could not read the ID. */
  readonly reportId: string | null;
  /** Only in a stream if `reportId` is null: the line number in the request, from 1. */
  readonly line?: number;
  readonly error: ItemError['error'];
}

export type ReportAnswer = ReportDone | ReportRefused;

/** `withdrawn`, or `unknown` if you have no report with the ID. */
export interface WithdrawalAnswer {
  readonly reportId: string;
  readonly status: string;
}

/** Each method rejects with a {@link NumgateError} if the service refuses the request or does not respond. */
export interface Reporter {
  /** Sends one report. */
  report(report: SpamReport, options?: CallOptions): Promise<ReportDone>;
  /**
   * Sends any number of reports, 1,000 at a time.
   * @returns one answer for each, in order
   */
  reportBatch(reports: readonly SpamReport[], options?: CallOptions): Promise<ReportAnswer[]>;
  /**
   * Sends any number of reports in constant memory, and yields one answer for each, in order. After an error, all
   * answers before it are valid: go on with the first report that has none.
   * @param reports reports, or lines of NDJSON with one report each: see `linesOf`
   * @param options `deadlineMs` is the longest time without an answer; default 120,000
   */
  reportStream(
    reports: LineSource<SpamReport>,
    options?: CallOptions,
  ): AsyncGenerator<ReportAnswer, void, undefined>;
  /**
   * Withdraws reports. They no longer count, and their IDs cannot be used again.
   * @returns one answer for each ID, in order
   */
  withdrawReports(reportIds: readonly string[], options?: CallOptions): Promise<WithdrawalAnswer[]>;
}

/** Same as in the service. */
const PER_REQUEST_MAX = 1_000;

/** @throws {TypeError} if the URL or the key is not valid */
export function makeReporter(options: ReporterOptions): Reporter {
  const { timeoutMs = 10_000, deadlineMs = 120_000, retries = 8 } = options;
  const connection = connectionOf(options);

  async function post<Value>(
    path: string,
    body: object,
    read: (json: unknown) => Value | null,
    call: CallOptions,
  ): Promise<Value> {
    const end = performance.now() + (call.deadlineMs ?? deadlineMs);
    const limits = { timeoutMs, retries, end };
    const attempt = await request(connection, path, JSON.stringify(body), read, limits, callOf(call));
    if (attempt.ok) return attempt.value;
    throw attempt.failure.error;
  }

  /** All requests of a call share its deadline. */
  async function postAll<Item, Answer extends object>(
    items: readonly Item[],
    path: string,
    bodyOf: (part: readonly Item[]) => object,
    call: CallOptions,
  ): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let start = 0; start < items.length; start += PER_REQUEST_MAX) {
      const part = items.slice(start, start + PER_REQUEST_MAX);
      answers.push(...(await post(path, bodyOf(part), (json) => resultsOf<Answer>(json, part.length), call)));
    }
    return answers;
  }

  return {
    report: (report, call = {}) => post('/v1/reports', report, doneOf, call),
    reportBatch: (reports, call = {}) => postAll(reports, '/v1/reports', (items) => ({ items }), call),
    reportStream: (reports, call = {}) => {
      const target = {
        path: '/v1/reports',
        deadlineMs: call.deadlineMs ?? STREAM_DEADLINE_MS,
        read: answerOf,
      };
      return sendInStreams(connection, reports, target, callOf(call));
    },
    withdrawReports: (reportIds, call = {}) =>
      postAll(reportIds, '/v1/reports/withdraw', (part) => ({ reportIds: part }), call),
  };
}

function doneOf(json: unknown): ReportDone | null {
  const answer = answerOf(json);
  return answer === null || 'error' in answer ? null : answer;
}

function answerOf(json: unknown): ReportAnswer | null {
  if (typeof json !== 'object' || json === null) return null;
  const { status, error } = json as Partial<ReportDone & ReportRefused>;
  return typeof status === 'string' || typeof error?.code === 'string' ? (json as ReportAnswer) : null;
}

function resultsOf<Answer extends object>(json: unknown, count: number): Answer[] | null {
  const { results } = (json ?? {}) as { readonly results?: unknown };
  if (!Array.isArray(results) || results.length !== count) return null;
  return results.every((result) => answerOf(result) !== null) ? (results as Answer[]) : null;
}
