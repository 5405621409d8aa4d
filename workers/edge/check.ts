/**
 * `GET` and `POST` of `/v1/check` and `/v1/gateway/check`: screen one request.
 */

import { type FieldError, nameOf } from '../../shared/fields.ts';
import { CHECK_BODY_BYTES_MAX } from '../../shared/limits.ts';
import { parseParty } from '../../shared/numbers/parse.ts';
import { isValidNumber } from '../../shared/numbers/validity.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { CheckResponse } from '../../shared/screening/check-response.ts';
import { parseRequest } from '../../shared/screening/parse-request.ts';
import type { Answer, Handler } from '../http/app.ts';
import { readJson } from '../http/body.ts';
import { parametersOf, repeatedParameter } from '../http/parameters.ts';
import type { RequestUrl } from '../http/request-url.ts';
import { admit, type ClientContext } from './client-context.ts';
import type { CheckEndpoint } from './endpoints.ts';
import { loadInBackground, valuesNeededBy, withValues } from './head/shards.ts';
import { addHeadHeaders, headVersion } from './head-version.ts';
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

export function checkPost(endpoint: CheckEndpoint): Handler {
  return async (context) => {
    const admitted = await admit(context, endpoint.right);
    if (!admitted.ok) return admitted;
    const parameters = parametersOf(context.url, {});
    if (!parameters.ok) return parameters;
    const body = await readJson(context.request, CHECK_BODY_BYTES_MAX);
    return body.ok ? check(admitted.value, endpoint, body.value) : body;
  };
}

export function checkGet(endpoint: CheckEndpoint): Handler {
  return async (context) => {
    const admitted = await admit(context, endpoint.right);
    if (!admitted.ok) return admitted;
    const fields = fieldsOf(context.url);
    return fields.ok ? check(admitted.value, endpoint, fields.value) : fields;
  };
}

async function check(context: ClientContext, endpoint: CheckEndpoint, given: unknown): Promise<Answer> {
  const { client, reply } = context;
  const charged = context.charge(numbersIn(given));
  if (!charged.ok) return charged;
  const parsed = parseRequest(given, endpoint.fields, client.internationalPrefix);
  if (!parsed.ok) return parsed;
  const snapshot = await context.snapshot();
  const { release } = snapshot;
  const screenNow = () => context.screen(parsed.value, snapshot);
  const decision =
    release === null || release.complete
      ? screenNow()
      : await withValues(release, valuesNeededBy(parsed.value, release), context, screenNow);
  // Start this last: a request can have only six reads under way at once.
  if (release !== null) loadInBackground(release, context);
  const response = endpoint.format(parsed.value, decision, snapshot);
  if (!prefersText(context.request)) return reply.json({ ...response, ...headVersion(snapshot) });
  addHeadHeaders(reply, snapshot);
  return reply.text(formatLine(response));
}

/** The request fields in the query: `ingress.type` becomes field `type` of `ingress`. */
function fieldsOf({ parameters }: RequestUrl): Result<Record<string, unknown>, FieldError> {
  const fields: Record<string, unknown> = Object.create(NOTHING);
  const ingress: Record<string, unknown> = Object.create(NOTHING);
  for (const [name, value] of parameters) {
    const [into, field] = name.startsWith(INGRESS) ? [ingress, name.slice(INGRESS.length)] : [fields, name];
    if (Object.hasOwn(into, field)) return repeatedParameter(nameOf(name));
    into[field] = NUMBERS.includes(name) ? withPlus(value) : value;
  }
  // If both `ingress` and `ingress.*` are given, keep `ingress`: a string is not a valid value, so the
  // request is refused.
  if (Object.keys(ingress).length > 0 && !Object.hasOwn(fields, 'ingress')) fields.ingress = ingress;
  return ok(fields);
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

/**
 * `block NUMBER_SUSPENDED to`: the deciding reason on one line, for gateways that cannot parse JSON.
 * `indeterminate` is followed by the client's `failPolicy`: `indeterminate LIST_STALE to open`.
 */
function formatLine({ verdict, reasons, action }: CheckResponse): string {
  const [first] = reasons;
  if (first === undefined) return verdict;
  return [verdict, first.code, first.subject, ...(action === undefined ? [] : [action])].join(' ');
}

function prefersText(request: Request): boolean {
  const accept = request.headers.get('accept') ?? '';
  return accept.includes('text/plain') && !accept.includes('json');
}
