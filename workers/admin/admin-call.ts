/**
 * A request of an admin on its way through the routes: who it is, what they may do, and the order that
 * the authority gets. Tokens are compared by digest, in constant time.
 */
import * as v from 'valibot';
import { type Actor, SCOPES, type Scope } from '../../shared/admin.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import { isRecord, nameOf } from '../../shared/fields.ts';
import { fieldIssue } from '../../shared/issue.ts';
import { ADMIN_BODY_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX } from '../../shared/limits.ts';
import { bearerOf, matches } from '../auth.ts';
import type { Authority } from '../authority/authority.ts';
import type { Condition } from '../authority/clients-store.ts';
import { AUTHORITY_NAME } from '../authority/edge-port.ts';
import type { Order, Outcome } from '../authority/order.ts';
import { mediaType, readText } from '../body.ts';
import type { Call } from '../call.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http.ts';
import { accessActor, CHALLENGE } from './access.ts';

/** The authority's methods, as they are called from here. */
export type Remote = {
  [Name in keyof Authority]: Authority[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function authorityOf({ AUTHORITY }: ControlEnv): Remote {
  return AUTHORITY.getByName(AUTHORITY_NAME) as unknown as Remote;
}

export interface AdminCall extends Call {
  readonly actor: Actor;
  readonly authority: Remote;
  readonly params: Readonly<Record<string, string>>;
}

type Handle = (call: AdminCall) => Promise<Response>;

/** A route for admins with this scope; `root` is for who may make and end tokens. */
export function forAdmins(scope: Scope | 'root', handle: Handle) {
  return async (call: Call, params: Readonly<Record<string, string>>): Promise<Response> => {
    const { env, reply, url } = call;
    const authority = authorityOf(env as unknown as ControlEnv);
    const actor = await authenticate(call, authority);
    if ('code' in actor) return reply.problem(actor, url.pathname);
    if (scope === 'root' ? !actor.root : !actor.scopes.includes(scope)) {
      const message = scope === 'root' ? 'this is for the token root' : `this needs the scope "${scope}"`;
      return reply.problem(problem('PERMISSION_DENIED', message), url.pathname);
    }
    return handle({ ...call, actor, authority, params });
  };
}

/**
 * A route for changes: the body by its schema, and the order it stands for.
 * @param handle returns an answer, or the problem to answer with
 */
export function forChanges<Schema extends v.GenericSchema<unknown, { reason?: string }>>(
  scope: Scope | 'root',
  schema: Schema,
  handle: (call: AdminCall, order: Order, value: v.InferOutput<Schema>) => Promise<Response | Problem>,
  bytesMax = ADMIN_BODY_BYTES_MAX,
) {
  return forAdmins(scope, async (call) => {
    const { reply, url } = call;
    const body = await readBody(call, schema, bytesMax);
    if ('code' in body) return reply.problem(body, url.pathname);
    const order = orderOf(call, body.value.reason ?? '', body.sha256);
    if ('code' in order) return reply.problem(order, url.pathname);
    const done = await handle(call, order, body.value);
    return done instanceof Response ? done : reply.problem(done, url.pathname);
  });
}

/** Who shows nothing that could be right does not reach the one object that all changes go through. */
async function authenticate({ request, env }: Call, authority: Remote): Promise<Actor | Problem> {
  const control = env as unknown as ControlEnv;
  const access = await accessActor(request, control);
  if (access !== null && 'code' in access) return access;
  const [id, secret] = access === null ? bearerOf(request) : ['', ''];
  const root = rootDigests(control);
  const isRoot = id === 'root' && (await matches(secret, root));
  // Where there is no root yet, who asks is told what is not configured.
  const isWrong = id === '' || (id === 'root' && root.length > 0 && !isRoot);
  if (access === null && isWrong) return unauthenticated(request);
  const found = await authority.token(id).catch(() => null);
  if (found === null) return problem('UNAVAILABLE', 'the authority does not answer: try again');
  const { configured, token } = found;
  if (configured !== null) return problem('NOT_CONFIGURED', configured);
  if (access !== null) return access;
  if (isRoot) return { name: 'token:root', scopes: SCOPES, authority: 'root', root: true };
  if (!(await matches(secret, token?.secretSha256))) return unauthenticated(request);
  return { name: `token:${id}`, scopes: token!.scopes, authority: token!.authority, root: false };
}

function rootDigests({ ROOT_TOKEN_SHA256 = '' }: Partial<ControlEnv>): string[] {
  return ROOT_TOKEN_SHA256.split(',').filter((digest) => /^[0-9a-f]{64}$/.test(digest));
}

function unauthenticated(request: Request): Problem {
  const isMissing = request.headers.get('authorization') === null;
  const message = isMissing ? 'send Authorization: Bearer <admin token>' : 'the admin token is not known';
  return problem('UNAUTHENTICATED', message, { headers: CHALLENGE });
}

/** What was sent, by its schema; with the digest that a repeated request is known by. */
export async function readBody<Schema extends v.GenericSchema>(
  { request, url }: Call,
  schema: Schema,
  bytesMax: number,
): Promise<{ value: v.InferOutput<Schema>; sha256: string } | Problem> {
  const text = await readText(request, bytesMax);
  if (!text.ok) return problem(text.code, text.message);
  if (text.value.trim() === '') return problem('BODY_MISSING', 'send a JSON object as the body');
  // Anything else could be sent by a page of somebody else, with the cookie of Cloudflare Access.
  if (mediaType(request) !== 'application/json') {
    return problem('CONTENT_TYPE_UNSUPPORTED', 'send content-type: application/json');
  }
  let document: unknown;
  try {
    document = JSON.parse(text.value);
  } catch {
    return problem('JSON_INVALID', 'the body must be one JSON object in UTF-8');
  }
  if (!isRecord(document)) {
    return problem('FIELD_TYPE', 'the body must be one JSON object', { field: 'body' });
  }
  const parsed = v.safeParse(schema, document);
  if (!parsed.success) return fieldProblem(parsed.issues[0]);
  const sha256 = await sha256Hex(`${request.method} ${url.pathname}\n${text.value}`);
  return { value: parsed.output, sha256 };
}

function fieldProblem(issue: v.BaseIssue<unknown>): Problem {
  const { code, path, words } = fieldIssue(issue);
  const field = path.length === 0 ? 'body' : nameOf(path.join('.'));
  return problem(code, `${field}${words}`, { field });
}

/** The order that a write stands for. */
function orderOf({ request, actor }: AdminCall, reason: string, sha256: string): Order | Problem {
  const key = request.headers.get('idempotency-key');
  if (key !== null && (key === '' || key.length > IDEMPOTENCY_KEY_CHARS_MAX)) {
    return problem('FIELD_VALUE', `Idempotency-Key has 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} characters`, {
      field: 'Idempotency-Key',
    });
  }
  return { actor, reason, repeat: key === null ? null : { key, sha256 } };
}

/** `If-Match` and `If-None-Match: *`. */
export function conditionOf({ request }: AdminCall): Condition {
  const match = request.headers.get('if-match');
  return {
    match: match === null || match === '*' ? null : match.replace(/^W\//, '').replaceAll('"', ''),
    absent: request.headers.get('if-none-match') === '*',
  };
}

/** What came of an order, as an answer. */
export function answer<Value>({ reply, url }: Call, outcome: Outcome<Value>, status = 200): Response {
  if (outcome.ok) return reply.json(outcome.value, status);
  const { code, message, field, extras = {}, retryAfterSeconds } = outcome;
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return reply.problem(
    problem(code, message, { extras, headers, ...(field === undefined ? {} : { field }) }),
    url.pathname,
  );
}
