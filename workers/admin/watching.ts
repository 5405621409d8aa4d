/**
 * `/v1/admin/status`, `/v1/admin/audit`, `/v1/admin/guards`: looking on, and what pushes are held to.
 */
import { putGuardsSchema, trimAuditSchema } from '../../shared/admin.ts';
import { PAGE_MAX } from '../../shared/limits.ts';
import { parametersOf } from '../parameters.ts';
import { answer, forAdmins, forChanges } from './admin-call.ts';

export const status = forAdmins('read', async ({ reply, authority }) => reply.json(await authority.status()));

/** A page of the audit log as NDJSON; an empty one is the end. */
export const audit = forAdmins('read', async ({ reply, url, authority }) => {
  const given = parametersOf(url, { after: 'number', limit: 'number' });
  if ('code' in given) return reply.problem(given, url.pathname);
  const limit = Math.max(1, Math.min(given.number.limit ?? PAGE_MAX, PAGE_MAX));
  return reply.ndjson(await authority.audit(given.number.after ?? 0, limit));
});

export const trimAudit = forChanges('root', trimAuditSchema, async (call, order, { n, hash }) =>
  answer(call, await call.authority.trimAudit(order, n, hash)),
);

export const getGuards = forAdmins('read', async ({ reply, authority }) =>
  reply.json(await authority.guards()),
);

export const putGuards = forChanges('releases', putGuardsSchema, async (call, order, { guards }) =>
  answer(call, await call.authority.putGuards(order, guards)),
);
