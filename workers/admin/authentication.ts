/**
 * Authenticates admins: the token `root`, other tokens, and people who come through Cloudflare Access. Secrets are
 * compared by digest, in constant time.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import { isConditional } from '../../shared/key-conditions.ts';
import { DIGESTS_KEPT_MS } from '../../shared/limits/control.ts';
import { type Organisation, ROOT_AUTHORITY } from '../../shared/organisations.ts';
import { ok, type Result } from '../../shared/result.ts';
import { heldScopes, SCOPES, tokenScopes } from '../../shared/roles.ts';
import type { TokenHolder } from '../coordinator/coordinator.ts';
import { hourOf } from '../coordinator/token-holders.ts';
import type { ControlEnv } from '../env.ts';
import type { RequestContext } from '../http/app.ts';
import { bearerOf, matches } from '../http/credentials.ts';
import { FailedAuthentications } from '../http/failed-authentications.ts';
import { addressOf, unmetBy, unmetProblem } from '../http/key-conditions.ts';
import { type Problem, problem } from '../http/reply.ts';
import { SingleFlight } from '../storage/single-flight.ts';
import { type AccessIdentity, accessIdentity, CHALLENGE } from './access.ts';
import type { CoordinatorStub } from './coordinator-stub.ts';

/** A key that a request presents. It may be wrong. */
interface Attempt {
  readonly context: RequestContext;
  readonly coordinator: CoordinatorStub;
  readonly id: string;
  readonly secret: string;
}

/** The failed authentications in this isolate. */
let failures = new FailedAuthentications('control');

/** A copy of the digests of all tokens, loaded only while too many authentications fail. */
let digests: { readonly byId: ReadonlyMap<string, readonly string[]>; readonly at: number } | null = null;
const loading = new SingleFlight();

/** Resets all state, as a new isolate would. */
export function resetAuthentication(): void {
  failures = new FailedAuthentications('control');
  digests = null;
}

/**
 * Refuses keys without a secret, and wrong secrets of `root`, before they reach the coordinator, which is a single object
 * for all changes. Once too many authentications fail, all other wrong keys are refused here too.
 */
export async function authenticate(
  context: RequestContext,
  coordinator: CoordinatorStub,
): Promise<Result<Actor, Problem>> {
  const env = context.env as unknown as ControlEnv;
  const access = await accessIdentity(context.request, env);
  if (access?.ok === false) return access;
  if (access !== null) return authenticateAccess(access.value, coordinator);
  const [id, secret] = bearerOf(context.request);
  const attempt = { context, coordinator, id, secret };
  const root = rootDigests(env);
  const isRoot = id === 'root' && (await matches(secret, root));
  if (id === '' || (id === 'root' && root.length > 0 && !isRoot)) return refuse(attempt, id === 'root');
  if (!isRoot && (await isLimited(attempt))) return refuse(attempt, digests?.byId.has(id) === true);
  // If no root digest is configured, the request goes on, so the response can say what is missing.
  const found = await coordinator.token(id).catch(() => null);
  if (found === null) return noResponse();
  if (!found.ok) return problem('NOT_CONFIGURED', found.message);
  if (isRoot) {
    const none = { organisation: null, authority: ROOT_AUTHORITY };
    return ok({ name: 'token:root', scopes: SCOPES, root: true, ...none });
  }
  const holder = found.value;
  if (!(await matches(secret, holder?.token.secretSha256))) return refuse(attempt, holder !== null);
  return authenticateHolder(attempt, holder!);
}

/** Checks the conditions of a token whose secret is right, and returns its actor. */
function authenticateHolder(
  attempt: Attempt,
  { token, organisation, holder }: TokenHolder,
): Result<Actor, Problem> {
  const { context, coordinator, id } = attempt;
  const { request, env, ctx } = context;
  const now = Date.now();
  const unmet = isConditional(token) ? unmetBy(request, env, token, now) : null;
  if (unmet !== null) {
    failures.add(id, unmet, addressOf(request, env), now);
    return unmetProblem(unmet, token, 'admin token', CHALLENGE);
  }
  const { generation, usedAt } = holder;
  if (usedAt !== hourOf(now)) ctx.waitUntil(coordinator.tokenUsed(id, generation).catch(() => undefined));
  return memberOf(organisation, { name: `token:${id}`, scopes: tokenScopes(token), generation });
}

async function authenticateAccess(
  { organisation, ...identity }: AccessIdentity,
  coordinator: CoordinatorStub,
): Promise<Result<Actor, Problem>> {
  const found = await coordinator.token('').catch(() => null);
  if (found === null) return noResponse();
  if (!found.ok) return problem('NOT_CONFIGURED', found.message);
  return memberOf(await coordinator.organisation(organisation), identity);
}

/** The actor, with only the scopes that the roles of its organisation have. */
function memberOf(
  organisation: Organisation | null,
  identity: Pick<Actor, 'name' | 'scopes' | 'generation'>,
): Result<Actor, Problem> {
  if (organisation === null)
    return problem(
      'NOT_CONFIGURED',
      'ACCESS_ORGANISATION names an unknown organisation: add it, or name another one',
    );
  const { id, authority, roles, state } = organisation;
  if (state === 'suspended') {
    const message = `your organisation "${id}" is suspended: only the token "root" can make it active again`;
    return problem('ORGANISATION_SUSPENDED', message);
  }
  const held = heldScopes(identity.scopes, roles);
  return ok({ ...identity, scopes: held, organisation: id, authority, root: false });
}

function rootDigests({ ROOT_TOKEN_SHA256 = '' }: Partial<ControlEnv>): string[] {
  return ROOT_TOKEN_SHA256.split(',').filter((digest) => /^[0-9a-f]{64}$/.test(digest));
}

/**
 * Whether too many authentications failed, and this one would fail too. The secret is checked against a copy of all
 * digests, so that wrong keys do not reach the coordinator and valid keys still work.
 */
async function isLimited({ context, coordinator, id, secret }: Attempt): Promise<boolean> {
  const { request, env, ctx } = context;
  if (failures.limited(addressOf(request, env), Date.now()) === null) return false;
  const isFresh = (): boolean => digests !== null && Date.now() - digests.at < DIGESTS_KEPT_MS;
  if (!isFresh()) {
    const load = async (): Promise<void> => {
      digests = { byId: await coordinator.tokenDigests(), at: Date.now() };
    };
    // Without a response, the last copy is used; without a copy, the coordinator decides as usual.
    await loading.wait(load, isFresh, ctx).catch(() => undefined);
  }
  if (digests === null) return false;
  return !(await matches(secret, digests.byId.get(id)));
}

/** @param exists whether there is a token with this ID */
function refuse({ context, id }: Attempt, exists: boolean): Problem {
  const { request, env } = context;
  if (request.headers.get('authorization') === null)
    return unauthenticated('send Authorization: Bearer <admin token>');
  const source = addressOf(request, env);
  const limited = failures.limited(source, Date.now());
  failures.add(exists ? id : null, 'secret', source, Date.now());
  return limited ?? unauthenticated('the admin token is not valid');
}

function unauthenticated(message: string): Problem {
  return problem('UNAUTHENTICATED', message, { headers: CHALLENGE });
}

function noResponse(): Problem {
  return problem('UNAVAILABLE', 'the coordinator does not respond; try again');
}
