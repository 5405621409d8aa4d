/** Sends requests to the control plane, with the checks of send.ts on every response. Also waits until a change is visible. */
import { expect } from 'vitest';
import type { StatusInfo } from '../../../shared/admin/status.ts';
import type { AuditRecord } from '../../../shared/audit.ts';
import { type Answer, check, expectRefused, openApi, type Reply, type Request, send } from './send.ts';
import { type TokenName, world } from './world.ts';

export interface AdminRequest extends Omit<Request, 'client'> {
  /** The owner of the token, or a key; null for no token. */
  readonly token?: TokenName | { readonly key: string } | null;
}

/** Longest time until a change is visible: a poll, the copy of the data centre, and a margin for a busy machine. In ms. */
const VISIBLE_WAIT_MS = 240_000;

function requestOf({ token = 'root', headers, base = world().admin, ...request }: AdminRequest): Request {
  const key = typeof token === 'string' ? world().tokens[token] : token?.key;
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return { ...request, base, client: null, headers: { ...authorization, ...headers } };
}

/** @param path after `/v1/admin/`, with its query */
export function sendAdmin(path: string, request: AdminRequest = {}): Promise<Reply> {
  return send(`/v1/admin/${path}`, requestOf(request));
}

/** Sends a request that must succeed. @returns its JSON */
export async function adminValue<Value = Record<string, unknown>>(
  path: string,
  request: AdminRequest = {},
): Promise<Value> {
  const { status, text, json } = await sendAdmin(path, request);
  if (status >= 300) expect.fail(`${path} returned ${status}: ${text}`);
  return json as unknown as Value;
}

/** The number of audit records so far, and how many of them come from requests. */
const log = { n: 0, ofRequests: 0 };

/**
 * The state that only requests change. If it stays equal, a request changed nothing. The rest of the status also changes in the
 * background, and the service also writes records of the ends of its chains (`<store>.anchor`).
 */
export async function changedState(): Promise<
  Pick<StatusInfo, 'seq'> & { entries: number; records: number }
> {
  const { seq, audit, live } = await adminValue<StatusInfo>('status');
  while (log.n < audit.n) {
    const { text } = await sendAdmin(`audit?after=${log.n}&limit=1000`);
    const records = text.split('\n').slice(0, -1);
    log.n = records.length === 0 ? audit.n : (JSON.parse(records.at(-1)!) as AuditRecord).n;
    log.ofRequests += records.filter((record) => !/"action":"[a-z]+\.anchor"/.test(record)).length;
  }
  return { seq, entries: live.entries, records: log.ofRequests };
}

/** The lines of an NDJSON response, each checked against a schema of the document. */
export async function adminLines<Value>(
  schema: string,
  path: string,
  request: AdminRequest = {},
): Promise<Value[]> {
  const { status, text } = await sendAdmin(path, request);
  expect(status).toBe(200);
  const openapi = await openApi();
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const value = JSON.parse(line) as Value;
      expect(openapi.errorsAs(schema, value)).toBe('');
      return value;
    });
}

/** Expects a problem with this status, code and field. */
export function expectAdminRefused(
  [path, request]: readonly [path: string, request: AdminRequest],
  problem: readonly [status: number, code: string, field?: string | undefined],
): Promise<Reply> {
  return expectRefused([`/v1/admin/${path}`, requestOf(request)], problem);
}

/**
 * Sends a check until the response shows a change.
 * @param seq of the change
 * @param release that the change makes current. While its values load, the previous release answers with this `seq`.
 */
export async function checkOnceVisible(
  seq: number,
  question: Record<string, unknown>,
  request: Request = {},
  release: string | null = null,
): Promise<Answer> {
  const deadline = Date.now() + VISIBLE_WAIT_MS;
  for (;;) {
    const answer = await check(question, { base: world().admin, ...request });
    if (answer.seq >= seq && (release === null || answer.release === release)) return answer;
    if (Date.now() > deadline)
      expect.fail(`change ${seq} is not visible: the service shows ${answer.seq} of ${answer.release}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Makes one live change. @returns its `seq` */
export async function change(
  op: 'block' | 'unblock' | 'clear',
  items: readonly object[],
  rest: object = {},
  request: AdminRequest = {},
): Promise<number> {
  const body = { op, items, reason: 'a test', ...rest };
  return (await adminValue<{ seq: number }>('entries', { ...request, body })).seq;
}
