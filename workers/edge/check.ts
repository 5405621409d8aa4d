/**
 * `GET` and `POST` of `/v1/check` and `/v1/gateway/check`, and `POST /v1/senders/check`: screen one request.
 */

import { type FieldError, fieldError, nameOf } from '../../shared/fields.ts';
import { CHECK_BODY_BYTES_MAX } from '../../shared/limits/requests.ts';
import type { LiveLayer } from '../../shared/live/live-layer.ts';
import { parseParty } from '../../shared/numbers/parse.ts';
import { isValidNumber } from '../../shared/numbers/validity.ts';
import type { Blob } from '../../shared/release/manifest.ts';
import type { Release } from '../../shared/release/release.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { CheckResponse } from '../../shared/screening/check-response.ts';
import type { GatewayResponse } from '../../shared/screening/gateway-response.ts';
import { parseRequest } from '../../shared/screening/parse-request.ts';
import type { ClientSettings } from '../../shared/screening/snapshot.ts';
import { prefersText } from '../http/accept.ts';
import type { Handler, RequestContext } from '../http/app.ts';
import { parseJson, readJsonText } from '../http/body.ts';
import { parametersOf, repeatedParameter } from '../http/parameters.ts';
import type { Problem } from '../http/reply.ts';
import type { RequestUrl } from '../http/request-url.ts';
import { admit } from './client-context.ts';
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
/** Fields that are refused in a query, since URLs end up in logs. */
const NOT_IN_URLS: readonly string[] = ['senderToken', 'identity', 'text'];
/** Parameters that can hold a number. */
const NUMBERS: readonly string[] = ['from', 'to', 'ingress.smsc'];

export function checkPost(endpoint: CheckEndpoint): Handler {
  return handlerOf(endpoint, (context) => readBody(context, endpoint));
}

export function checkGet(endpoint: CheckEndpoint): Handler {
  return handlerOf(endpoint, ({ url }) => fieldsOf(url));
}

/** @param read reads the fields of the request, which are not validated yet */
function handlerOf(
  { right, fields, format, isPreview }: CheckEndpoint,
  read: (context: RequestContext) => Result<unknown, Problem> | Promise<Result<unknown, Problem>>,
): Handler {
  return async (context) => {
    const isText = prefersText(context.request);
    context.reply.asText = isText;
    const admitted = await admit(context, right);
    if (!admitted.ok) return admitted;
    const client = admitted.value;
    const reading = read(context);
    const given = reading instanceof Promise ? await reading : reading;
    if (!given.ok) return given;
    const charged = client.charge(numbersIn(given.value));
    if (!charged.ok) return charged;
    const parsed = parseRequest(given.value, fields, client.settings.internationalPrefix);
    if (!parsed.ok) return parsed;
    const pinned = client.snapshotInMemory() ?? (await client.snapshot());
    const { senderToken, ingress, text } = parsed.value;
    const hasToken = senderToken !== undefined || (ingress !== null && ingress.identity.length > 0);
    const verified = hasToken ? await client.withTokens([{ parsed }], pinned) : pinned;
    const unverified = hasToken ? client.unverified(parsed.value, verified) : null;
    if (unverified !== null) return unverified;
    const snapshot = text === undefined ? verified : await client.withTexts([{ parsed }], verified);
    const { release } = snapshot;
    const { settings } = client;
    const respond = (): CheckResponse => {
      const decision = client.screen(parsed.value, snapshot, isPreview);
      return format(parsed.value, decision, snapshot, settings);
    };
    const response =
      release === null || release.complete
        ? respond()
        : await whenLoaded(
            valuesFor(parsed.value, release, snapshot.live, settings, isPreview),
            release,
            context,
            respond,
          );
    if (!isText) return context.reply.json({ ...response, ...headVersion(snapshot, settings) });
    addHeadHeaders(context.reply, snapshot, settings);
    context.reply.addHeaders(headersOf(response));
    return context.reply.text(formatLine(response));
  };
}

/** Responds once the values that the request needs are loaded, and then loads the others. */
async function whenLoaded<Response>(
  needed: readonly Blob[],
  release: Release,
  context: RequestContext,
  respond: () => Response,
): Promise<Response> {
  const response = await withValues(release, needed, context, respond);
  // Start this last: a request can have only six reads under way at once.
  loadInBackground(release, context);
  return response;
}

/** The values that the request needs. A preview also needs the values of registrations, whatever the client requires. */
function valuesFor(
  request: ScreenRequest,
  release: Release,
  live: LiveLayer,
  settings: ClientSettings,
  isPreview: boolean,
): Blob[] {
  const requireRegistration = isPreview ? 'enforce' : settings.requireRegistration;
  return valuesNeededBy(request, release, live, { ...settings, requireRegistration });
}

async function readBody(
  { request, url }: RequestContext,
  { mustBeUtf8 }: CheckEndpoint,
): Promise<Result<unknown, Problem>> {
  const parameters = parametersOf(url, {});
  if (!parameters.ok) return parameters;
  const text = await readJsonText(request, CHECK_BODY_BYTES_MAX, { mustBeUtf8 });
  return text.ok ? parseJson(text.value) : text;
}

/** The request fields in the query: `ingress.type` becomes field `type` of `ingress`. */
function fieldsOf({ parameters }: RequestUrl): Result<Record<string, unknown>, FieldError> {
  const fields: Record<string, unknown> = Object.create(NOTHING);
  const ingress: Record<string, unknown> = Object.create(NOTHING);
  for (const [name, value] of parameters) {
    const [into, field] = name.startsWith(INGRESS) ? [ingress, name.slice(INGRESS.length)] : [fields, name];
    if (Object.hasOwn(into, field)) return repeatedParameter(nameOf(name));
    if (NOT_IN_URLS.includes(name)) return notInUrl(name);
    into[field] = NUMBERS.includes(name) ? withPlus(value) : value;
  }
  // If both `ingress` and `ingress.*` are given, keep `ingress`: a string is not a valid value, so the
  // request is refused.
  if (Object.keys(ingress).length > 0 && !Object.hasOwn(fields, 'ingress')) fields.ingress = ingress;
  return ok(fields);
}

function notInUrl(name: string): FieldError {
  const advice = 'URLs end up in logs: send it in the body of a POST';
  return fieldError('FIELD_UNKNOWN', name, `is not a query parameter, because ${advice}`);
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

/** The headers for gateways that cannot parse JSON: what they need besides the verdict. Empty for other checks. */
function headersOf({ label, sip, cacheUntil }: Partial<GatewayResponse>): Record<string, string> {
  const headers: Record<string, string> = {};
  // A header holds only ASCII, and the label is Korean.
  if (label) headers['numgate-label'] = encodeURIComponent(label);
  if (sip) headers['numgate-sip-status'] = String(sip.status);
  if (cacheUntil !== undefined) headers['numgate-cache-until'] = cacheUntil;
  return headers;
}
