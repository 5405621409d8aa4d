/**
 * The public register of qualified senders, and everything needed to verify it without this service: keys, signed
 * documents and status lists.
 */

import { fromBase64 } from '../../shared/bytes.ts';
import { packStatuses, StatusList, statusListClaim } from '../../shared/credentials/status-list.ts';
import { fieldError } from '../../shared/fields.ts';
import {
  OWN_STATUS_LIST_LIFE_SECONDS,
  OWN_STATUS_LIST_TTL_SECONDS,
  QUALIFICATION_TOKEN_LIFE_SECONDS,
  REGISTER_FRESH_SECONDS,
  REGISTER_LIFE_SECONDS,
  REGISTER_NAME_CHARS_MAX,
} from '../../shared/limits/qualification.ts';
import { ok, type Result } from '../../shared/result.ts';
import { maySend } from '../../shared/senders/qualification.ts';
import {
  findRegistered,
  OWN_STATUS_LISTS,
  type OwnStatusList,
  ownStatusListUri,
  qualificationStatuses,
  type RegisteredOrganisation,
  registerEntry,
} from '../../shared/senders/register.ts';
import type { ControlEnv } from '../env.ts';
import type { Answer, Handler, Route } from '../http/app.ts';
import type { PublicContext } from '../http/public-route.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { Reading } from './cached-reading.ts';
import { publicDocuments, type RegisterContext, withRegister } from './public-route.ts';
import { openServiceKey } from './service-key.ts';
import { sendSigned } from './signed-documents.ts';
import { publicSources } from './sources.ts';

const JWT = 'application/jwt';

/** The keys that verify what this service signs, as a JWK set (RFC 7517). */
const keys: Handler = publicDocuments.forEverybody(async ({ env, reply }) => {
  const key = await openServiceKey(env as unknown as ControlEnv);
  if (!key.ok) return key;
  reply.header('cache-control', `public, max-age=${OWN_STATUS_LIST_TTL_SECONDS}`);
  return reply.json({ keys: key.value.published });
});

/** The whole register, signed. */
const download: Handler = withRegister((context) =>
  sendSigned(context, context.register, 'register', JWT, () => ({
    typ: 'register+jwt',
    claims: {
      register: context.register.value.organisations.map((each) => registerEntry(each, Date.now())),
    },
    lifeSeconds: REGISTER_LIFE_SECONDS,
  })),
);

/** The organisations with this sender code, ID or display name. */
const find: Handler = withRegister(async (context) => {
  const found = findNamed(context);
  if (!found.ok) return found;
  context.reply.header('cache-control', `public, max-age=${REGISTER_FRESH_SECONDS}`);
  return context.reply.json({ matches: found.value.map((each) => registerEntry(each, Date.now())) });
});

/** A signed statement that one organisation is qualified. */
const token: Handler = withRegister(async (context) => {
  const found = findNamed(context);
  if (!found.ok) return found;
  const [organisation, ...others] = found.value;
  if (organisation === undefined || others.length > 0)
    return fieldError(
      'FIELD_VALUE',
      'name',
      'is the name of several organisations: send an id or a sender code',
    );
  const { id, name, senderCode, state, factor, inspectedAt, nextInspectionBy, validUntil } = registerEntry(
    organisation,
    Date.now(),
  );
  if (!maySend(state))
    return problem('QUALIFICATION_UNKNOWN', `there is no token, because the qualification is ${state}`);
  return sendSigned(context, context.register, `token ${id}`, JWT, (publicUrl) => ({
    typ: 'qualification+jwt',
    claims: {
      ...{ sub: id, name, state, inspectedAt, nextInspectionBy },
      ...(senderCode === null ? {} : { osc: senderCode }),
      ...(factor === null ? {} : { factor }),
      status: {
        status_list: { idx: organisation.index, uri: ownStatusListUri(publicUrl, 'qualifications') },
      },
    },
    lifeSeconds: QUALIFICATION_TOKEN_LIFE_SECONDS,
    ...(validUntil === null ? {} : { endsAt: Date.parse(validUntil) }),
  }));
});

/** The status lists of this service (draft-ietf-oauth-status-list). */
const statusList: Handler = publicDocuments.forEverybody(async (context) => {
  const sources = publicSources();
  switch (context.params.name) {
    case 'qualifications': {
      const register = await sources.register.get(context);
      if (!register.ok) return register;
      return sendList(context, register.value, 'qualifications', (data) => {
        const statuses = qualificationStatuses(data, Date.now());
        return packStatuses(statuses, statuses.size);
      });
    }
    case 'delegations': {
      const delegations = await sources.delegations.get(context);
      if (!delegations.ok) return delegations;
      return sendList(context, delegations.value, 'delegations', (statuses) => {
        return new StatusList(2, fromBase64(statuses)!);
      });
    }
    default:
      return problem('NOT_FOUND', `the status lists are ${OWN_STATUS_LISTS.join(' and ')}`);
  }
});

function sendList<Value>(
  context: PublicContext,
  reading: Reading<Value>,
  name: OwnStatusList,
  listOf: (value: Value) => StatusList,
): Promise<Answer> {
  return sendSigned(context, reading, `list ${name}`, 'application/statuslist+jwt', async (publicUrl) => ({
    typ: 'statuslist+jwt',
    claims: {
      sub: ownStatusListUri(publicUrl, name),
      ttl: OWN_STATUS_LIST_TTL_SECONDS,
      status_list: await statusListClaim(listOf(reading.value)),
    },
    lifeSeconds: OWN_STATUS_LIST_LIFE_SECONDS,
  }));
}

/** The organisations with the name in the path, at least one. */
function findNamed({
  params,
  register,
}: RegisterContext): Result<readonly RegisteredOrganisation[], Problem> {
  const text = decoded(params.name!);
  if (text === null || text.length > REGISTER_NAME_CHARS_MAX) {
    const message = `must be UTF-8 of at most ${REGISTER_NAME_CHARS_MAX} characters, percent-encoded`;
    return fieldError('FIELD_VALUE', 'name', message);
  }
  const found = findRegistered(register.value, text);
  if (found.length > 0) return ok(found);
  const message = 'the register has no organisation with this sender code, id or name';
  return problem('QUALIFICATION_UNKNOWN', message);
}

/** Decodes percent-encoded text; null if an escape is invalid. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export const REGISTER_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/.well-known/jwks.json', handle: keys },
  { method: 'GET', path: '/v1/register', handle: download },
  { method: 'GET', path: '/v1/register/:name', handle: find },
  { method: 'GET', path: '/v1/register/:name/token', handle: token },
  { method: 'GET', path: '/v1/status-lists/:name', handle: statusList },
];
