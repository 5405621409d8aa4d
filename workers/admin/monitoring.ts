/**
 * `/v1/admin/status`, `/v1/admin/audit`, `/v1/admin/guards`: status, audit log and guard settings.
 */
import { putGuardsSchema, trimAuditSchema } from '../../shared/admin.ts';
import { PAGE_MAX } from '../../shared/limits.ts';
import { parametersOf } from '../http/parameters.ts';
import { forAdmins, forChanges, toResponse } from './context.ts';

export const status = forAdmins('read', async ({ reply, coordinator: authority }) =>
  reply.json(await authority.status()),
);

/** A page of the audit log as NDJSON. An empty page is the end. */
export const audit = forAdmins('read', async ({ reply, url, coordinator: authority }) => {
  const given = parametersOf(url, { after: 'number', limit: 'number' });
  if ('code' in given) return reply.problem(given, url.pathname);
  const limit = Math.max(1, Math.min(given.number.limit ?? PAGE_MAX, PAGE_MAX));
  return reply.ndjson(await authority.audit(given.number.after ?? 0, limit));
});

export const trimAudit = forChanges('root', trimAuditSchema, async (context, changeRequest, { n, hash }) =>
  toResponse(context, await context.coordinator.trimAudit(changeRequest, n, hash)),
);

export const getGuards = forAdmins('read', async ({ reply, coordinator: authority }) =>
  reply.json(await authority.guards()),
);

export const putGuards = forChanges('releases', putGuardsSchema, async (context, changeRequest, { guards }) =>
  toResponse(context, await context.coordinator.putGuards(changeRequest, guards)),
);
