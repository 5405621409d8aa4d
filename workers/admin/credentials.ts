/**
 * `/v1/admin/issuers`, `/v1/admin/status-lists`, and the certificates and delegations of an organisation.
 */

import { removeSchema } from '../../shared/admin/change.ts';
import {
  acceptDelegationSchema,
  addCertificateSchema,
  confirmDelegationSchema,
  type IssuerInfo,
  moveDelegationSchema,
  proposeDelegationSchema,
  pushStatusListSchema,
  putIssuerSchema,
} from '../../shared/admin/credentials.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import { DELEGATION_MOVES, type DelegationMove } from '../../shared/credentials/delegation-states.ts';
import type { PublicJwk } from '../../shared/credentials/keys.ts';
import { fieldError } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX } from '../../shared/limits/control.ts';
import { CREDENTIALS_PAGE_MAX } from '../../shared/limits/credential-store.ts';
import { STATUS_LIST_CHARS_MAX } from '../../shared/limits/credentials.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { CredentialStore } from '../credentials/credential-store.ts';
import type { ControlEnv } from '../env.ts';
import { mediaType, readText } from '../http/body.ts';
import { readBody } from '../http/json-body.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem, type Reply } from '../http/reply.ts';
import { CREDENTIALS_NAME } from '../storage/credentials-port.ts';
import { versionOf } from '../storage/precondition.ts';
import { type AdminContext, forAdmins, forChanges, pageLimit, repeatOf } from './context.ts';
import { registrationsOf } from './registration-context.ts';

/** The store's methods as RPC calls. */
type CredentialsStub = {
  [Name in keyof CredentialStore]: CredentialStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export const SEERS = ['issuers', 'credentials'] as const;
const MEMBERS = ['registrations', 'review'] as const;
const STATUS_LIST_TYPE = 'application/statuslist+jwt';

export function storeOf({ env }: AdminContext): CredentialsStub {
  const { CREDENTIALS } = env as unknown as ControlEnv;
  return CREDENTIALS.getByName(CREDENTIALS_NAME) as unknown as CredentialsStub;
}

export const listIssuers = forAdmins(SEERS, async (context) =>
  ok({ issuers: await storeOf(context).issuers() }),
);

export const getIssuer = forAdmins(SEERS, async (context) => {
  const found = await storeOf(context).issuer(context.params.id!);
  if (found === null) return problem('ISSUER_UNKNOWN', 'no issuer has this id');
  setVersion(context.reply, found);
  return ok(found);
});

export const putIssuer = forChanges('issuers', putIssuerSchema, async (context) => {
  const { body, change, condition, coordinator, params, reply } = context;
  const { issuer } = body;
  if (issuer.id !== params.id) return fieldError('FIELD_VALUE', 'issuer.id', 'must be the id in the path');
  if ((await coordinator.organisation(issuer.organisation)) === null)
    return fieldError('FIELD_VALUE', 'issuer.organisation', 'must be the id of an organisation');
  const done = await storeOf(context).putIssuer(change, issuer, condition);
  if (done.ok) setVersion(reply, done.value);
  return done;
});

export const removeIssuer = forChanges('issuers', removeSchema, async (context) =>
  storeOf(context).removeIssuer(context.change, context.params.id!, context.condition),
);

export const listStatusLists = forAdmins(SEERS, async (context) =>
  ok({ statusLists: await storeOf(context).statusLists() }),
);

/** The body is the status list as issuers serve it, or JSON that contains the list. */
export const pushStatusList = forAdmins('credentials', async (context) => {
  const read = await statusListOf(context);
  if (!read.ok) return read;
  const { text, reason, sha256 } = read.value;
  const repeat = repeatOf(context, sha256);
  if (!repeat.ok) return repeat;
  const request = { actor: context.actor, reason, repeat: repeat.value };
  return storeOf(context).pushStatusList(request, text);
});

async function statusListOf(
  context: AdminContext,
): Promise<Result<{ text: string; reason: string; sha256: string }, Problem>> {
  const { request, url } = context;
  if (mediaType(request) !== STATUS_LIST_TYPE) {
    const read = await readBody(context, pushStatusListSchema, ADMIN_BODY_BYTES_MAX);
    if (!read.ok) return read;
    const { body, sha256 } = read.value;
    return ok({ text: body.statusList, reason: body.reason ?? '', sha256 });
  }
  const text = await readText(request, STATUS_LIST_CHARS_MAX);
  if (!text.ok) return text;
  const sha256 = await sha256Hex(`${request.method} ${url.pathname}\n${text.value}`);
  return ok({ text: text.value.trim(), reason: '', sha256 });
}

export const listCertificates = forAdmins(MEMBERS, async (context) => {
  const page = pageOf(context);
  if (!page.ok) return page;
  const { after, limit } = page.value;
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  const certificates = await storeOf(context).certificates(found.value.facts.organisation, after, limit);
  return ok({ certificates, next: certificates.length < limit ? null : certificates.at(-1)!.digest });
});

export const addCertificate = forChanges('registrations', addCertificateSchema, async (context) => {
  const found = await registrationsOf(context, 'sender');
  if (!found.ok) return found;
  return storeOf(context).addCertificate(context.change, found.value.facts, context.body);
});

export const getCertificate = forAdmins(MEMBERS, async (context) => {
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  const { organisation, digest } = context.params;
  const certificate = await storeOf(context).certificate(organisation!, digest!);
  if (certificate !== null) return ok(certificate);
  return problem('CERTIFICATE_UNKNOWN', 'no certificate of the organisation has this digest');
});

export const listDelegations = forAdmins(MEMBERS, async (context) => {
  const page = pageOf(context);
  if (!page.ok) return page;
  const { after, limit } = page.value;
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  const { organisation } = found.value.facts;
  const delegations = await storeOf(context).delegations(organisation, idOf(after ?? '') ?? 0, limit);
  return ok({ delegations, next: delegations.length < limit ? null : delegations.at(-1)!.id });
});

export const getDelegation = forAdmins(MEMBERS, async (context) => {
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  const id = idOf(context.params.id!);
  const delegation =
    id === null ? null : await storeOf(context).delegation(found.value.facts.organisation, id);
  return delegation === null ? unknownDelegation() : ok(delegation);
});

export const proposeDelegation = forChanges('registrations', proposeDelegationSchema, async (context) => {
  const found = await registrationsOf(context, 'sender');
  if (!found.ok) return found;
  const { delegation } = context.body;
  if ((await context.coordinator.organisation(delegation.agent)) === null)
    return fieldError('FIELD_VALUE', 'delegation.agent', 'must be the id of an organisation');
  return storeOf(context).proposeDelegation(context.change, found.value.facts.organisation, delegation);
});

export const acceptDelegation = forChanges('registrations', acceptDelegationSchema, async (context) =>
  move(context, 'accept', { key: context.body.key }),
);

export const confirmDelegation = forChanges('registrations', confirmDelegationSchema, async (context) =>
  move(context, 'confirm', { delegation: context.body.delegation }),
);

export const moveDelegation = forChanges('registrations', moveDelegationSchema, async (context) => {
  const action = DELEGATION_MOVES.find((each) => each === context.params.action);
  if (action !== undefined) return move(context, action, {});
  return problem('NOT_FOUND', `there is no such action: use one of ${DELEGATION_MOVES.join(', ')}`);
});

async function move(
  context: AdminContext & { readonly change: Parameters<CredentialStore['moveDelegation']>[0] },
  action: DelegationMove,
  given: { readonly key?: PublicJwk; readonly delegation?: string },
) {
  const found = await registrationsOf(context, 'sender');
  if (!found.ok) return found;
  const id = idOf(context.params.id!);
  if (id === null) return unknownDelegation();
  const { organisation } = found.value.facts;
  return storeOf(context).moveDelegation(context.change, organisation, id, action, given);
}

/** The audit chain of the credentials, as NDJSON, without numbers. An empty page is the end. */
export const credentialsAudit = forAdmins(
  'read',
  async (context) => {
    const parameters = parametersOf(context.url, { after: 'number', limit: 'number' });
    if (!parameters.ok) return parameters;
    const { after = 0, limit } = parameters.value.number;
    return ok(await storeOf(context).audit(after, pageLimit(limit)));
  },
  (reply, records) => reply.ndjson(records),
);

function pageOf({ url }: AdminContext): Result<{ after: string | null; limit: number }, Problem> {
  const parameters = parametersOf(url, { after: 'text', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const { after = null } = text;
  if (after !== null && !/^(?:[\w-]{43}|\d{1,15})$/.test(after))
    return fieldError('FIELD_VALUE', 'after', 'must be the "next" value of a page');
  const { limit = CREDENTIALS_PAGE_MAX } = number;
  return ok({ after, limit: Math.max(1, Math.min(limit, CREDENTIALS_PAGE_MAX)) });
}

/** The ID of a delegation, or null if it is malformed. */
function idOf(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

function unknownDelegation(): Problem {
  return problem('DELEGATION_UNKNOWN', 'no delegation of the organisation has this id');
}

/** Sets the ETag that a later `If-Match` names. */
function setVersion(reply: Reply, { certificates: _, held: _held, ...issuer }: IssuerInfo): void {
  reply.header('etag', `"${versionOf(issuer)}"`);
}
