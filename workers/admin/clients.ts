/**
 * `/v1/admin/organisations`, `/v1/admin/clients` and `/v1/admin/tokens`: manage organisations, clients and admin
 * tokens. The caller generates the secrets; the service receives only digests. Keys of feed consumers derive from
 * SHARING_KEY, and the service shows each key once.
 */
import { putClientSchema, putOrganisationSchema, putTokenSchema } from '../../shared/admin/access.ts';
import { removeSchema } from '../../shared/admin/change.ts';
import { type FeedKeyInfo, issueFeedKeySchema } from '../../shared/admin/feed-keys.ts';
import { toBase64Url } from '../../shared/bytes.ts';
import { feedKeyName } from '../../shared/feed/access.ts';
import { feedSecretOf, newFeedKeyId } from '../../shared/feed/consumer-keys.ts';
import { encryptorTo } from '../../shared/feed/jwe.ts';
import { fieldError } from '../../shared/fields.ts';
import { ok } from '../../shared/result.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import type { ControlEnv } from '../env.ts';
import { checkObservable } from '../http/key-conditions.ts';
import { problem } from '../http/reply.ts';
import { versionOf } from '../storage/precondition.ts';
import { sharingKeysOf } from '../storage/sharing-secrets.ts';
import { forAdmins, forChanges } from './context.ts';
import { storeOf } from './credentials.ts';
import { registrationStore } from './registration-context.ts';
import { noticeStore } from './webhooks.ts';

const WRONG_ID = fieldError('FIELD_VALUE', 'id', 'must be the id in the path');

export const listOrganisations = forAdmins('read', async ({ coordinator }) =>
  ok({ organisations: await coordinator.organisations() }),
);

export const getOrganisation = forAdmins('read', async ({ reply, coordinator, params }) => {
  const organisation = await coordinator.organisation(params.id!);
  if (organisation === null) return problem('ORGANISATION_UNKNOWN', 'no organisation has this id');
  reply.header('etag', `"${versionOf(organisation)}"`);
  return ok(organisation);
});

/** For `root` alone, like tokens, because an organisation limits what its tokens and signing keys may change. */
export const putOrganisation = forChanges('root', putOrganisationSchema, async (context) => {
  const { reply, coordinator, params, condition, change } = context;
  const { organisation } = context.body;
  if (organisation.id !== params.id) return WRONG_ID;
  const done = await coordinator.putOrganisation(change, organisation.id, organisation, condition);
  if (done.ok) reply.header('etag', `"${versionOf(organisation)}"`);
  return done;
});

export const removeOrganisation = forChanges('root', removeSchema, async (context) => {
  const { coordinator, params, condition, change } = context;
  const id = params.id!;
  // Clients must be removed first, so a registration that is added meanwhile names clients that no longer exist.
  const registrations = NAME_PATTERN.test(id)
    ? await registrationStore(context.env as unknown as ControlEnv, id).openCount()
    : 0;
  if (registrations > 0) {
    const message = `"${id}" has ${registrations} registrations that are not closed: close them first`;
    return problem('ORGANISATION_IN_USE', message);
  }
  // The next organisation with this id would inherit the credentials, but not a qualification that forbids sending.
  const { certificates, delegations } = await storeOf(context).openCount(id);
  if (certificates + delegations > 0) {
    const message = `"${id}" has ${certificates} certificates and ${delegations} delegations that have not ended`;
    return problem('ORGANISATION_IN_USE', `${message}: suspend it instead`);
  }
  const { webhooks } = await noticeStore(context.env as unknown as ControlEnv, id).status();
  const many = webhooks.enabled + webhooks.disabled + webhooks.gone;
  if (many > 0) return problem('ORGANISATION_IN_USE', `"${id}" has ${many} webhooks: remove them first`);
  return coordinator.putOrganisation(change, id, null, condition);
});

export const listClients = forAdmins('read', async ({ coordinator }) =>
  ok({ clients: await coordinator.clients() }),
);

export const getClient = forAdmins('read', async ({ reply, coordinator, params }) => {
  const client = await coordinator.client(params.id!);
  if (client === null) return problem('CLIENT_UNKNOWN', 'no client has this id');
  reply.header('etag', `"${versionOf(client)}"`);
  return ok(client);
});

export const putClient = forChanges('clients', putClientSchema, async (context) => {
  const { env, reply, coordinator, params, condition, change } = context;
  const { client } = context.body;
  if (client.id !== params.id) return WRONG_ID;
  const unobservable = checkObservable(env, client, 'client');
  if (unobservable !== null) return unobservable;
  const { feed } = client;
  if (feed?.encryption === 'ECDH-ES' && (await encryptorTo(feed.key, '')) === null)
    return fieldError('FIELD_VALUE', 'client.feed.key', 'must be a point on its curve');
  const done = await coordinator.putClient(change, client.id, client, condition);
  if (done.ok) reply.header('etag', `"${versionOf(client)}"`);
  return done;
});

/** Issues a key for the data of the feed. It replaces the previous key at once. */
export const issueFeedKey = forChanges('clients', issueFeedKeySchema, async (context) => {
  const { reply, coordinator, params, condition, change } = context;
  const keys = await sharingKeysOf(context.env as unknown as ControlEnv);
  if (!keys.ok) return keys;
  const id = params.id!;
  const issued = await coordinator.issueFeedKey(change, id, await newFeedKeyId(keys.value), condition);
  if (!issued.ok) return issued;
  // For a repeated request, this is the ID from the first response, not the new one.
  const { keyId, version } = issued.value;
  const secret = await feedSecretOf(keys.value, id, keyId);
  if (secret === null)
    return problem('FEED_KEY_MISSING', 'the SHARING_KEY for this key was removed: request another key');
  reply.header('etag', `"${version}"`);
  return ok({
    id,
    jwk: { kty: 'oct', k: toBase64Url(secret), kid: feedKeyName(id, keyId), use: 'enc' },
  } satisfies FeedKeyInfo);
});

export const removeClient = forChanges(
  'clients',
  removeSchema,
  ({ coordinator, params, condition, change }) => coordinator.putClient(change, params.id!, null, condition),
);

export const listTokens = forAdmins('root', async ({ coordinator }) =>
  ok({ tokens: await coordinator.tokens() }),
);

export const putToken = forChanges('root', putTokenSchema, async (context) => {
  const { env, coordinator, params, condition, change } = context;
  const { authority, ...token } = context.body.token;
  if (token.id !== params.id) return WRONG_ID;
  const unobservable = checkObservable(env, token, 'token');
  if (unobservable !== null) return unobservable;
  if (token.id === 'root') {
    return fieldError('FIELD_VALUE', 'id', 'must not be "root": ROOT_TOKEN_SHA256 sets that token');
  }
  return coordinator.putToken(change, token.id, token, condition, authority);
});

export const removeToken = forChanges('root', removeSchema, ({ coordinator, params, condition, change }) =>
  coordinator.putToken(change, params.id!, null, condition),
);
