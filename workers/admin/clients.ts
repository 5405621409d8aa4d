/**
 * `/v1/admin/clients` and `/v1/admin/tokens`: who may ask, and who may change. Keys are made by who
 * hands them out; only digests come here.
 */
import { putClientSchema, putTokenSchema, removeSchema } from '../../shared/admin.ts';
import { versionOf } from '../authority/clients-store.ts';
import { problem } from '../http.ts';
import { answer, conditionOf, forAdmins, forChanges } from './admin-call.ts';

const WRONG_ID = problem('FIELD_VALUE', 'the id in the body is another one than in the path', {
  field: 'id',
});

export const listClients = forAdmins('read', async ({ reply, authority }) =>
  reply.json({ clients: await authority.clients() }),
);

export const getClient = forAdmins('read', async ({ reply, url, authority, params }) => {
  const client = await authority.client(params.id ?? '');
  if (client === null) {
    return reply.problem(problem('CLIENT_UNKNOWN', 'there is no such client'), url.pathname);
  }
  reply.header('etag', `"${versionOf(client)}"`);
  return reply.json(client);
});

export const putClient = forChanges('clients', putClientSchema, async (call, order, { client }) => {
  if (client.id !== call.params.id) return WRONG_ID;
  const done = await call.authority.putClient(order, client.id, client, conditionOf(call));
  if (done.ok) call.reply.header('etag', `"${versionOf(client)}"`);
  return answer(call, done);
});

export const removeClient = forChanges('clients', removeSchema, async (call, order) =>
  answer(call, await call.authority.putClient(order, call.params.id ?? '', null, conditionOf(call))),
);

export const listTokens = forAdmins('root', async ({ reply, authority }) => {
  const tokens = await authority.tokens();
  return reply.json({ tokens: tokens.map((token) => ({ ...token, version: versionOf(token) })) });
});

export const putToken = forChanges('root', putTokenSchema, async (call, order, { token }) => {
  if (token.id !== call.params.id) return WRONG_ID;
  if (token.id === 'root') return problem('FIELD_VALUE', 'root is set by ROOT_TOKEN_SHA256', { field: 'id' });
  return answer(call, await call.authority.putToken(order, token.id, token, conditionOf(call)));
});

export const removeToken = forChanges('root', removeSchema, async (call, order) =>
  answer(call, await call.authority.putToken(order, call.params.id ?? '', null, conditionOf(call))),
);
