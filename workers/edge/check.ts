/**
 * `GET` and `POST` of `/v1/check` and `/v1/gateway/check`: screen one request.
 */

import { nameOf } from '../../shared/fields.ts';
import { CHECK_BODY_BYTES_MAX } from '../../shared/limits.ts';
import { parseParty } from '../../shared/numbers/parse.ts';
import { isValidNumber } from '../../shared/numbers/validity.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import type { CheckResponse } from '../../shared/screening/decision.ts';
import { parseRequest } from '../../shared/screening/parse-request.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import { readJson } from '../http/body.ts';
import { after, type MaybePromise } from '../http/maybe-promise.ts';
import { noParameter, type Problem, problem } from '../http/reply.ts';
import type { RequestUrl } from '../http/request-url.ts';
import { type ClientContext, forClients } from './context.ts';
import type { CheckEndpoint } from './endpoints.ts';
import { addHeadHeaders, formatLine, headVersion } from './format.ts';
import { loadInBackground, valuesNeededBy, withValues } from './head/shards.ts';
import { numbersIn } from './quota.ts';

/** Prefix of `ingress` fields in query parameters. */
const INGRESS = 'ingress.';
/**
 * Prototype of the parameter objects. It is empty, so `__proto__` is an ordinary name. It is not `null`,
 * because V8 stores an object without a prototype as a hash table.
 */
const NOTHING: object = Object.create(null);
/** Parameters that can hold a number. */
const NUMBERS: readonly string[] = ['from', 'to', 'ingress.smsc'];

export const answerPost = (endpoint: CheckEndpoint) =>
  forClients(endpoint.right, async (context) => {
    const { request, reply, url } = context;
    const parameter = noParameter(url);
    if (parameter !== null) return reply.problem(parameter, url.pathname);
    const body = await readJson(request, CHECK_BODY_BYTES_MAX);
    if (!body.ok) return reply.problem(problem(body.code, body.message), url.pathname);
    return answer(context, endpoint, body.value);
  });

export const answerGet = (endpoint: CheckEndpoint) =>
  forClients(endpoint.right, (context) => {
    const { reply, url } = context;
    const given = fieldsOf(url);
    if ('code' in given) return reply.problem(given, url.pathname);
    return answer(context, endpoint, given.fields);
  });

/** The request fields in the query: `ingress.type` becomes field `type` of `ingress`. */
function fieldsOf({ parameters }: RequestUrl): { readonly fields: Record<string, unknown> } | Problem {
  const fields: Record<string, unknown> = Object.create(NOTHING);
  const ingress: Record<string, unknown> = Object.create(NOTHING);
  for (const [name, value] of parameters) {
    const [into, field] = name.startsWith(INGRESS) ? [ingress, name.slice(INGRESS.length)] : [fields, name];
    if (Object.hasOwn(into, field)) {
      const twice = nameOf(name);
      return problem('FIELD_TYPE', `${twice} is given twice`, { field: twice });
    }
    into[field] = NUMBERS.includes(name) ? withPlus(value) : value;
  }
  // If both `ingress` and `ingress.*` are given, keep `ingress`: a string is not a valid value, so the
  // request is refused.
  if (Object.keys(ingress).length > 0 && !Object.hasOwn(fields, 'ingress')) fields.ingress = ingress;
  return { fields };
}

/**
 * A plus sign that was not percent-encoded arrives as a space. The space can also be intended, as in ` 112`.
 */
function withPlus(value: string): string {
  if (!/^ [1-9]/.test(value)) return value;
  const written = `+${value.slice(1)}`;
  const party = parseParty(written);
  return party.kind === 'number' && isValidNumber(party.n) ? written : value;
}

/** Synchronous once the release is in memory. The response is then the only runtime object it creates. */
function answer(context: ClientContext, endpoint: CheckEndpoint, given: unknown): MaybePromise<Response> {
  const { reply, url, request } = context;
  const refused = context.charge(numbersIn(given));
  if (refused !== null) return refused;
  const parsed = parseRequest(
    given,
    endpoint.fields.none,
    false,
    endpoint.fields,
    context.client.internationalPrefix,
  );
  if (parsed.error !== null) {
    const { code, field, message } = parsed.error;
    return reply.problem(problem(code, message, { field }), url.pathname);
  }
  return after(context.snapshot(), (snapshot) =>
    after(decision(context, endpoint, parsed.request, snapshot), (response) => {
      if (!prefersText(request)) return reply.json({ ...response, ...headVersion(snapshot) });
      addHeadHeaders(reply, snapshot);
      return reply.text(formatLine(response));
    }),
  );
}

/** Screens the request after loading the values it needs. Synchronous once the release is complete. */
function decision(
  context: ClientContext,
  endpoint: CheckEndpoint,
  request: ScreenRequest,
  snapshot: Snapshot,
): MaybePromise<CheckResponse> {
  const { release } = snapshot;
  const respond = (): CheckResponse =>
    endpoint.format(request, context.screen(request, snapshot), snapshot, context.client);
  if (release === null || release.complete) return respond();
  return withValues(release, valuesNeededBy(request, release), context, respond).then((response) => {
    // Start this last: a request can have only six reads under way at once.
    loadInBackground(release, context);
    return response;
  });
}

function prefersText(request: Request): boolean {
  const accept = request.headers.get('accept') ?? '';
  return accept.includes('text/plain') && !accept.includes('json');
}
