/**
 * The context of one admin request: authentication, scopes, and the change request for the coordinator.
 * Tokens are compared by digest, in constant time.
 */
import type * as v from 'valibot';
import { type Actor, SCOPES, type Scope } from '../../shared/admin.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import { fieldError, isRecord, nameOf } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX } from '../../shared/limits.ts';
import { ok, type Result } from '../../shared/result.ts';
import { validateJson } from '../../shared/validate-json.ts';
import type { ChangeRequest, ChangeResult } from '../coordinator/change-request.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Precondition } from '../coordinator/document-store.ts';
import type { ControlEnv } from '../env.ts';
import type { Answer, Handler, PathParameters, RequestContext } from '../http/app.ts';
import { mediaType, parseJson, readText } from '../http/body.ts';
import { bearerOf, matches } from '../http/credentials.ts';
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
  readonly params: PathParameters;
}

type Handle = (context: AdminContext) => Promise<Answer>;

/** A route for admins with this scope. `root` is for the root token, which alone manages tokens. */
export function forAdmins(scope: Scope | 'root', handle: Handle): Handler {
  return async (context, params) => {
    const coordinator = coordinatorOf(context.env as unknown as ControlEnv);
    const authenticated = await authenticate(context, coordinator);
    if (!authenticated.ok) return authenticated;
    const actor = authenticated.value;
    if (scope === 'root' ? !actor.root : !actor.scopes.includes(scope)) {
      const needed = scope === 'root' ? 'the token "root"' : `the scope "${scope}"`;
      return problem('PERMISSION_DENIED', `this request needs ${needed}`);
    }
    return handle({ ...context, actor, coordinator, params });
  };
}

/**
 * A route for changes: validates the body and builds the change request.
 */
export function forChanges<Schema extends v.GenericSchema<unknown, { reason?: string }>>(
  scope: Scope | 'root',
  schema: Schema,
  handle: (
    context: AdminContext,
    changeRequest: ChangeRequest,
    value: v.InferOutput<Schema>,
  ) => Promise<Answer>,
  bytesMax = ADMIN_BODY_BYTES_MAX,
): Handler {
  return forAdmins(scope, async (context) => {
    const body = await readBody(context, schema, bytesMax);
    if (!body.ok) return body;
    const { content, sha256 } = body.value;
    const changeRequest = changeRequestOf(context, content.reason ?? '', sha256);
    return changeRequest.ok ? handle(context, changeRequest.value, content) : changeRequest;
  });
}

/**
 * Invalid credentials are refused here, before they reach the coordinator, which is a single object for all
 * changes.
 */
async function authenticate(
  { request, env }: RequestContext,
  coordinator: CoordinatorStub,
): Promise<Result<Actor, Problem>> {
  const control = env as unknown as ControlEnv;
  const access = await accessActor(request, control);
  if (access?.ok === false) return access;
  const [id, secret] = access === null ? bearerOf(request) : ['', ''];
  const root = rootDigests(control);
  const isRoot = id === 'root' && (await matches(secret, root));
  // If no root digest is configured, the request goes on, so the response can say what is missing.
  const isWrong = id === '' || (id === 'root' && root.length > 0 && !isRoot);
  if (access === null && isWrong) return unauthenticated(request);
  const found = await coordinator.token(id).catch(() => null);
  if (found === null) return problem('UNAVAILABLE', 'the coordinator does not respond; try again');
  const { configured, token } = found;
  if (configured !== null) return problem('NOT_CONFIGURED', configured);
  if (access !== null) return access;
  if (isRoot) return ok({ name: 'token:root', scopes: SCOPES, authority: 'root', root: true });
  if (!(await matches(secret, token?.secretSha256))) return unauthenticated(request);
  return ok({ name: `token:${id}`, scopes: token!.scopes, authority: token!.authority, root: false });
}

function rootDigests({ ROOT_TOKEN_SHA256 = '' }: Partial<ControlEnv>): string[] {
  return ROOT_TOKEN_SHA256.split(',').filter((digest) => /^[0-9a-f]{64}$/.test(digest));
}

function unauthenticated(request: Request): Problem {
  const isMissing = request.headers.get('authorization') === null;
  const message = isMissing ? 'send Authorization: Bearer <admin token>' : 'the admin token is not valid';
  return problem('UNAUTHENTICATED', message, { headers: CHALLENGE });
}

/** Validates the body. Returns its value, and the digest that identifies a repeated request. */
export async function readBody<Schema extends v.GenericSchema>(
  { request, url }: RequestContext,
  schema: Schema,
  bytesMax: number,
): Promise<Result<{ content: v.InferOutput<Schema>; sha256: string }, Problem>> {
  const text = await readText(request, bytesMax);
  if (!text.ok) return text;
  if (text.value.trim() === '') return problem('BODY_MISSING', 'send a JSON object as the body');
  // A page on another site could send any other type, along with the Cloudflare Access cookie.
  if (mediaType(request) !== 'application/json') {
    return problem('CONTENT_TYPE_UNSUPPORTED', 'send content-type: application/json');
  }
  const document = parseJson(text.value);
  if (!document.ok) return document;
  if (!isRecord(document.value)) return fieldError('FIELD_TYPE', 'body', 'must be a JSON object');
  const content = validateJson(schema, document.value);
  if (!content.ok) {
    const field = content.path.length === 0 ? 'body' : nameOf(content.path.join('.'));
    return fieldError(content.code, field, content.message);
  }
  const sha256 = await sha256Hex(`${request.method} ${url.pathname}\n${text.value}`);
  return ok({ content: content.value, sha256 });
}

/** The change request, with reason and idempotency key. */
function changeRequestOf(
  { request, actor }: AdminContext,
  reason: string,
  sha256: string,
): Result<ChangeRequest, Problem> {
  const key = request.headers.get('idempotency-key');
  if (key !== null && (key === '' || key.length > IDEMPOTENCY_KEY_CHARS_MAX)) {
    const detail = `must have 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} characters`;
    return fieldError('FIELD_VALUE', 'Idempotency-Key', detail);
  }
  return ok({ actor, reason, repeat: key === null ? null : { key, sha256 } });
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
  { reply }: RequestContext,
  result: ChangeResult<Value>,
  status = 200,
): Answer {
  return result.ok ? reply.json(result.value, status) : result;
}
