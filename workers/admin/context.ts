/**
 * The context of one admin request: authentication, scopes, and the change request for the coordinator.
 * Tokens are compared by digest, in constant time.
 */
import type * as v from 'valibot';
import { type Actor, SCOPES, type Scope } from '../../shared/admin.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import { isRecord, nameOf } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX } from '../../shared/limits.ts';
import { validateJson } from '../../shared/validate-json.ts';
import type { ChangeRequest, ChangeResult } from '../coordinator/change-request.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Precondition } from '../coordinator/document-store.ts';
import { bearerOf, matches } from '../edge/authentication.ts';
import type { RequestContext } from '../edge/context.ts';
import type { ControlEnv } from '../env.ts';
import { mediaType, readText } from '../http/body.ts';
import { type Problem, problem } from '../http/reply.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { accessActor, CHALLENGE } from './access.ts';

/** The coordinator's methods as RPC calls. */
export type CoordinatorStub = {
  [Name in keyof Coordinator]: Coordinator[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function coordinatorOf({ COORDINATOR }: ControlEnv): CoordinatorStub {
  return COORDINATOR.getByName(COORDINATOR_NAME) as unknown as CoordinatorStub;
}

export interface AdminContext extends RequestContext {
  readonly actor: Actor;
  readonly coordinator: CoordinatorStub;
  readonly params: Readonly<Record<string, string>>;
}

type Handle = (context: AdminContext) => Promise<Response>;

/** A route for admins with this scope. `root` is for the root token, which alone manages tokens. */
export function forAdmins(scope: Scope | 'root', handle: Handle) {
  return async (context: RequestContext, params: Readonly<Record<string, string>>): Promise<Response> => {
    const { env, reply, url } = context;
    const authority = coordinatorOf(env as unknown as ControlEnv);
    const actor = await authenticate(context, authority);
    if ('code' in actor) return reply.problem(actor, url.pathname);
    if (scope === 'root' ? !actor.root : !actor.scopes.includes(scope)) {
      const message = scope === 'root' ? 'this is for the token root' : `this needs the scope "${scope}"`;
      return reply.problem(problem('PERMISSION_DENIED', message), url.pathname);
    }
    return handle({ ...context, actor, coordinator: authority, params });
  };
}

/**
 * A route for changes: validates the body and builds the change request.
 * @param handle returns the response, or the problem to send
 */
export function forChanges<Schema extends v.GenericSchema<unknown, { reason?: string }>>(
  scope: Scope | 'root',
  schema: Schema,
  handle: (
    context: AdminContext,
    changeRequest: ChangeRequest,
    value: v.InferOutput<Schema>,
  ) => Promise<Response | Problem>,
  bytesMax = ADMIN_BODY_BYTES_MAX,
) {
  return forAdmins(scope, async (context) => {
    const { reply, url } = context;
    const body = await readBody(context, schema, bytesMax);
    if ('code' in body) return reply.problem(body, url.pathname);
    const changeRequest = changeRequestOf(context, body.value.reason ?? '', body.sha256);
    if ('code' in changeRequest) return reply.problem(changeRequest, url.pathname);
    const done = await handle(context, changeRequest, body.value);
    return done instanceof Response ? done : reply.problem(done, url.pathname);
  });
}

/**
 * Invalid credentials are refused here, before they reach the coordinator, which is a single object for all
 * changes.
 */
async function authenticate(
  { request, env }: RequestContext,
  authority: CoordinatorStub,
): Promise<Actor | Problem> {
  const control = env as unknown as ControlEnv;
  const access = await accessActor(request, control);
  if (access !== null && 'code' in access) return access;
  const [id, secret] = access === null ? bearerOf(request) : ['', ''];
  const root = rootDigests(control);
  const isRoot = id === 'root' && (await matches(secret, root));
  // If no root digest is configured, the request goes on, so the response can say what is missing.
  const isWrong = id === '' || (id === 'root' && root.length > 0 && !isRoot);
  if (access === null && isWrong) return unauthenticated(request);
  const found = await authority.token(id).catch(() => null);
  if (found === null) return problem('UNAVAILABLE', 'the coordinator does not answer: try again');
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

/** Validates the body. Returns its value, and the digest that identifies a repeated request. */
export async function readBody<Schema extends v.GenericSchema>(
  { request, url }: RequestContext,
  schema: Schema,
  bytesMax: number,
): Promise<{ value: v.InferOutput<Schema>; sha256: string } | Problem> {
  const text = await readText(request, bytesMax);
  if (!text.ok) return problem(text.code, text.message);
  if (text.value.trim() === '') return problem('BODY_MISSING', 'send a JSON object as the body');
  // A page on another site could send any other type, along with the Cloudflare Access cookie.
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
  const content = validateJson(schema, document);
  if (!content.ok) {
    const field = content.path.length === 0 ? 'body' : nameOf(content.path.join('.'));
    return problem(content.code, `"${field}" ${content.message}`, { field });
  }
  const sha256 = await sha256Hex(`${request.method} ${url.pathname}\n${text.value}`);
  return { value: content.value, sha256 };
}

/** The change request, with reason and idempotency key. */
function changeRequestOf(
  { request, actor }: AdminContext,
  reason: string,
  sha256: string,
): ChangeRequest | Problem {
  const key = request.headers.get('idempotency-key');
  if (key !== null && (key === '' || key.length > IDEMPOTENCY_KEY_CHARS_MAX)) {
    return problem('FIELD_VALUE', `Idempotency-Key has 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} characters`, {
      field: 'Idempotency-Key',
    });
  }
  return { actor, reason, repeat: key === null ? null : { key, sha256 } };
}

export function preconditionOf({ request }: AdminContext): Precondition {
  const match = request.headers.get('if-match');
  return {
    match: match === null || match === '*' ? null : match.replace(/^W\//, '').replaceAll('"', ''),
    absent: request.headers.get('if-none-match') === '*',
  };
}

/** The result of a change as a response. */
export function toResponse<Value>(
  { reply, url }: RequestContext,
  result: ChangeResult<Value>,
  status = 200,
): Response {
  if (result.ok) return reply.json(result.value, status);
  const { code, message, field, extras = {}, retryAfterSeconds } = result;
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return reply.problem(
    problem(code, message, { extras, headers, ...(field === undefined ? {} : { field }) }),
    url.pathname,
  );
}
