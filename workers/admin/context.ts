/**
 * The context of one admin request: its scopes, and the change request for the coordinator.
 */

import type * as v from 'valibot';
import type { Actor } from '../../shared/admin/actor.ts';
import { fieldError } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX, PAGE_MAX } from '../../shared/limits/control.ts';
import type { PendingChange } from '../../shared/proposals.ts';
import { ok, type Result } from '../../shared/result.ts';
import { FIELD_SCOPES, type Scope } from '../../shared/roles.ts';
import type { ChangeRequest, Waiting } from '../coordinator/change-request.ts';
import type { ControlEnv } from '../env.ts';
import type { Answer, Handler, PathParameters, RequestContext } from '../http/app.ts';
import { readBody } from '../http/json-body.ts';
import { type Problem, problem, type Reply } from '../http/reply.ts';
import type { Precondition } from '../storage/precondition.ts';
import { authenticate } from './authentication.ts';
import { type CoordinatorStub, coordinatorOf } from './coordinator-stub.ts';

export interface AdminContext extends RequestContext {
  readonly actor: Actor;
  readonly coordinator: CoordinatorStub;
  readonly params: PathParameters;
  readonly condition: Precondition;
}

/** A change: its validated body, and the request for the coordinator. */
interface ChangeContext<Body> extends AdminContext {
  readonly body: Body;
  readonly change: ChangeRequest;
}

type Handle<Context, Value> = (context: Context) => Promise<Result<Value, Problem | Waiting>>;
/** Makes the response from a value. */
type Send<Value> = (reply: Reply, value: Value) => Answer;

/** The scope that a route needs, or several scopes of which one is enough. `root` admits only the root token. */
export type RouteScope = Scope | 'root' | readonly Scope[];

/** A route for admins with this scope. */
export function forAdmins<Value>(
  scope: RouteScope,
  handle: Handle<AdminContext, Value>,
  send: Send<Value> = (reply, value) => reply.json(value),
): Handler {
  return async (context, params) => {
    const coordinator = coordinatorOf(context.env as unknown as ControlEnv);
    const authenticated = await authenticate(context, coordinator);
    if (!authenticated.ok) return authenticated;
    const actor = authenticated.value;
    if (!holds(actor, scope)) {
      const needed =
        scope === 'root'
          ? 'the token "root"'
          : `the scope ${[scope]
              .flat()
              .map((each) => `"${each}"`)
              .join(' or ')}`;
      return problem('PERMISSION_DENIED', `this request needs ${needed}`);
    }
    const condition = preconditionOf(context);
    const result = await handle({ ...context, actor, coordinator, params, condition });
    if (result.ok) return send(context.reply, result.value);
    if (result.code !== 'APPROVAL_PENDING') return result;
    return context.reply.json({ proposal: result.proposal } satisfies PendingChange, 202);
  };
}

function holds({ root, scopes }: Actor, scope: RouteScope): boolean {
  return scope === 'root' ? root : [scope].flat().some((each) => scopes.includes(each));
}

/** A route for changes: validates the body and builds the change request. */
export function forChanges<Schema extends v.GenericSchema<unknown, { reason?: string | undefined }>, Value>(
  scope: RouteScope,
  schema: Schema,
  handle: Handle<ChangeContext<v.InferOutput<Schema>>, Value>,
  { bytesMax = ADMIN_BODY_BYTES_MAX, send }: { bytesMax?: number; send?: Send<Value> } = {},
): Handler {
  const validated: Handle<AdminContext, Value> = async (context) => {
    const read = await readBody(context, schema, bytesMax);
    if (!read.ok) return read;
    const { body, sha256 } = read.value;
    const allowed = checkFieldScopes(context.actor, body);
    if (!allowed.ok) return allowed;
    const repeat = repeatOf(context, sha256);
    if (!repeat.ok) return repeat;
    const { actor } = context;
    const change = {
      ...{
        actor,
        reason: body.reason ?? '',
        repeat: repeat.value,
        needs: [...[scope].flat(), ...usedFields(body).map(([, own]) => own)],
      },
      breakGlass: (body as { breakGlass?: boolean }).breakGlass === true,
    };
    return handle({ ...context, body, change });
  };
  return forAdmins(scope, validated, send);
}

/** The `Idempotency-Key` of a change, or null. @param sha256 of the request */
export function repeatOf(
  { request }: RequestContext,
  sha256: string,
): Result<ChangeRequest['repeat'], Problem> {
  const key = request.headers.get('idempotency-key');
  if (key === null) return ok(null);
  if (key !== '' && key.length <= IDEMPOTENCY_KEY_CHARS_MAX) return ok({ key, sha256 });
  const detail = `must have 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} characters`;
  return fieldError('FIELD_VALUE', 'Idempotency-Key', detail);
}

/** Refuses a body with a field whose scope the actor lacks. */
function checkFieldScopes({ scopes }: Actor, body: object): Result<void, Problem> {
  for (const [field, scope] of usedFields(body)) {
    if (!scopes.includes(scope)) return problem('PERMISSION_DENIED', `"${field}" needs the scope "${scope}"`);
  }
  return ok(undefined);
}

/** The fields of a body that need a scope of their own. */
function usedFields(body: object): [field: string, scope: Scope][] {
  return Object.entries(FIELD_SCOPES).filter(([field]) => {
    const value = (body as Partial<Record<string, unknown>>)[field];
    return value === true || (Array.isArray(value) && value.length > 0);
  });
}

function preconditionOf({ request }: RequestContext): Precondition {
  const match = request.headers.get('if-match');
  return {
    match: match === null || match === '*' ? null : match.replace(/^W\//, '').replaceAll('"', ''),
    absent: request.headers.get('if-none-match') === '*',
  };
}

/** The number of entries or records on a page. @param requested by the caller */
export function pageLimit(requested = PAGE_MAX): number {
  return Math.max(1, Math.min(requested, PAGE_MAX));
}
